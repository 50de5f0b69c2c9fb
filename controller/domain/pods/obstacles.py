"""What keeps a run's node from running, as its pods' states tell it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from controller.base.undecodable import UNDECODABLE
from controller.domain.manifest.http_host import why_out_of_reach
from controller.domain.objects import Container, ContainerStatus, Pod, StateTerminated, StateWaiting

_PULL_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_NOT_CREATED = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PostStartHookError",
}
# Of these, what says that the manifest or the image is wrong; all else is the machine's doing, such
# as a runtime that is too slow on a starved disk ("failed to reserve container name").
_BY_MANIFEST = re.compile(r"exec: |no such file or directory|exec format error|permission denied")
# Exit codes of the init container (k8s/targets/base/prepare-data.sh).
_FAULT_OF_MANIFEST = 2
_FOREIGN = 3


@dataclass(frozen=True)
class Obstacles:
    """A sentence each, empty where there is none."""

    pulling: str = ""  # the image does not come
    unplaced: str = ""  # no pod, or no machine takes it, or its containers do not begin
    not_created: str = ""  # the container cannot be made from its manifest
    manifest: str = ""  # the init container complains of its manifest
    volume: str = ""  # the init container complains of its volume
    again: bool = False  # it runs again after a complaint, which may or may not be over
    other_data: str = ""  # it prepared the data of another run
    wordless: str = ""  # the node runs, and the init container has said nothing
    loopback: str = ""  # nobody outside the pod can reach the node


class _Complaint(msgspec.Struct):
    """The init container's termination message where it failed."""

    error: str = ""  # a sentence; empty where it says none


_WORDLESS = (
    "the node runs, and no init container has said which data it prepared: write the termination"
    " message that k8s/targets/base/prepare-data.sh writes"
)


def obstacles_of(
    pod: Pod | None,
    pods: Sequence[Pod],
    container: str,
    *,
    other_run: str = "",
    wordless: bool = False,
) -> Obstacles:
    """pod: the run's, None where there is none. pods: all of the Deployment's. other_run: whose
    data its init container prepared; empty if it is the run's own. wordless: it has said nothing,
    and the node runs.
    """
    if pod is None:
        ending = next((p.metadata.name for p in pods if p.terminating), "")
        return Obstacles(
            unplaced=f"pod {ending} has not ended yet" if ending else "the run has no pod"
        )
    waiting = list(_waiting(pod))
    pulling = next((w for w in waiting if w.reason in _PULL_TROUBLE), None)
    held_up = next((w for w in waiting if w.reason in _NOT_CREATED), None)
    by_manifest = held_up is not None and _is_by_manifest(held_up)
    not_created = held_up if by_manifest else None
    manifest, volume = _complaints(pod)
    return Obstacles(
        pulling=_said(pulling),
        unplaced=""
        if pulling or not_created or manifest or volume
        else _said(held_up) or _unplaced(pod, container),
        not_created=_said(not_created),
        manifest=manifest,
        volume=volume,
        other_data=f"the init container prepared the data of run {other_run}" if other_run else "",
        wordless=_WORDLESS if wordless else "",
        again=not (manifest or volume) and _tries_again(pod),
        loopback=_loopback(pod.spec.container(container)),
    )


def _is_by_manifest(waiting: StateWaiting) -> bool:
    if waiting.reason == "CreateContainerConfigError":
        return True
    return _BY_MANIFEST.search(waiting.message) is not None


def _unplaced(pod: Pod, container: str) -> str:
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return scheduled.message or scheduled.reason or "no machine takes the pod"
    status = pod.status_of(container)
    if status is not None and (status.restart_count or status.state != _NOTHING):
        begun = status.state.running or status.state.terminated or status.last_state.terminated
        waiting = status.state.waiting
        # One that ran before may wait for its pod to be set up again, as after a reboot.
        if begun and (waiting is None or waiting.reason == "CrashLoopBackOff"):
            return ""
    if not pod.spec.node_name and scheduled is None:
        return ""  # this moment
    for init in pod.status.init_container_statuses or ():
        if init.state.running is not None:
            return f"the init container {init.name} has not ended"
    return "its containers have not begun (volumes, network or image are being set up)"


_NOTHING = ContainerStatus().state


def _complaints(pod: Pod) -> tuple[str, str]:
    """(of the manifest, of the volume): what the init container failed with."""
    for status in pod.status.init_container_statuses or ():
        ended = status.state.terminated or (
            status.last_state.terminated if status.state.waiting else None
        )
        if not _failed(ended):
            continue
        assert ended is not None
        sentence = f"{status.name} ended with {ended.exit_code}: {_complaint(ended)}"
        by_manifest = ended.exit_code == _FAULT_OF_MANIFEST or "exec format error" in ended.message
        return (sentence, "") if by_manifest else ("", sentence)
    return "", ""


def _tries_again(pod: Pod) -> bool:
    return any(
        status.state.running is not None and _failed(status.last_state.terminated)
        for status in pod.status.init_container_statuses or ()
    )


def _failed(ended: StateTerminated | None) -> bool:
    """What is foreign is no failure: see `run_pods`."""
    return ended is not None and ended.exit_code not in (0, _FOREIGN)


def _complaint(ended: StateTerminated) -> str:
    try:
        found = msgspec.json.decode(ended.message, type=_Complaint).error
    except UNDECODABLE:
        found = ""
    lines = ended.message.strip().splitlines()
    return found or (lines[-1] if lines else ended.reason)


def _waiting(pod: Pod) -> Iterator[StateWaiting]:
    for statuses in (pod.status.init_container_statuses, pod.status.container_statuses):
        for status in statuses or ():
            if status.state.waiting is not None:
                yield status.state.waiting


def _said(waiting: StateWaiting | None) -> str:
    return (waiting.message or waiting.reason) if waiting else ""


def _loopback(container: Container | None) -> str:
    return why_out_of_reach(container) if container else ""
