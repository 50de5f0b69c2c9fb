"""What a Deployment asks to have tested: everything a decision reads from its manifest, checked."""

import hashlib
from dataclasses import dataclass

import msgspec

from controller.base.durations import parse_duration
from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import Platform
from controller.domain.defaults import Rules
from controller.domain.manifest.data_directories import (
    CONTRACT,
    RUN_ID_PATH,
    check_data_directories,
    run_id_variable,
)
from controller.domain.manifest.flag_values import check_flag_values
from controller.domain.manifest.monitor import check_monitor
from controller.domain.manifest.network_and_mode import read_network_and_mode
from controller.domain.manifest.node_container import node_container
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container, Deployment, PodSpec
from controller.domain.reference import (
    Reference,
    ReferenceFault,
    check_tag,
    digest_of,
    parse_tag_or_digest,
)
from controller.domain.target import SERIES, Target

_TRUE, _FALSE = {"true"}, {"false", ""}


@dataclass(frozen=True)
class Pinned:
    """A container whose image is the pin: the node's, or an init container of its repository."""

    init: bool
    index: int  # among the pod's containers, or its init containers
    name: str
    reference: Reference  # of its image, as it is written now


@dataclass(frozen=True)
class RunRequest:
    """What a Deployment's manifest says, whole and without a fault."""

    target: Target
    node: Pinned  # the node's container
    pinned: tuple[Pinned, ...]  # it, and the init containers of its repository
    track: str  # the tag that is followed
    platform: Platform
    first: str | None  # tag or digest that a person asked to have tested next; None: nobody did
    timeout: float  # seconds that a run may take
    soak: float  # seconds of observed health that a pass takes
    keep_failed_data: float  # seconds that the next build waits after a failure
    suspended: bool


def node_container_name(deployment: Deployment) -> str:
    return deployment.metadata.written(names.CONTAINER) or names.DEFAULT_CONTAINER


def configuration_hash(deployment: Deployment) -> str:
    """16 hex digits over command, args and env of the node's container; empty without one."""
    container = deployment.spec.template.spec.container(node_container_name(deployment))
    if container is None:
        return ""
    what = (container.command or [], container.args or [], container.env or [])
    raw = msgspec.json.encode((*what, container.env_from or []), order="sorted")
    return hashlib.sha256(raw).hexdigest()[:16]


def read_request(deployment: Deployment, rules: Rules, pinned: str = "") -> RunRequest:
    """pinned: the image that an open run has pinned, which still says what is followed where a
    webhook has left only its digest. Raises TargetFault: the first fault found, in the order in
    which a person would mend them.
    """
    pod = deployment.spec.template.spec
    name = node_container_name(deployment)
    container = node_container(pod, name)
    check_monitor(pod, container)
    _check_shape(deployment)
    network, mode = read_network_and_mode(container)
    _check_command(container)
    reference = _reference(container)
    _check_run_id(pod, container, reference)
    check_data_directories(container)
    return RunRequest(
        target=Target(network, mode, _series(deployment)),
        node=next(p for p in _pinned(pod, reference) if not p.init and p.name == name),
        pinned=tuple(p for p in _pinned(pod, reference) if p.init or p.name == name),
        track=_track(deployment, reference, pinned),
        platform=Platform(arch=(pod.node_selector or {}).get("kubernetes.io/arch", "amd64")),
        first=_first(deployment),
        timeout=_duration(deployment, names.TIMEOUT, rules.timeout(network, mode)),
        soak=_duration(deployment, names.SOAK, rules.soak),
        keep_failed_data=_duration(deployment, names.KEEP_FAILED_DATA, rules.keep_failed_data),
        suspended=_switch(deployment, names.SUSPEND),
    )


def _check_shape(deployment: Deployment) -> None:
    spec = deployment.spec
    if spec.strategy.type != "Recreate":
        raise TargetFault(
            "NotRecreate",
            f"strategy {shown(spec.strategy.type or 'RollingUpdate', 40)} would start two nodes on"
            " one volume: write strategy: {type: Recreate}",
        )
    if spec.paused:
        raise TargetFault("Paused", "spec.paused keeps a pin from being rolled out: remove it")
    if spec.replicas > 1:
        raise TargetFault(
            "TooManyReplicas", f"{spec.replicas} replicas share one volume: write replicas: 1"
        )
    if spec.replicas < 1:
        raise TargetFault("NoReplica", "there are 0 replicas, so nothing runs: write replicas: 1")
    if spec.template.metadata.label(names.TEST) != "true":
        raise TargetFault(
            "PodNotLabelled",
            f'the pod template lacks the label {names.TEST}: "true", by which pods are watched:'
            f" add it; {CONTRACT}",
        )


