"""What containers of others do in a run's pod: told under their names, and never the build's."""

from collections.abc import Iterator
from datetime import datetime

from controller.domain.objects import ContainerStatus, Pod, StateTerminated
from controller.domain.pods.containers import other_containers, other_inits
from controller.domain.pods.stamps import LOST, believed

# What a kubelet says of a container whose turn has not come.
_IN_TURN = frozenset({"", "PodInitializing", "ContainerCreating"})


def blocking(pod: Pod) -> str:
    """Which init container of others keeps the node from its turn; empty where none does."""
    for status, stays in other_inits(pod):
        trouble = _trouble(status)
        if trouble:
            return trouble
        if status.state.running is not None and not stays:
            return f"the init container {status.name} has not ended"
    return ""


def trouble_of_others(pod: Pod, node: str) -> str:
    """What does not run as it should; empty where all do."""
    return "; ".join(filter(None, map(_trouble, other_containers(pod, node))))


def retried_since(pod: Pod, node: str) -> datetime | None:
    """Since when one of them runs that has failed before, the last of them; None where none is."""
    return max(_retries(pod, node), default=None)


def _retries(pod: Pod, node: str) -> Iterator[datetime]:
    for status in other_containers(pod, node):
        running = status.state.running
        if running is not None and _failed(status.last_state.terminated):
            since = believed(running.started_at)
            if since is not None:
                yield since


def _trouble(status: ContainerStatus) -> str:
    """In a sentence that names it."""
    waiting, end = status.state.waiting, status.state.terminated
    who = f"container {status.name}, which is not the run's own"
    if waiting is not None:
        if waiting.reason in _IN_TURN:
            return ""
        last = status.last_state.terminated
        told = [waiting.reason, _end(last) if _failed(last) else waiting.message]
        return f"{who}: {': '.join(filter(None, told))}"
    return f"{who}: {_end(end)}" if _failed(end) else ""


def _end(end: StateTerminated | None) -> str:
    assert end is not None
    line = next(iter(end.message.strip().splitlines()[-1:]), "")
    return f"it ended with {end.exit_code}" + (f": {line}" if line else "")


def _failed(end: StateTerminated | None) -> bool:
    return end is not None and end.exit_code != 0 and end.reason not in LOST
