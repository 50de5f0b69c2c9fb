"""Passed runs that a Deployment's own record tells of, where the store remembers them no more."""

from controller.domain.pace.comparison import PastRun
from controller.domain.record.record import Record
from controller.domain.run import Phase


def own_passes(record: Record, target: str) -> list[PastRun]:
    """Of this target, oldest first; their stages are not known."""
    return [
        PastRun(
            run=outcome.run,
            build=outcome.build,
            commit=outcome.commit,
            version=outcome.version,
            at=outcome.at,
            seconds=outcome.took,
            node_type=outcome.machine,
            resumes=outcome.resumes,
            unobserved=max(0.0, outcome.lasted - outcome.took),
        )
        for outcome in record.outcomes
        if outcome.phase is Phase.PASSED and outcome.target == target
    ]
