"""Deployments, Pods and Services as decoded from the API server: only what a decision reads.

They live in `domain` and not in `kube` because the machine decides on them and `domain` imports no
adapter. Unknown fields are skipped at decoding; null lists and maps read as empty ones.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import force_setattr

from controller.domain.metadata import SHARED, CommonMetadata, Metadata, Struct


class EnvVar(Struct, frozen=True):
    name: str = ""
    value: str = ""
    value_from: dict[str, Any] | None = None


class Probe(Struct, frozen=True):
    """A probe of which only matters whether there is one."""


class ContainerPort(Struct, frozen=True):
    name: str = ""
    container_port: int = 0


class ResizePolicy(Struct, frozen=True):
    """What becomes of a container whose resources are changed in its place."""

    resource_name: str = ""
    restart_policy: str = ""  # `NotRequired` or `RestartContainer`


class Container(Struct, frozen=True):
    name: str = ""
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    env_from: list[dict[str, Any]] | None = None
    ports: list[ContainerPort] | None = None
    resources: dict[str, Any] | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str = ""  # `Always`: a native sidecar, where it is an init container
    resize_policy: list[ResizePolicy] | None = None
    readiness_probe: dict[str, Any] | None = None


class Volume(Struct, frozen=True):
    """A volume of the pod."""

    name: str = ""
    persistent_volume_claim: dict[str, Any] | None = None


class NamedObject(Struct, frozen=True):
    name: str = ""


_containers = lru_cache(SHARED)(msgspec.json.Decoder(list[Container] | None).decode)
_words = lru_cache(SHARED)(msgspec.json.Decoder(dict[str, str] | None).decode)

if TYPE_CHECKING:
    Containers = list[Container] | None
    Words = dict[str, str] | None
else:  # how they come; `PodSpec.__post_init__` decodes them
    Containers = Words = msgspec.Raw


class PodSpec(Struct, frozen=True):
    """Its parts that are equal in many are the same objects: nobody may change them."""

    containers: Containers = None
    init_containers: Containers = None
    node_selector: Words = None
    node_name: str = ""
    volumes: list[Volume] | None = None
    image_pull_secrets: list[NamedObject] | None = None
    enable_service_links: bool | None = None  # not said: true

    def __post_init__(self) -> None:
        # An object: 4.7 KB with this and `Managed`, 9.1 KB without both (--only memory).
        for name, shared in _PARTS:
            found = getattr(self, name)
            if type(found) is msgspec.Raw:
                force_setattr(self, name, shared(bytes(found)))

    def container(self, name: str) -> Container | None:
        return next((c for c in self.containers or () if c.name == name), None)


_PARTS: tuple[tuple[str, Callable[[bytes], Any]], ...] = (
    ("containers", _containers),
    ("init_containers", _containers),
    ("node_selector", _words),
)


class Template(Struct, frozen=True):
    metadata: CommonMetadata = CommonMetadata()
    spec: PodSpec = PodSpec()


class Strategy(Struct, frozen=True):
    type: str = ""


class LabelSelector(Struct, frozen=True):
    match_labels: dict[str, str] | None = None


class DeploymentSpec(Struct, frozen=True):
    replicas: int = 1
    selector: LabelSelector = LabelSelector()
    paused: bool = False
    strategy: Strategy = Strategy()
    template: Template = Template()


class DeploymentCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class DeploymentStatus(Struct, frozen=True):
    conditions: list[DeploymentCondition] | None = None


class Deployment(Struct, frozen=True):
    metadata: Metadata = Metadata()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def leaving(self) -> bool:
        """It is being deleted, and stays until its finalizers let it go."""
        return self.metadata.deletion_timestamp is not None


class StateWaiting(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class StateRunning(Struct, frozen=True):
    started_at: datetime | None = None


class StateTerminated(Struct, frozen=True):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(Struct, frozen=True):
    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(Struct, frozen=True):
    name: str = ""
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class PodStatus(Struct, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: list[PodCondition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(Struct, frozen=True):
    metadata: CommonMetadata = CommonMetadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def terminating(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def over(self) -> bool:
        """It runs nothing any more, and its object stays: an eviction leaves such a pod."""
        return self.status.phase in ("Failed", "Succeeded")

    def status_of(self, container: str) -> ContainerStatus | None:
        return next((s for s in self.status.container_statuses or () if s.name == container), None)

    def condition(self, type_: str) -> PodCondition | None:
        return next((c for c in self.status.conditions or () if c.type == type_), None)


class ServicePort(Struct, frozen=True):
    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    target_port: int | str | None = None


class ServiceSpec(Struct, frozen=True):
    cluster_ip: str = msgspec.field(default="", name="clusterIP")  # `None`: it has no address
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None


class Service(Struct, frozen=True):
    metadata: CommonMetadata = CommonMetadata()
    spec: ServiceSpec = ServiceSpec()
