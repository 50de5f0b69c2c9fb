"""The pods of a run: which one counts, what its init container said, which life its node is in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec.structs import replace

from controller.base.undecodable import UNDECODABLE
from controller.domain import names
from controller.domain.node_http import NodeAddress
from controller.domain.objects import ContainerStatus, Deployment, Pod, StateTerminated
from controller.domain.pods.containers import own_inits
from controller.domain.pods.obstacles import Obstacles, obstacles_of
from controller.domain.pods.same_build import shows_build
from controller.domain.pods.stamps import believed, never_started
from controller.domain.record.record import OpenRun
from controller.domain.reference import Reference, ReferenceFault


class InitWord(msgspec.Struct, frozen=True):
    """The termination message of the init container that prepares the data."""

    run: str = ""  # id of the run whose data it prepared
    data: str = ""  # `fresh`, `resumed` or `foreign`
    resumes: int = 0  # how often the data was resumed
    binary: str = ""  # sha256 of the node's binary
    said: datetime | None = None  # when it ended; None where that is not known


# How the kubelet begins the message of an init container that the runtime does not know any more
# [K pkg/kubelet/kubelet_pods.go].
_LOST = "Unable to get init container status from container runtime"


@dataclass(frozen=True)
class Life:
    """One process of the node: another pod, or a restart of its container, is another life."""

    pod: str  # uid
    restarts: int  # of the node's container, before this one
    started: datetime | None  # None where that is not known


@dataclass(frozen=True)
class RunPods:
    """What the pods say about a run."""

    # The one that carries the run's id and build and neither terminates nor is over; None where
    # there is none, or there are several
    pod: Pod | None = None
    status: ContainerStatus | None = None  # of its node's container; None where it has none yet
    several: bool = False  # more than one such pod
    word: InitWord | None = None  # of its init container; None where it has said nothing
    life: Life | None = None  # of its node; None where it does not run now
    ran: bool = False  # a process of the node was started in it
    started: datetime | None = None  # when the first of them was; None where that is not known
    obstacles: Obstacles = field(default_factory=Obstacles)  # what keeps the node from running
    gone: str = ""  # why the last pod that is over ended, such as an eviction; empty: none is
    foreign: str = ""  # why the data is not the run's alone any more; empty where it is

    @property
    def ends(self) -> tuple[str, int] | None:
        """Uid of the pod and how often its node has been restarted; None where it has no status."""
        if self.pod is None or self.status is None:
            return None
        return self.pod.metadata.uid, self.status.restart_count


@dataclass(frozen=True)
class PodsView:
    """What was seen once in these very pods of this very run; of others it says nothing."""

    pods: tuple[Pod, ...]
    run: OpenRun
    found: RunPods


def view_pods(pods: Sequence[Pod], run: OpenRun, container: str, refusal: str = "") -> RunPods:
    """Level, not edge: from what the pods are now. refusal: as `refused_pods` has it."""
    carriers = [pod for pod in pods if pod.metadata.annotation(names.RUN_ID) == run.id]
    foreign = next(filter(None, (_foreign(pod, run, container) for pod in carriers)), "")
    of_build = [pod for pod in carriers if shows_build(pod, container, run)]
    ours = [p for p in of_build if not p.terminating and not p.over]
    gone = _gone(of_build)
    if len(ours) != 1:
        obstacles = Obstacles() if ours else obstacles_of(None, pods, container, refusal=refusal)
        return RunPods(several=len(ours) > 1, foreign=foreign, gone=gone, obstacles=obstacles)
    pod = ours[0]
    status, word = pod.status_of(container), _word(pod) or _remembered(run, pod)
    life = _life(pod, status)
    other = word.run if word is not None and word.run != run.id else ""
    return RunPods(
        pod=pod,
        status=status,
        word=word,
        life=life,
        ran=_has_run(status),
        started=_started(pod, status),
        obstacles=obstacles_of(
            pod, pods, container, other_run=other, wordless=life is not None and word is None
        ),
        gone=gone,
        foreign=foreign,
    )


def address_of(deployment: Deployment, pods: RunPods, port: int) -> NodeAddress | None:
    """Where the run's node is asked; None while there is none, or it has no address."""
    if pods.pod is None or pods.life is None or not pods.pod.status.pod_ip:
        return None
    meta = pods.pod.metadata
    return NodeAddress(
        meta.namespace, meta.name, pods.pod.status.pod_ip, port, deployment.metadata.name
    )