def _reference(container: Container) -> Reference:
    try:
        return Reference.parse(container.image)
    except ReferenceFault as fault:
        raise TargetFault("BadReference", str(fault)) from fault


def _check_run_id(pod: PodSpec, node: Container, reference: Reference) -> None:
    takers = [c for c in pod.init_containers or () if run_id_variable(c)]
    if not takers:
        raise TargetFault(
            "RunIdNotTaken",
            f"no init container takes the run id from {RUN_ID_PATH} by the downward API, so data"
            f" of another run could be tested; {CONTRACT}",
        )
    for taker in takers:
        try:
            same = Reference.parse(taker.image).repository == reference.repository
        except ReferenceFault:
            same = False
        if not same:
            raise TargetFault(
                "OtherInitImage",
                f"init container '{shown(taker.name, 63)}' has another image than the node: it"
                f" must look at the same binary, so write image: {shown(node.image)}",
            )


def _check_command(node: Container) -> None:
    flags = NodeFlags.of(node)
    unreadable = flags.command_line.why_unreadable()
    if unreadable:
        raise TargetFault("HiddenConfiguration", unreadable)
    check_flag_values(flags)


def _pinned(pod: PodSpec, reference: Reference) -> list[Pinned]:
    found = []
    for init, containers in ((False, pod.containers), (True, pod.init_containers)):
        for index, container in enumerate(containers or ()):
            try:
                other = Reference.parse(container.image)
            except ReferenceFault:
                continue
            if other.repository == reference.repository:
                found.append(Pinned(init, index, container.name, other))
    return found


def _track(deployment: Deployment, reference: Reference, pinned: str) -> str:
    written = deployment.metadata.written(names.TRACK)
    if written is not None:
        try:
            return check_tag(written)
        except ReferenceFault as fault:
            raise TargetFault("BadTag", f"annotation {names.TRACK}: {fault}") from fault
    if reference.tag is not None:
        return reference.tag
    if reference.digest is not None:
        if digest_of(pinned) == reference.digest and (tag := Reference.parse(pinned).tag):
            return tag
        raise TargetFault(
            "NoTag",
            f"image {shown(reference.name)} names a digest and no tag to follow: write the tag"
            f" before '@', or in the annotation {names.TRACK}",
        )
    return "latest"


def _first(deployment: Deployment) -> str | None:
    written = deployment.metadata.written(names.TEST_BUILD)
    if not written:
        return None
    try:
        parse_tag_or_digest(written)
    except ReferenceFault as fault:
        raise TargetFault("BadTestBuild", f"annotation {names.TEST_BUILD}: {fault}") from fault
    return written


def _series(deployment: Deployment) -> str:
    series = deployment.metadata.written(names.SERIES) or ""
    if series and not SERIES.fullmatch(series):
        raise TargetFault(
            "BadSeries",
            f"annotation {names.SERIES} '{shown(series, 40)}' is not a series: write at most 32"
            " lower-case letters, digits and '-'",
        )
    return series


def _duration(deployment: Deployment, annotation: str, default: float) -> float:
    written = deployment.metadata.written(annotation)
    if written is None:
        return default
    try:
        return parse_duration(written)
    except ValueError as error:
        raise TargetFault(
            "BadDuration",
            f"annotation {annotation} '{shown(written, 40)}' is not a duration: write such as 30s,"
            " 5m, 12h or 7d",
        ) from error


def _switch(deployment: Deployment, annotation: str) -> bool:
    written = (deployment.metadata.written(annotation) or "").lower()
    if written in _TRUE | _FALSE:
        return written in _TRUE
    raise TargetFault(
        "BadSwitch",
        f'annotation {annotation} \'{shown(written, 40)}\' must be "true" or "false"',
    )
