"""What a run's end is set beside: what was checked, earlier runs, the last good build."""

from msgspec.structs import replace

from controller.base.text import cut_bytes
from controller.domain.build import same_commit, short
from controller.domain.decide.next_record import with_step
from controller.domain.decide.observation import Observation
from controller.domain.health.soak import Soak
from controller.domain.pace.comparison import PastRun, compare
from controller.domain.record.parts import Checked
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason

_COMMIT = 12  # digits of a commit in a link: enough to be unique in any repository


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
        comparison = compare(_as_past(o, run), o.earlier)
        message = f"{message}; {comparison.sentence}"
    slower = comparison is not None and comparison.slower
    message = cut_bytes(message, o.rules.message_bytes)
    outcome = replace(outcome, message=message, slower=slower, checked=checked)
    record = replace(
        record,
        outcomes=(*record.outcomes[:-1], outcome),
        message=cut_bytes(f"run {run.id} passed: {message}", o.rules.message_bytes),
        steps=(*record.steps[:-1], replace(record.steps[-1], message=message)),
    )
    if comparison is not None and comparison.slower:
        record = with_step(
            record,
            o,
            Phase.PASSED,
            Phase.PASSED,
            reason=Reason.SLOWER,
            message=f"run {run.id} passed, and was slow: {comparison.sentence}",
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
        unobserved=max(0.0, run.bootstrapped - run.started - run.took),
        node_type=run.facts.type,
        resumes=run.seen.resumes,
        stages=o.attention.progress.stages,
    )


def good_before(o: Observation, record: Record, run: OpenRun) -> tuple[str, str]:
    """(commit, sentence) of the target's last good build before this run; empty where there is
    none, or nobody knows.
    """
    good = _last_good(o, record, run)
    if good is None:
        return "", ""
    name = good.version or short(good.build)
    before, now = good.commit[:_COMMIT], run.facts.known_commit[:_COMMIT]
    if not before or not now:
        return good.commit, f"last good: {name} (run {good.run}); the commits are not both known"
    if same_commit(before, now):
        return good.commit, f"the same commit {before} passed before (run {good.run})"
    link = o.rules.compare_url.replace("{good}", before).replace("{bad}", now)
    since = link or f"{before}...{now}"
    return good.commit, f"last good: {name}, since then {since}"


def _last_good(o: Observation, record: Record, run: OpenRun) -> PastRun | None:
    """The target's, by whatever Deployment; without the store, this Deployment's own."""
    known = [past for past in o.earlier or () if past.run < run.id]
    known += [
        PastRun(
            run=outcome.run,
            build=outcome.build,
            commit=outcome.commit,
            version=outcome.version,
            at=outcome.at,
            seconds=outcome.took,
            node_type=outcome.machine,
            resumes=outcome.resumes,
        )
        for outcome in record.outcomes
        if outcome.phase is Phase.PASSED and outcome.target == run.target
    ]
    return max(known, key=lambda past: past.run, default=None)
