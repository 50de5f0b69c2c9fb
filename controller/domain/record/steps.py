"""The transitions that a record can tell of: its steps, and beyond these the ends of its runs."""

from collections.abc import Sequence

from controller.domain.record.record import Outcome, Record, Step
from controller.domain.run import OVER, Phase

# As of `notice.Level`; of all others `info`
LEVELS = {
    Phase.PASSED: "success",
    Phase.FAILED: "error",
    Phase.ABORTED: "warning",
    Phase.BLOCKED: "warning",
}


def steps_after(record: Record, seq: int) -> list[Step]:
    """Those with a greater number, oldest first. A record keeps its last few steps, and its runs'
    outcomes for longer: an end that is among the steps no more is told by its outcome.
    """
    steps = {outcome.seq: _end(outcome) for outcome in record.outcomes if outcome.seq}
    steps |= {step.seq: step for step in record.steps}
    return [steps[number] for number in sorted(steps) if number > seq]


def up_to_last_end(steps: Sequence[Step]) -> Sequence[Step]:
    """Those until the last one, included, that ends a run; none where none does."""
    ends = [at for at, step in enumerate(steps, 1) if ends_a_run(step)]
    return steps[: ends[-1]] if ends else ()


def ends_a_run(step: Step) -> bool:
    return bool(step.run) and step.phase in OVER


def _end(outcome: Outcome) -> Step:
    """The step that told how the run ended."""
    return Step(
        seq=outcome.seq,
        before=outcome.before,
        phase=outcome.phase,
        reason=outcome.reason,
        at=outcome.at,
        message=outcome.message,
        run=outcome.run,
        build=outcome.build,
        level=LEVELS.get(outcome.phase, "info"),
    )
