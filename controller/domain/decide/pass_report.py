"""What is reported of a pass: what was checked, and how long it took beside earlier runs."""

from msgspec.structs import replace

from controller.base.text import cut_bytes
from controller.domain.decide.messages import open_run as say
from controller.domain.decide.next_record import with_step
from controller.domain.decide.observation import Observation
from controller.domain.decide.own_passes import own_passes
from controller.domain.health.soak import Soak
from controller.domain.pace.comparison import PastRun, compare
from controller.domain.record.parts import Checked
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason


def checked_of(soak: Soak) -> Checked:
    chains = sorted(soak.first.keys() & soak.last.keys())
    return Checked(
        looks=soak.looks,
        seconds=round(soak.seconds, 1),
        held={str(demand): times for demand, times in soak.held.items()},
        heights={c: (soak.first[c].height, soak.last[c].height) for c in chains},
        oldest=round(soak.oldest, 1) if soak.oldest is not None else None,
        peers=soak.fewest_peers,
    )


def with_comparison(o: Observation, record: Record, run: OpenRun, checked: Checked) -> Record:
    """The record of a passed run with what it rests on, and how it compares; a run slower than its
    like is told of by itself.
    """
    outcome = record.outcomes[-1]
    message, comparison = outcome.message, None
    if o.earlier is not None:
        known = {past.run for past in o.earlier}
        own = [past for past in own_passes(record, run.target) if past.run not in known]
        comparison = compare(_as_past(o, run), [*o.earlier, *own])
        message = f"{message}; {comparison.sentence}"
    slower = comparison is not None and comparison.slower
    message = cut_bytes(message, o.rules.message_bytes)
    outcome = replace(outcome, message=message, slower=slower, checked=checked)
    record = replace(
        record,
        outcomes=(*record.outcomes[:-1], outcome),
        message=cut_bytes(say.is_over(run.id, Phase.PASSED, message), o.rules.message_bytes),
        steps=(*record.steps[:-1], replace(record.steps[-1], message=message)),
    )
    if comparison is not None and comparison.slower:
        record = with_step(
            record,
            o,
            Phase.PASSED,
            Phase.PASSED,
            reason=Reason.SLOWER,
            message=say.passed_slowly(run.id, comparison.sentence),
            level="warning",
        )
    return record


def _as_past(o: Observation, run: OpenRun) -> PastRun:
    assert o.attention is not None
    return PastRun(
        run=run.id,
        build=run.build,
        commit=run.facts.known_commit,
        version=run.facts.known_version,
        at=int(o.now.timestamp()),
        seconds=run.took,
        unobserved=max(0.0, run.lasted - run.took),
        node_type=run.facts.type,
        resumes=run.seen.resumes,
        stages=o.attention.progress.stages,
    )
