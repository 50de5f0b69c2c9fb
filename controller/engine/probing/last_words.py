"""Reads the last words of a node that has ended, once for each end: they tell ends apart."""

from dataclasses import replace

from controller.domain.evidence import MISSING_RIGHT
from controller.domain.health.look import LastWords
from controller.domain.node_log.causes import EndKind
from controller.domain.objects import Pod, StateTerminated
from controller.domain.pods.process_end import LogEnd, ProcessEnd, process_end_of
from controller.domain.pods.run_pods import RunPods
from controller.domain.pods.stamps import never_started
from controller.domain.pods.stopped import ordered
from controller.engine.ports import Witness

# The telling line stands thirty to eighty lines before the end of a node that goes down in order,
# a panic's before a stack of as many [scenes bad-block, disk-low, panic].
LINES = 500
# Where it does not stand there: Go prints the stacks of all goroutines when it has no memory, and a
# chain that hangs is waited for, for a minute.
MORE_LINES = 4000

_UNTOLD = (EndKind.LOST, EndKind.OTHER)
# Looks at which a log is asked for that could not be had for another reason than a missing right.
TRIES = 3
# Ends of which a kubelet's Events may know more: a grace period that is over ends with SIGKILL.
_MAYBE_ORDERED = (EndKind.ZERO, EndKind.STOPPED, EndKind.OTHER, EndKind.LOST)


class LastWordsReader:
    """For one run."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._read: tuple[str, int] | None = None
        self._tries = 0
        self.waits = False  # the last end's log is asked for again at the next look

    async def read(self, pods: RunPods) -> LastWords | None:
        """The words of the last end, if they have not been read yet. Nothing where the right to
        read logs is not granted: the pod's status has the last 2048 bytes of them, if anything.
        """
        self.waits = False
        pod, status, which = pods.pod, pods.status, pods.ends
        if pod is None or status is None or which is None or not status.restart_count:
            return None
        ended = status.last_state.terminated
        if which == self._read or ended is None or never_started(ended):
            return None
        end, unread = None, ""
        for lines in (LINES, MORE_LINES):
            found = await self._witness.log(pod, status.name, previous=True, lines=lines)
            unread = found.unread
            if found.text:
                log = LogEnd(found.text, found.cut)
                end = process_end_of(ended, log, pod.spec.container(status.name))
            if not found.cut or (end is not None and end.kind not in _UNTOLD):
                break
        self._tries = self._tries + 1 if end is None and _may_be_had_later(unread) else TRIES
        self.waits = self._tries < TRIES
        if self.waits:
            return None
        self._read, self._tries = which, 0
        end = await self._if_ordered(pod, ended, end or process_end_of(ended), status.name) or end
        return LastWords(*which, end) if end is not None else None

    async def _if_ordered(
        self, pod: Pod, ended: StateTerminated, end: ProcessEnd, container: str
    ) -> ProcessEnd | None:
        """The end as the kubelet's Events tell it, where it stopped the node itself; else None."""
        if end.kind not in _MAYBE_ORDERED:
            return None
        events, _ = await self._witness.events(pod)
        why = ordered(events, container, ended)
        return replace(end, kind=EndKind.STOPPED, sentence=why, place="") if why else None


def _may_be_had_later(unread: str) -> bool:
    return bool(unread) and not unread.startswith(MISSING_RIGHT)
