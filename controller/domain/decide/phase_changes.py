"""The phases of a run that nobody interferes with: Starting, Bootstrapping, Soaking, and then
Passed or Failed.
"""

from msgspec.structs import replace

from controller.base.text import cut_before
from controller.domain.decide.incidents import note_incidents, tell_incidents
from controller.domain.decide.last_good import last_good
from controller.domain.decide.messages import open_run as say
from controller.domain.decide.messages.verdict import failure_tail
from controller.domain.decide.network_trouble import shared
from controller.domain.decide.next_record import closed, decided, evolve, stamp, with_step
from controller.domain.decide.observation import Decision
from controller.domain.decide.pass_report import checked_of, with_comparison
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.trouble import saying
from controller.domain.decide.verdict import failure, lacks_to_pass
from controller.domain.failure_class import class_of
from controller.domain.manifest.request import node_container_name
from controller.domain.pods.pod_ready import ready_since
from controller.domain.pods.stamps import believed
from controller.domain.record.record import OpenRun
from controller.domain.run import Phase, Reason


def take_course(case: RunCase) -> Decision:
    """Success is looked at before anything that fails (I10)."""
    lacking = lacks_to_pass(case)
    if lacking is None:
        return _pass(case)
    onwards = _advance(case)
    if onwards is not None:
        return onwards
    failed = failure(case)
    # What happens to a run whose Deployment is being deleted says nothing of its build.
    if failed is not None and not case.o.deployment.leaving:
        return _fail(case, *failed)
    noted = note_incidents(case)
    if noted is not None:
        return noted
    run, why = case.run, say.cannot_pass_yet(lacking)
    others = shared(case.o, run, case.o.attention.spans if case.o.attention else {})
    return Decision(
        run.phase,
        run.reason,
        case.record.message,
        again_in=saying(case, run).again_in,
        why=tuple(filter(None, (why, others))),
    )


def _pass(case: RunCase) -> Decision:
    assert case.o.attention is not None
    soak = case.o.attention.soak
    assert soak is not None
    run = replace(case.run, facts=case.facts)
    why = say.passes(run, soak.seconds, soak.looks)
    after = closed(case.o, replace(case.record, run=run), Phase.PASSED, Reason.SOAKED, why)
    return decided(case.o, with_comparison(case.o, after, run, checked_of(soak)))


def _fail(case: RunCase, reason: Reason, why: str) -> Decision:
    run = replace(case.run, seen=case.seen, facts=case.facts)
    good, sentence = last_good(case.o, case.record, run)
    # A link that is cut leads nowhere: the hold repeats all of it.
    room = case.o.rules.message_bytes - case.o.rules.held_bytes
    why = cut_before(why, failure_tail(class_of(reason), sentence), room)
    record = replace(case.record, run=run)
    return decided(case.o, closed(case.o, record, Phase.FAILED, reason, why, good=good))


def _advance(case: RunCase) -> Decision | None:
    """Starting to Bootstrapping to Soaking; never back, for a restart is no failure by itself."""
    attention = case.o.attention
    if case.run.phase is Phase.STARTING:
        return _started(case)
    if case.run.phase is Phase.BOOTSTRAPPING and attention and attention.ready(case.pods.life):
        run = replace(
            case.run,
            phase=Phase.SOAKING,
            reason=Reason.BOOTSTRAPPED,
            bootstrapped=_ready_at(case),
            took=case.observed,
            seen=case.seen,
        )
        return _entered(case, run, say.soaks(run, case.request.soak))
    return None


def _ready_at(case: RunCase) -> int:
    """When the node was ready: as its pod says, for the controller may have been away then, or
    now, by the cluster's clock.
    """
    seen = stamp(case.o) - round(case.o.skew or 0.0)
    pod, container = case.pods.pod, node_container_name(case.o.deployment)
    since = ready_since(pod, container) if pod else None
    told = int(since.timestamp()) if since else seen
    return told if case.run.started <= told <= seen else max(seen, case.run.started)


def _started(case: RunCase) -> Decision | None:
    """The node has started, on data that the init container prepared for this very run."""
    pods, word = case.pods, case.pods.word
    if not pods.ran or word is None or word.run != case.run.id:
        return None
    assert pods.pod is not None
    run = replace(
        case.run,
        phase=Phase.BOOTSTRAPPING,
        reason=Reason.NODE_STARTED,
        started=int((believed(pods.started, not_after=case.o.now) or case.o.now).timestamp()),
        seen=replace(case.seen, home=pods.pod.metadata.uid),
    )
    return _entered(case, run, say.bootstraps(run, word.data))


def _entered(case: RunCase, run: OpenRun, message: str) -> Decision:
    """The run in its next phase, with what is known of it now; people are told."""
    o, phase, reason = case.o, run.phase, run.reason
    run = case.up_to_now(replace(run, since=stamp(o)))
    now = saying(case, run, message)
    run = now.run
    after = evolve(o, case.record, phase, reason, message=now.message, run=run)
    after = tell_incidents(case, after, run)
    after = with_step(after, o, case.run.phase, phase, reason=reason, message=message)
    return decided(o, after)
