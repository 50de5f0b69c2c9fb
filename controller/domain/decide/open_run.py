"""What becomes of an open run: somebody interferes with it, or it takes its course."""

from datetime import UTC, datetime

from msgspec.structs import replace

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.decide.messages import open_run as say
from controller.domain.decide.next_record import closed, decided, evolve, with_step
from controller.domain.decide.observation import Decision, Observation
from controller.domain.decide.phase_changes import take_course
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.trouble import saying
from controller.domain.health.conditions import Condition
from controller.domain.manifest.configuration import (
    changed_parts,
    configuration_parts,
    who_changed,
)
from controller.domain.manifest.request import node_container_name
from controller.domain.record.levers import asked, unanswered
from controller.domain.record.pin import PinState, restoring_changes
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason


def decide_open_run(o: Observation, record: Record) -> Decision:
    """Asks the questions in the order in which they matter; the first answer is the decision."""
    assert record.run is not None
    case = RunCase(o, record, record.run)
    for question in _LEAVING if o.deployment.leaving else _STAYING:
        decision = question(case)
        if decision is not None:
            return decision
    return take_course(case)


def _abort(case: RunCase) -> Decision | None:
    if not unanswered(case.o.deployment, case.record, names.ABORT):
        return None
    return _aborted(case, Reason.ABORT_REQUESTED, asked(case.o.deployment, names.ABORT))


def _twin(case: RunCase) -> Decision | None:
    """Two open runs of one build: the one without the claim yields, or, where neither has it, or
    nobody can tell, the later one.
    """
    run, claim = case.run, case.o.claim
    holder = (claim.owner, claim.run) if claim else None
    if holder == (case.record.key, run.id):
        return None
    for sibling in case.o.siblings:
        other = sibling.run
        if other is None or (other.target, other.build) != (run.target, run.build):
            continue
        theirs = holder == (sibling.key, other.id)
        if theirs or (other.id, sibling.key) < (run.id, case.record.key):
            why = say.tested_elsewhere(sibling.key, run.target, other.id)
            return _aborted(case, Reason.DUPLICATE, why)
    return None


def _configuration(case: RunCase) -> Decision | None:
    """A change of command, args or env is a person's wish for another attempt."""
    o, run = case.o, case.run
    now = o.configuration
    series = not isinstance(o.request, TargetFault) and str(o.request.target) != run.target
    if not series and now in ("", run.config):
        return None
    why = say.other_target(run.target) if series else _what_changed(case)
    record = closed(o, case.record, Phase.ABORTED, Reason.CONFIGURATION_CHANGED, why)
    # Another attempt of the build that was queued, where it was; else of the tag's.
    taken = "" if run.beside else record.taken
    return decided(o, replace(record, again="configuration", taken=taken))


def _what_changed(case: RunCase) -> str:
    deployment, run = case.o.deployment, case.run
    name = node_container_name(deployment)
    parts = configuration_parts(deployment.spec.template.spec.container(name))
    changed = changed_parts(run.parts, parts) if run.parts else []
    since = datetime.fromtimestamp(run.decided, UTC)
    by = who_changed(deployment, name, changed, since)
    return say.configuration_changed(changed, by.manager if by else "", by.time if by else None)


def _image(case: RunCase) -> Decision | None:
    if case.pin is not PinState.CHANGED:
        return None
    deployment = case.o.deployment
    container = deployment.spec.template.spec.container(node_container_name(deployment))
    image = container.image if container else ""
    why = say.image_changed(case.manager, image, case.run.build)
    return _aborted(case, Reason.IMAGE_CHANGED, why)


def _foreign(case: RunCase) -> Decision | None:
    """The run is void; a new attempt with a new id and clean data, a few times."""
    o, record, run = case.o, case.record, case.run
    if not case.pods.foreign:
        return None
    voids = record.voids + 1 if record.void_build == run.build else 1
    why = shown(case.pods.foreign)
    record = closed(o, record, Phase.ABORTED, Reason.FOREIGN_DATA, why, tested=False)
    return decided(o, replace(record, voids=voids, void_build=run.build))


def _pin(case: RunCase) -> Decision | None:
    """A pin that somebody took back is put back, at growing delays, and then no more."""
    o, run, rules = case.o, case.run, case.o.rules
    if case.pin is PinState.INTACT:
        return None
    if run.reverts >= rules.revert_limit:
        why = say.pin_fought_over(case.manager, run.reverts + 1)
        return _aborted(case, Reason.PIN_REVERTED, why)
    delay = rules.revert_delays[min(run.reverts, len(rules.revert_delays) - 1)]
    waited = o.attention.reverted if o.attention else 0.0
    if waited < delay:
        why = say.pin_missed(case.manager, delay)
        again_in = max(0.1, delay - waited)
        return Decision(run.phase, Reason.PIN_REVERTED, why, again_in=again_in, why=(why,))
    message = say.pin_put_back(case.manager, run.id)
    after = _said(case, replace(run, reverts=run.reverts + 1), Reason.PIN_REVERTED, message)
    return decided(o, after, images=restoring_changes(o.deployment, run), run_id=run.id)


def _fault(case: RunCase) -> Decision | None:
    """A manifest that broke in mid-run: the run keeps its phase, cannot pass, and is not failed."""
    run, fault = case.run, case.fault
    reason = fault.reason if fault else ""
    if reason == run.fault:
        if fault is None:
            return None
        return Decision(run.phase, reason, case.record.message, why=(str(fault),))
    message = say.cannot_pass(run.id, fault) if fault else say.can_pass_again(run.id)
    step_reason = reason or f"{run.fault}Mended"
    return decided(case.o, _said(case, replace(run, fault=reason), step_reason, message))


def _gone(case: RunCase) -> Decision | None:
    """A Deployment that is being deleted gets no new pod. Where only a finalizer keeps it, the run
    is over all the same, and nobody else need wait for it.
    """
    attention = case.o.attention
    alone = attention.spans.get(Condition.UNSCHEDULABLE) if attention else None
    if case.o.pods or alone is None or alone.seconds < case.o.rules.gone_patience:
        return None
    return _aborted(case, Reason.DEPLOYMENT_GONE, say.leaving(alone.seconds))


# What is asked in turn of a run, and of one whose Deployment is being deleted: no write of ours
# would be rolled out there.
_STAYING = (_abort, _twin, _configuration, _image, _foreign, _pin, _fault)
_LEAVING = (_abort, _twin, _foreign, _gone, _fault)


def _aborted(case: RunCase, reason: Reason, why: str) -> Decision:
    return decided(case.o, closed(case.o, case.record, Phase.ABORTED, reason, why))


def _said(case: RunCase, run: OpenRun, reason: str, message: str) -> Record:
    """The record with the run so, in the phase that it is in, and people told of it."""
    o, phase, now = case.o, run.phase, saying(case, run, message)
    after = evolve(o, case.record, phase, run.reason, message=now.message, run=now.run)
    return with_step(after, o, phase, phase, reason=reason, message=message)
