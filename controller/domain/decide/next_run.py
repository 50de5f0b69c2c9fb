"""What a Deployment without an open run does next: wait, and why, or start a run."""

from dataclasses import replace as dataclass_replace

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.build import Build
from controller.domain.decide.choosing import NothingDue, choose
from controller.domain.decide.failed_data import keep_failed_data
from controller.domain.decide.messages import open_run, waiting
from controller.domain.decide.next_record import decided, evolve, stamp, with_step
from controller.domain.decide.observation import (
    Choice,
    ClaimSeen,
    Decision,
    Observation,
    TakeClaim,
)
from controller.domain.decide.start_case import StartCase
from controller.domain.decide.verdict import clock_fault
from controller.domain.decide.waiting import DOUBTED, TOLD, TROUBLES, wait
from controller.domain.manifest.field_owners import annotation_manager
from controller.domain.record.levers import asked, kept
from controller.domain.record.pin import pin_changes
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason, new_run_id


def decide_next_run(o: Observation, record: Record) -> Decision:
    if o.deployment.leaving:
        return wait(o, record, Phase.IDLE, Reason.LEAVING, waiting.IS_LEAVING)
    for fault in (o.request, o.port):
        if isinstance(fault, TargetFault):
            return wait(o, record, Phase.BLOCKED, fault.reason, str(fault))
    assert not isinstance(o.request, TargetFault)
    case = StartCase(o, record, o.request)
    for question in (_note_levers, _suspended, _voided_too_often):
        decision = question(case)
        if decision is not None:
            return decision
    due = choose(case)
    queued = isinstance(due, Choice) and due.source == "test-build"
    held = keep_failed_data(case, due.name if isinstance(due, Choice) and queued else "")
    if held is not None and not case.again:
        return held
    if isinstance(due, NothingDue):
        return wait(o, record, Phase.IDLE, due.reason, due.message, *due.effects)
    return _start(case, due)


def _note_levers(case: StartCase) -> Decision | None:
    """Acts on levers that were pulled while no run was open."""
    if not case.pulled and not case.unqueued:
        return None
    o, record = case.o, case.record
    changes: dict[str, object] = {}
    held, before = kept(record), record.phase
    phase, reason, said = before, record.reason, []
    if names.RETEST in case.pulled:
        changes["again"] = "retest"
        said.append(waiting.retest_noted(asked(o.deployment, names.RETEST)))
    if names.END_HOLD in case.pulled:
        outcome = record.outcome()
        changes["released"] = outcome.run if outcome else ""
        if held is not None:
            said.append(waiting.hold_ended(held.run, asked(o.deployment, names.END_HOLD)))
            phase, reason = (Phase.IDLE, Reason.WAITING) if phase is Phase.HELD else (phase, reason)
    if case.unqueued:
        changes["taken"] = ""
    changes["levers"] = {**record.levers, **case.levers}
    message = "; ".join(said) or record.message
    after = evolve(o, record, phase, reason, message=message, **changes)
    if held is not None and "released" in changes:
        step_reason = f"{Phase.HELD}Ended"
        after = with_step(after, o, before, phase, reason=step_reason, message=message)
    return decided(o, after)


def _suspended(case: StartCase) -> Decision | None:
    if not case.request.suspended:
        return None
    writer = annotation_manager(case.o.deployment, names.SUSPEND)
    message = waiting.suspended(writer.manager if writer else "")
    return wait(case.o, case.record, Phase.SUSPENDED, Reason.SUSPENDED, message)


def _voided_too_often(case: StartCase) -> Decision | None:
    o, record = case.o, case.record
    if record.voids <= o.rules.foreign_limit or case.again:
        return None
    if case.has_tested(record.void_build):
        return None
    if not any(c.resolution and c.resolution.build == record.void_build for c in o.choices):
        return None
    message = waiting.voided_too_often(record.void_build, record.voids)
    return wait(o, record, Phase.BLOCKED, Reason.FOREIGN_DATA, message)


