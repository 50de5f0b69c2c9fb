"""The course of a run that nobody interferes with: onwards, passed, or failed."""

from msgspec.structs import replace

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.base.text import cut_before, shown
from controller.domain.build import short
from controller.domain.decide.next_record import closed, decided, evolve, stamp, with_step
from controller.domain.decide.observation import Decision, Observation
from controller.domain.decide.pass_report import checked_of, good_before, with_comparison
from controller.domain.decide.restarts import seen_now
from controller.domain.decide.told_conditions import tell_conditions, told_now
from controller.domain.decide.verdict import failure, may_pass
from controller.domain.defaults import MINUTE
from controller.domain.failure_class import class_of
from controller.domain.pods.run_pods import RunPods
from controller.domain.record.parts import Facts, Seen
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason


def run_its_course(o: Observation, record: Record, run: OpenRun, pods: RunPods) -> Decision | None:
    """Success is looked at before anything that fails (I10)."""
    assert not isinstance(o.request, TargetFault)
    if may_pass(o, run, pods) is None:
        return _pass(o, record, run)
    advanced = _advance(o, record, run, pods)
    if advanced is not None:
        return advanced
    seen = seen_now(o, run, pods)
    failed = failure(o, replace(run, seen=_with_home(seen, run)), pods)
    if failed is not None:
        return _fail(o, replace(record, run=replace(run, seen=seen, facts=_facts(o, run))), *failed)
    return _note(o, record, run, pods, seen)


def _with_home(seen: Seen, run: OpenRun) -> Seen:
    """What was seen before decides where the run's data was; what is seen now, how it ended."""
    return replace(seen, home=run.seen.home)


def _pass(o: Observation, record: Record, run: OpenRun) -> Decision:
    assert o.attention is not None
    soak = o.attention.soak
    assert soak is not None
    why = (
        f"bootstrapped in {_bootstrap(run)} and healthy for"
        f" {format_duration(soak.seconds)} after that ({soak.looks} looks)"
    )
    run = replace(run, facts=_facts(o, run))
    after = closed(o, replace(record, run=run), Phase.PASSED, Reason.SOAKED, why)
    return decided(o, with_comparison(o, after, run, checked_of(soak)))


def _fail(o: Observation, record: Record, reason: Reason, why: str) -> Decision:
    run = record.run
    assert run is not None
    good, sentence = good_before(o, record, run)
    tail = f" ({class_of(reason)})" + (f"; {sentence}" if sentence else "")
    # A link that is cut leads nowhere: the hold repeats all of it.
    message = cut_before(why, tail, o.rules.message_bytes - o.rules.held_bytes)
    return decided(o, closed(o, record, Phase.FAILED, reason, message, good=good))


def _advance(o: Observation, record: Record, run: OpenRun, pods: RunPods) -> Decision | None:
    """Starting to Bootstrapping to Soaking; never back, for a restart is no failure by itself."""
    ready = o.attention is not None and o.attention.ready(pods.life)
    seen = seen_now(o, run, pods)
    ours = pods.word is not None and pods.word.run == run.id
    if run.phase is Phase.STARTING and pods.started is not None and ours:
        assert pods.word is not None
        phase, reason = Phase.BOOTSTRAPPING, Reason.NODE_STARTED
        message = f"run {run.id} is bootstrapping {short(run.build)} ({pods.word.data} data)"
        run = replace(run, started=int(pods.started.timestamp()))
        assert pods.pod is not None
        seen = replace(seen, home=pods.pod.metadata.uid)
    elif run.phase is Phase.BOOTSTRAPPING and ready:
        assert not isinstance(o.request, TargetFault)
        phase, reason = Phase.SOAKING, Reason.BOOTSTRAPPED
        run = replace(run, bootstrapped=stamp(o), took=_observed(o, run))
        message = (
            f"run {run.id} has bootstrapped in {_bootstrap(run)}; it passes after"
            f" {format_duration(o.request.soak)} of observed health"
        )
    else:
        return None
    before = run.phase
    run = replace(
        run,
        phase=phase,
        reason=reason,
        since=stamp(o),
        seen=seen,
        observed=_observed(o, run),
        blind=_blind(o, run),
        facts=_facts(o, run),
    )
    record = evolve(o, record, phase, reason, message=message, run=run)
    return decided(o, with_step(record, o, before, phase, reason=reason, message=message))


def _note(
    o: Observation, record: Record, run: OpenRun, pods: RunPods, seen: Seen
) -> Decision | None:
    """What changed beside the phase, in one write; restarts and conditions are told."""
    conditions = told_now(o, run)
    facts = _facts(o, run)
    if (seen, conditions, facts) == (run.seen, run.conditions, run.facts):
        return None
    before, run = (
        run,
        replace(
            run,
            seen=seen,
            conditions=conditions,
            facts=facts,
            observed=_observed(o, run),
            blind=_blind(o, run),
        ),
    )
    after = evolve(o, record, run.phase, run.reason, run=run)
    after = tell_conditions(o, after, before, run)
    for reason, message in _incidents(before, run, pods):
        after = with_step(
            after, o, run.phase, run.phase, reason=reason, message=message, level="warning"
        )
    return decided(o, after)


def _incidents(before: OpenRun, run: OpenRun, pods: RunPods) -> list[tuple[Reason, str]]:
    """What a new container or pod resumes from, and people should hear of once."""
    told = []
    was, seen = before.seen, run.seen
    if seen.crashes > was.crashes:
        line = f": {seen.line}" if seen.line else ""
        kind = " (out of memory)" if seen.kind == "oom" else ""
        told.append(
            (
                Reason.NODE_RESTARTED,
                f"the node of run {run.id} ended with exit code {seen.exit}{kind} and was started"
                f" again, {seen.crashes} in a row{line}",
            )
        )
    if was.pod and seen.pod != was.pod and was.home:
        why = f" ({shown(pods.gone)})" if pods.gone else ""
        told.append((Reason.POD_REPLACED, f"run {run.id} goes on in another pod{why}"))
    return told


def _facts(o: Observation, run: OpenRun) -> Facts:
    return o.facts if o.facts is not None else run.facts


def _observed(o: Observation, run: OpenRun) -> float:
    return round(o.attention.observed, 1) if o.attention else run.observed


def _blind(o: Observation, run: OpenRun) -> float:
    return round(o.attention.blind, 1) if o.attention else run.blind


def _bootstrap(run: OpenRun) -> str:
    """How long it took, and how much of that was observed, where that is less."""
    took, lasted = _took(run), run.bootstrapped - run.started
    if lasted <= 1.05 * took + MINUTE:
        return format_duration(took)
    return f"{format_duration(lasted)} ({format_duration(took)} of it observed)"


def _took(run: OpenRun) -> float:
    """Observed seconds of the bootstrap; by the wall clock for a record that did not note them."""
    return run.took or max(0, run.bootstrapped - run.started)
