"""Reads the last words of a node that has ended, once for each end: they tell ends apart."""

from controller.domain.health.look import LastWords
from controller.domain.pods.run_pods import RunPods
from controller.engine.ports import Witness

LINES = 80  # a Go panic prints its cause first, and a stack of some dozens of lines after it


class LastWordsReader:
    """For one run."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._read: tuple[str, int] | None = None

    async def read(self, pods: RunPods) -> LastWords | None:
        """The words of the last end, if they have not been read yet. Nothing where the pod's status
        has them already, or the right to read logs is not granted.
        """
        pod, status, which = pods.pod, pods.status, pods.ends
        if pod is None or status is None or which is None or not status.restart_count:
            return None
        ended = status.last_state.terminated
        if which == self._read or ended is None or ended.message:
            return None
        found = await self._witness.log(pod, status.name, previous=True, lines=LINES)
        self._read = which
        return LastWords(*which, found.text) if found.text else None
