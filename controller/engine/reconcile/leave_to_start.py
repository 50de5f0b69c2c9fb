"""Whether a run may be started now, and which reconciles must not do so at the same time."""

from controller.base.errors import TargetFault
from controller.domain.decide.observation import Leave, Observation
from controller.domain.manifest.request import RunRequest
from controller.domain.objects import Deployment
from controller.domain.record.record import Record
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.observe import Senses

# Seconds until a start is tried again that waits for another Deployment's pin or run. Siblings are
# nudged when a run ends; this is for all others, and each look asks the store.
BUSY_ELSEWHERE = 15.0


class LeaveToStart:
    """The store's leave, unless a pin is in doubt or as many runs are open as there may be."""

    def __init__(self, senses: Senses, executor: Executor, max_open_runs: int | None) -> None:
        """max_open_runs: None for no limit."""
        self._senses = senses
        self._executor = executor
        self._max_open_runs = max_open_runs

    def leave(self, key: str, target: str) -> Leave:
        leave = self._senses.ledger.leave()
        if not leave.given:
            return leave
        if self._executor.in_doubt(key, target):
            return Leave(False, "the pin of another Deployment may still be on its way")
        limit = self._max_open_runs
        if limit is not None and self._open_runs() >= limit:
            return Leave(
                False, f"{limit} runs are open, and --max-open-runs allows no more", lasting=True
            )
        return leave

    def again_in(self, o: Observation) -> float | None:
        """Seconds until leave that was not given may be; None where it was, or nobody can tell."""
        if o.leave.given or not isinstance(o.request, RunRequest):
            return None
        turns = self._senses.ledger.turns_in()
        if turns is not None:
            return max(1.0, turns)
        return None if self._senses.ledger.trouble else BUSY_ELSEWHERE

    def lock_names(self, deployment: Deployment) -> list[str]:
        """By target, which is the last; and one for all that may start where the number of open
        runs is limited. In this order always, so that no two wait for each other.
        """
        reading = self._senses.known.reading(deployment)
        run = reading.record.run if isinstance(reading.record, Record) else None
        if run is None and isinstance(reading.request, TargetFault):
            return [deployment.metadata.key]
        target = reading.targets[0]
        return [target] if run or self._max_open_runs is None else ["", target]

    def _open_runs(self) -> int:
        cluster, memory = self._senses.cluster, self._senses.memory
        return sum(cluster.deployment(key) is not None for key in memory.open_runs())