def _image(pod: Pod, container: str) -> str:
    found = pod.spec.container(container)
    return found.image if found else ""


def _terminations(pod: Pod) -> list[StateTerminated]:
    found = []
    for status in own_inits(pod):
        found += [s.terminated for s in (status.state, status.last_state) if s.terminated]
    return found


def _word(pod: Pod) -> InitWord | None:
    """The last word that parses."""
    for termination in _terminations(pod):
        try:
            word = msgspec.json.decode(termination.message, type=InitWord)
        except UNDECODABLE:
            continue
        if word.run and word.data:
            said = believed(termination.finished_at, not_before=pod.metadata.creation_timestamp)
            return replace(word, said=said)
    return None


def _remembered(run: OpenRun, pod: Pod) -> InitWord | None:
    """What this very pod's init container said once, where the kubelet says that it has lost it:
    the runtime has thrown the container away.
    """
    seen = run.seen
    if not any(t.message.startswith(_LOST) for t in _terminations(pod)):
        return None
    if seen.pod != pod.metadata.uid or seen.data not in ("fresh", "resumed"):
        return None
    return InitWord(run=run.id, data=seen.data, resumes=seen.resumes)


def _gone(pods: Sequence[Pod]) -> str:
    """Why the newest pod ended that is over, or is made to end by the cluster."""
    for pod in sorted(pods, key=lambda p: p.metadata.name, reverse=True):
        disrupted = pod.condition("DisruptionTarget")
        if pod.over:
            return f"{pod.status.reason or pod.status.phase}: {pod.status.message}".strip(": ")
        if disrupted is not None and disrupted.status == "True":
            return f"{disrupted.reason}: {disrupted.message}".strip(": ")
    return ""


def _foreign(pod: Pod, run: OpenRun, container: str) -> str:
    """Why the run's data is not the run's alone any more, as far as this pod shows it.

    A pod of another build that only *refused* the data has touched nothing: that it says `foreign`
    is the protection at work, not damage. Nor has one of the bare tag that *resumed* it: its
    init container saw the very binary that the data was begun with.
    """
    if shows_build(pod, container, run):
        word = _word(pod)
        if word is not None and word.run == run.id and word.data == "foreign":
            return "the init container found data that another binary has begun"
        return ""
    if _has_run(pod.status_of(container)) and not _same_build(pod, container, run):
        return (
            f"a pod of another image ran on its data ({pod.metadata.name}:"
            f" {_image(pod, container) or 'no such container'})"
        )
    return ""


def _same_build(pod: Pod, container: str, run: OpenRun) -> bool:
    """Whether a pod that does not show the run's build is known to run it all the same."""
    word = _word(pod)
    if word is None or (word.run, word.data) != (run.id, "resumed"):
        return False
    try:
        return Reference.parse(_image(pod, container)).digest is None
    except ReferenceFault:
        return False


def _life(pod: Pod, status: ContainerStatus | None) -> Life | None:
    if status is None or status.state.running is None:
        return None
    started = believed(status.state.running.started_at, not_before=pod.metadata.creation_timestamp)
    return Life(pod.metadata.uid, status.restart_count, started)


def _has_run(status: ContainerStatus | None) -> bool:
    """Whether a process of the node was started, as far as its status still tells: a container that
    could not be started ends, too [scene noexec].
    """
    if status is None:
        return False
    ends = (s.terminated for s in (status.state, status.last_state))
    return status.state.running is not None or any(
        end.started_at is not None and not never_started(end) for end in ends if end
    )


def _started(pod: Pod, status: ContainerStatus | None) -> datetime | None:
    """When the node's container first started, as far as its status still tells."""
    if status is None:
        return None
    parts = [p for s in (status.state, status.last_state) for p in (s.running, s.terminated)]
    created = pod.metadata.creation_timestamp
    stamps = (believed(p.started_at, not_before=created) for p in parts if p)
    return min(filter(None, stamps), default=None)
