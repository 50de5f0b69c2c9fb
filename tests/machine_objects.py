"""Typed objects for tests of the machine, and what the API server makes of a write to one."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.metadata import CommonMetadata, Metadata
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import (
    Container,
    ContainerPort,
    ContainerState,
    ContainerStatus,
    Deployment,
    DeploymentSpec,
    EnvVar,
    Pod,
    PodSpec,
    PodStatus,
    Service,
    ServicePort,
    ServiceSpec,
    StateRunning,
    StateTerminated,
    StateWaiting,
    Strategy,
    Template,
)
from controller.domain.record.write import ImageChange, Write
from tests.fakes import EPOCH

NAMESPACE = "bootstrap"
REPOSITORY = "avaplatform/avalanchego"
RULES = Rules()
# What a node tells whose C came to its state by state sync, and executed the last blocks
SYNCED = {"C/state-synced": 900000.0, "C/fetched": 256.0, "C/executed": 256.0}
SOUND = NodeAnswer(
    AnswerKind.ANSWERED,
    "bootstrapped",
    ready=True,
    healthy=True,
    counters=SYNCED,
    heights={"C": 60000},
)
BUSY = NodeAnswer(
    AnswerKind.ANSWERED, "bootstrapping", failing={"bootstrapped": "subnets not bootstrapped"}
)
_LISTENS = [EnvVar(name="AVAGO_HTTP_HOST", value="0.0.0.0")]
_RUN_ID_FIELD = {
    "fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{names.RUN_ID}']"}
}


def build(letter: str) -> str:
    """A build named by one hex digit."""
    return "sha256:" + letter * 64


def bare(tag: str = "latest") -> str:
    """The image of a Deployment that nobody has pinned."""
    return f"{REPOSITORY}:{tag}"


def pinned(letter: str, tag: str = "latest") -> str:
    """The pin of a build."""
    return f"{REPOSITORY}:{tag}@{build(letter)}"


def chain_config(config: Mapping[str, Any] | None) -> str:
    """AVAGO_CHAIN_CONFIG_CONTENT with this configuration of the C-chain, base64 twice [99]."""
    inner = base64.b64encode(json.dumps(config).encode()).decode()
    outer = json.dumps({"C": {"Config": inner, "Upgrade": None}})
    return base64.b64encode(outer.encode()).decode()


def variables(**values: str) -> list[EnvVar]:
    return [EnvVar(name=name, value=value) for name, value in values.items()]


def node_container(
    image: str,
    *,
    env: Sequence[EnvVar] = (),
    command: list[str] | None = None,
    args: list[str] | None = None,
    env_from: list[dict[str, Any]] | None = None,
    name: str = "node",
) -> Container:
    """The node's container of a manifest that keeps the pod's contract."""
    contract = [
        EnvVar(name="RUN_ID", value_from=_RUN_ID_FIELD),
        EnvVar(name="AVAGO_DATA_DIR", value="/data/runs/$(RUN_ID)"),
    ]
    return Container(
        name=name,
        image=image,
        command=command,
        args=args,
        env=[*contract, *env],
        env_from=env_from,
        ports=[ContainerPort(name="http", container_port=9650)],
    )


def init_container(image: str, name: str = "prepare-data") -> Container:
    return Container(name=name, image=image, env=[EnvVar(name="RUN_ID", value_from=_RUN_ID_FIELD)])


def deployment(
    name: str = "fuji",
    *,
    image: str | None = None,
    init_image: str | None = None,
    uid: str = "uid-1",
    run_id: str | None = None,
    record: str | None = None,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    env: Sequence[EnvVar] | None = None,
    containers: Sequence[Container] | None = None,
    init_containers: Sequence[Container] | None = None,
    strategy: str = "Recreate",
    paused: bool = False,
    replicas: int = 1,
    node_selector: dict[str, str] | None = None,
    pod_labels: Mapping[str, str] | None = None,
    generation: int = 1,
) -> Deployment:
    """A labelled Deployment that can be tested as it stands: fuji, state sync."""
    image = bare() if image is None else image
    init_image = image if init_image is None else init_image
    env = variables(AVAGO_NETWORK_ID="fuji") if env is None else env
    written = dict(annotations or {})
    if record is not None:
        written[names.RECORD] = record
    pod_annotations = {names.RUN_ID: run_id} if run_id is not None else None
    pod_labels = {"app": name, names.TEST: "true"} if pod_labels is None else dict(pod_labels)
    pod = PodSpec(
        containers=list(containers or [node_container(image, env=env)]),
        init_containers=list(
            [init_container(init_image)] if init_containers is None else init_containers
        ),
        node_selector=node_selector,
    )
    return Deployment(
        metadata=Metadata(
            name=name,
            namespace=NAMESPACE,
            uid=uid,
            generation=generation,
            labels={names.TEST: "true", **(labels or {})},
            annotations=written or None,
        ),
        spec=DeploymentSpec(
            replicas=replicas,
            paused=paused,
            strategy=Strategy(type=strategy),
            template=Template(
                metadata=CommonMetadata(labels=pod_labels, annotations=pod_annotations), spec=pod
            ),
        ),
    )


def service(
    name: str = "fuji",
    *,
    selector: dict[str, str] | None = None,
    ports: list[ServicePort] | None = None,
) -> Service:
    """The Service that a Deployment of that name needs."""
    http = ServicePort(name="http", port=9650, target_port=9650)
    return Service(
        metadata=CommonMetadata(name=name, namespace=NAMESPACE, labels={names.TEST: "true"}),
        spec=ServiceSpec(
            selector={"app": name} if selector is None else selector,
            ports=[http] if ports is None else ports,
        ),
    )


def word(run: str, data: str, *, resumes: int = 0, binary: str = "") -> str:
    """The termination message of the init container that prepares the data."""
    return json.dumps({"run": run, "data": data, "resumes": resumes, "binary": binary})


def pod(
    run_id: str | None,
    image: str,
    *,
    uid: str = "pod-1",
    said: str | None = None,
    started: datetime | None = EPOCH,
    running: bool = True,
    restarts: int = 0,
    exit_code: int = 1,
    last_reason: str = "Error",
    last_message: str = "",
    waiting: StateWaiting | None = None,
    terminating: bool = False,
    name: str = "fuji-1",
) -> Pod:
    """A pod of the node. said: the init container's word, None while it has not ended. started:
    when the node's container last started, None where it never did.
    """
    up = running and started is not None and said is not None
    ended = StateTerminated(
        exit_code=exit_code, reason=last_reason, started_at=started, message=last_message
    )
    state = ContainerState(running=StateRunning(started_at=started)) if up else ContainerState()
    if waiting is not None:
        state = ContainerState(waiting=waiting)
    init = ContainerStatus(
        name="prepare-data",
        state=ContainerState(terminated=StateTerminated(message=said))
        if said is not None
        else ContainerState(running=StateRunning(started_at=EPOCH)),
    )
    return Pod(
        metadata=CommonMetadata(
            name=name,
            namespace=NAMESPACE,
            uid=uid,
            annotations={names.RUN_ID: run_id} if run_id is not None else None,
            deletion_timestamp=EPOCH if terminating else None,
        ),
        spec=PodSpec(
            containers=[Container(name="node", image=image, env=_LISTENS)],
            init_containers=[init_container(image)],
        ),
        status=PodStatus(
            pod_ip="10.0.0.7",
            init_container_statuses=[init],
            container_statuses=[
                ContainerStatus(
                    name="node",
                    image=image,
                    restart_count=restarts,
                    state=state,
                    last_state=ContainerState(terminated=ended if restarts else None),
                )
            ],
        ),
    )


def apply_write(found: Deployment, write: Write) -> Deployment | None:
    """What the API server makes of a write (I5): the next object, or None where a test fails."""
    meta, template = found.metadata, found.spec.template
    if meta.uid != write.uid:
        return None
    annotations = _entries(
        meta.annotations,
        write.has_annotations,
        {
            names.RECORD: (write.record_before, write.record),
            names.MESSAGE: (write.message_before, write.message),
        },
    )
    labels = _entries(
        meta.labels, write.has_labels, {names.PHASE: (write.phase_before, write.phase)}
    )
    pod_annotations = _entries(
        template.metadata.annotations,
        write.has_template_annotations,
        {names.RUN_ID: (write.run_id_before, write.run_id)},
    )
    containers = list(template.spec.containers or ())
    inits = list(template.spec.init_containers or ())
    imaged = all(_replace_image(inits if i.init else containers, i) for i in write.images)
    if not imaged or _REFUSED in (annotations, labels, pod_annotations):
        return None
    pod = with_fields(
        template.spec,
        containers=containers,
        init_containers=inits or template.spec.init_containers,
    )
    pod_meta = with_fields(template.metadata, annotations=pod_annotations)
    return with_fields(
        found,
        metadata=with_fields(
            meta, generation=meta.generation + 1, annotations=annotations, labels=labels
        ),
        spec=with_fields(found.spec, template=with_fields(template, metadata=pod_meta, spec=pod)),
    )


_REFUSED = {"": "a test failed"}


def _entries(
    there: dict[str, str] | None,
    existed: bool,
    entries: dict[str, tuple[str | None, str | None]],
) -> dict[str, str] | None:
    """The map after the changes; _REFUSED where a test of what was there fails."""
    relevant = {k: v for k, v in entries.items() if v[0] != v[1] or k == names.RECORD}
    if any((there or {}).get(k) != before for k, (before, _) in relevant.items()):
        return _REFUSED
    changes = {k: after for k, (before, after) in relevant.items() if before != after}
    if relevant and not existed and there is not None:
        return _REFUSED  # the whole map is tested to be missing [46]
    if changes and existed and there is None:
        return _REFUSED  # nothing can be added under a map that is missing
    return _with(there, changes)


def _replace_image(containers: list[Container], change: ImageChange) -> bool:
    if change.index >= len(containers):
        return False
    there = containers[change.index]
    if (there.name, there.image) != (change.container, change.old):
        return False
    containers[change.index] = with_fields(there, image=change.new)
    return True


def _with(there: dict[str, str] | None, entries: dict[str, str | None]) -> dict[str, str] | None:
    merged = dict(there or {})
    for name, value in entries.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged or there


def with_images(found: Deployment, image: str) -> Deployment:
    """Somebody writes this image into the node's container and its init container."""
    spec = found.spec.template.spec
    return with_fields(
        found,
        metadata=with_fields(found.metadata, generation=found.metadata.generation + 1),
        spec=with_fields(
            found.spec,
            template=with_fields(
                found.spec.template,
                spec=with_fields(
                    spec,
                    containers=[with_fields(c, image=image) for c in spec.containers or ()],
                    init_containers=[
                        with_fields(c, image=image) for c in spec.init_containers or ()
                    ],
                ),
            ),
        ),
    )


def with_annotations(found: Deployment, **entries: str | None) -> Deployment:
    """Somebody writes annotations; names without the prefix, `_` for `-`; None removes."""
    full = {names.PREFIX + name.replace("_", "-"): value for name, value in entries.items()}
    annotations = _with(found.metadata.annotations, full)
    return with_fields(
        found,
        metadata=with_fields(
            found.metadata, annotations=annotations, generation=found.metadata.generation + 1
        ),
    )


def with_env(found: Deployment, *env: EnvVar) -> Deployment:
    """Somebody adds or replaces variables of the node's container."""
    template = found.spec.template
    containers = []
    for container in template.spec.containers or ():
        new = {e.name for e in env}
        kept = [e for e in container.env or () if e.name not in new]
        containers.append(with_fields(container, env=[*kept, *env]))
    return with_fields(
        found,
        spec=with_fields(
            found.spec,
            template=with_fields(template, spec=with_fields(template.spec, containers=containers)),
        ),
    )