def _start(case: StartCase, choice: Choice) -> Decision:
    """Takes the claim, or, once it is ours, pins."""
    o, record, claim, pending = case.o, case.record, choice.claim, case.o.pending
    assert choice.resolution is not None
    build = choice.resolution.build
    if o.no_pin:
        message = waiting.pin_refused(choice.name, build, o.no_pin)
        return wait(o, record, Phase.BLOCKED, Reason.WRITE_REFUSED, message)
    unwanted = pending is not None and (pending.target, pending.build) != (case.target, build)
    if pending is not None and unwanted and pending.run != record.inherited:
        message = waiting.gives_claim_back(pending.run)
        return wait(o, record, Phase.IDLE, Reason.WAITING, message)
    if record.last_run and clock_fault(o.skew, o.rules):
        # Its pod would delete the data of the runs before, by an id of a time that is not now.
        message = waiting.may_not_start(choice.name, build, waiting.CLOCKS_DOUBTED)
        return wait(o, record, Phase.IDLE, Reason.WAITING, message, again_in=DOUBTED)
    if not o.leave.given:
        message = waiting.may_not_start(choice.name, build, o.leave.why)
        if o.leave.lasting or not isinstance(o.record, Record) or _is_mended(case):
            return wait(o, record, Phase.IDLE, o.leave.reason, message)
        return Decision(Phase.IDLE, o.leave.reason, message, why=(o.leave.why,))
    used = max(record.last_run, record.given_back)
    if claim is not None and claim == pending and claim.run > used:
        return _pin(case, choice, claim)
    if not isinstance(o.record, Record) or _is_mended(case):
        # A claim without a record is then always one whose record was lost; and what kept the run
        # from starting is said to be over before it starts.
        message = waiting.is_due(choice.name, build)
        return wait(o, record, Phase.IDLE, Reason.NEW_BUILD, message)
    run = new_run_id(o.now, build, used)
    effect = TakeClaim(
        target=case.target,
        build=build,
        run=run,
        instead_of=claim.run if claim else None,
        by_person=bool(case.again),
        beside=o.noted,
        trial=_pin(case, choice, ClaimSeen(case.target, build, run, record.key)).write,
    )
    message = waiting.takes_claim(choice.name, build)
    return Decision(Phase.IDLE, Reason.NEW_BUILD, message, effects=(effect,))


def _is_mended(case: StartCase) -> bool:
    """Whether people were told of something that is over now that a run could start. A refused pin
    is over when a pin is taken.
    """
    record = case.record
    if record.reason == Reason.WRITE_REFUSED:
        return False
    trouble = record.reason in TROUBLES and record.reason != case.o.leave.reason
    return trouble or record.phase in TOLD


def _pin(case: StartCase, choice: Choice, claim: ClaimSeen) -> Decision:
    """The patch that is the moment at which the run exists."""
    o, record, request = case.o, case.record, case.request
    assert choice.resolution is not None
    build, now = choice.resolution.build, stamp(o)
    queued, left = choice.source == "test-build", _tag_is_left(case, choice)
    # The followed tag, also for a build that came by another way: the image says what is followed.
    image = dataclass_replace(request.node.reference, tag=request.track).pinned(build)
    run = OpenRun(
        id=claim.run,
        build=build,
        image=image,
        digest=choice.resolution.digest,
        target=case.target,
        network=request.target.network,
        mode=request.target.mode,
        config=o.configuration,
        parts=case.parts,
        phase=Phase.STARTING,
        reason=Reason.RETEST_REQUESTED if case.again == "retest" and not left else Reason.NEW_BUILD,
        decided=now,
        since=now,
        beside=not _is_the_tags(o, build),
        # The node's own is the first; four of the longest references still fit the record.
        found=tuple(dict.fromkeys(str(p.reference) for p in request.pinned))[:4],
    )
    message = open_run.begins(run, choice.name, _because(case, choice))
    after = evolve(
        o,
        record,
        Phase.STARTING,
        run.reason,
        message=message,
        run=run,
        last_run=run.id,
        config=run.config,
        again="retest-tag" if left else "",
        taken=(request.first or "") if queued else record.taken,
        voids=record.voids if record.void_build == build and not case.again else 0,
        levers={**record.levers, **case.levers},
    )
    after = with_step(after, o, record.phase, Phase.STARTING, reason=run.reason, message=message)
    return decided(o, after, images=pin_changes(request, image), run_id=run.id)


def _tag_is_left(case: StartCase, choice: Choice) -> bool:
    """Whether the attempt that a person asked for is still to come: of the followed tag's build,
    after a queued one that was due without it.
    """
    assert choice.resolution is not None
    if case.again != "retest" or choice.source != "test-build":
        return False
    build = choice.resolution.build
    known = any(each.knows(case.target, build) for each in (case.record, *case.o.siblings))
    return not known and not _is_the_tags(case.o, build)


def _is_the_tags(o: Observation, build: Build) -> bool:
    return any(
        c.source == "tag" and c.resolution and c.resolution.build == build for c in o.choices
    )


def _because(case: StartCase, choice: Choice) -> str:
    """Who wished this run, where that is not the tag's doing."""
    if case.again == "retest" and not _tag_is_left(case, choice):
        return open_run.another_attempt(asked(case.o.deployment, names.RETEST))
    if choice.source == "test-build":
        return open_run.ahead_of_tag(asked(case.o.deployment, names.TEST_BUILD))
    return ""
