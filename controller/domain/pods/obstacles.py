"""What keeps a run's node from running, as its pods' states tell it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.manifest.http_host import why_out_of_reach
from controller.domain.objects import (
    Container,
    ContainerStatus,
    Deployment,
    Pod,
    StateTerminated,
    StateWaiting,
)
from controller.domain.pods.containers import own_inits
from controller.domain.pods.others import blocking, retried_since, trouble_of_others
from controller.domain.pods.stamps import LOST, never_started

_PULL_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_NOT_CREATED = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PostStartHookError",
}
# What says that the manifest or the image is wrong: a program that is not there, that nobody may
# run, or of another architecture; a user or a directory that the image does not have. All else is
# the machine's doing, such as a runtime that is too slow on a starved disk ("failed to reserve
# container name"), or a mount of its own that is gone.
_BY_MANIFEST = re.compile(
    r"exec: |exec format error|unable to find (?:user|group)"
    r"|no matching entries in (?:passwd|group)|chdir to cwd|no command specified"
)
# What is only late, or a connection of the machine's.
_LATE = re.compile(r"timed out|timeout|deadline exceeded|connection refused")
# What each layer below the kubelet puts before the sentence that tells [scene noexec].
_WRAPPING = re.compile(
    r"^(?:failed to create (?:containerd |shim )?task: |OCI runtime create failed: |runc create"
    r" failed: |unable to start container process: |error during container init: ){1,8}"
)
_REFUSAL = 400  # characters of why a pod was refused
_LONGEST = 4000  # characters of a sentence that are looked at
# Exit codes of the init container (k8s/targets/base/prepare-data.sh).
_FAULT_OF_MANIFEST = 2
_FOREIGN = 3
_TOLD_TO_STOP = (130, 143)  # 128 and the number of a signal from outside


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
    others: str = ""  # what containers of others do, which keeps the node from nothing
    # Since when one of these runs again that had failed; None where none does
    others_again: datetime | None = None


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
    refusal: str = "",
) -> Obstacles:
    """pod: the run's, None where there is none. pods: all of the Deployment's. other_run: whose
    data its init container prepared; empty if it is the run's own. wordless: it has said nothing,
    and the node runs. refusal: as `refused_pods` has it.
    """
    if pod is None:
        ending = next((p.metadata.name for p in pods if p.terminating), "")
        none = f"the run has no pod: {refusal}" if refusal else "the run has no pod"
        return Obstacles(unplaced=f"pod {ending} has not ended yet" if ending else none)
    node = pod.status_of(container)
    ours = [*own_inits(pod), *([node] if node else ())]
    waiting = [s.state.waiting for s in ours if s.state.waiting is not None]
    pulling = next((w for w in waiting if w.reason in _PULL_TROUBLE), None)
    held_up = next(filter(None, map(_not_started, ours)), None)
    by_manifest = held_up is not None and _is_by_manifest(held_up)
    not_created = held_up if by_manifest else None
    manifest, volume = _complaints(pod)
    unplaced = _said(held_up) or _unplaced(pod, node)
    known = pulling or not_created or manifest or volume
    others = trouble_of_others(pod, container)
    return Obstacles(
        pulling=_said(pulling),
        unplaced="" if known else unplaced,
        not_created=_said(not_created),
        manifest=manifest,
        volume=volume,
        other_data=f"the init container prepared the data of run {other_run}" if other_run else "",
        wordless=_WORDLESS if wordless else "",
        again=not (manifest or volume) and _tries_again(pod),
        loopback=_loopback(pod.spec.container(container)),
        others="" if unplaced and unplaced in others and not known else others,
        others_again=retried_since(pod, container),
    )


def refused_pods(deployment: Deployment) -> str:
    """Why no pod of it can be made, such as a quota that is used up, in the API server's words; as
    its condition has it. Empty where none is refused.
    """
    found = (c for c in deployment.status.conditions or () if c.type == "ReplicaFailure")
    failure = next((c for c in found if c.status == "True"), None)
    return shown(failure.message or failure.reason, _REFUSAL) if failure else ""


def _not_started(status: ContainerStatus) -> StateWaiting | None:
    """What the kubelet says of a container that it cannot create or start. While it waits to try
    again it says so only of the attempt before [scene noexec].
    """
    waiting = status.state.waiting
    if waiting is not None and waiting.reason in _NOT_CREATED:
        return waiting
    end = status.state.terminated or (status.last_state.terminated if waiting else None)
    if end is None or not never_started(end):
        return None
    return StateWaiting(reason=end.reason, message=end.message)


def _is_by_manifest(waiting: StateWaiting) -> bool:
    message = waiting.message[:_LONGEST]
    if _LATE.search(message):
        return False
    if waiting.reason == "CreateContainerConfigError":
        return True
    return _BY_MANIFEST.search(message) is not None


def _unplaced(pod: Pod, node: ContainerStatus | None) -> str:
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return scheduled.message or scheduled.reason or "no machine takes the pod"
    if node is not None and node.state.running is not None:
        return ""
    if node is not None and (node.restart_count or node.state != _NOTHING):
        begun = node.state.terminated or node.last_state.terminated
        waiting = node.state.waiting
        if waiting is not None and waiting.reason == "CrashLoopBackOff":
            return ""
        # One that ran before may wait for its pod to be set up again, as after a reboot.
        if begun and waiting is None:
            return blocking(pod)
    kept = blocking(pod)
    if kept:
        return kept
    if not pod.spec.node_name and scheduled is None:
        return ""  # this moment
    for init in own_inits(pod):
        if init.state.running is not None:
            return f"the init container {init.name} has not ended"
    return "its containers have not begun (volumes, network or image are being set up)"


_NOTHING = ContainerStatus().state


def _complaints(pod: Pod) -> tuple[str, str]:
    """(of the manifest, of the volume): what the init container failed with."""
    for status in own_inits(pod):
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
        for status in own_inits(pod)
    )


def _failed(ended: StateTerminated | None) -> bool:
    """What is foreign is no failure: see `run_pods`. What never ran has complained of nothing, nor
    has what was lost with its machine, or was told to stop before it was done.
    """
    if ended is None or never_started(ended) or ended.reason in LOST:
        return False
    return ended.exit_code not in (0, _FOREIGN, *_TOLD_TO_STOP)


def _complaint(ended: StateTerminated) -> str:
    try:
        found = msgspec.json.decode(ended.message, type=_Complaint).error
    except UNDECODABLE:
        found = ""
    lines = ended.message.strip().splitlines()
    return found or (lines[-1] if lines else ended.reason)


def _said(waiting: StateWaiting | None) -> str:
    return (_WRAPPING.sub("", waiting.message[:_LONGEST]) or waiting.reason) if waiting else ""


def _loopback(container: Container | None) -> str:
    return why_out_of_reach(container) if container else ""
