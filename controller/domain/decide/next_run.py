"""What a Deployment without an open run does next: wait, and why, or start a run."""

from dataclasses import replace as dataclass_replace

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import short
from controller.domain.decide.choosing import again_because, choose, target_of
from controller.domain.decide.hold import held_back
from controller.domain.decide.next_record import (
    current_record,
    decided,
    evolve,
    levers_now,
    pulled,
    stamp,
    with_step,
)
from controller.domain.decide.observation import (
    Choice,
    ClaimSeen,
    Decision,
    Observation,
    TakeClaim,
)
from controller.domain.decide.waiting import TOLD, TROUBLES, rest
from controller.domain.manifest.field_owners import annotation_manager
from controller.domain.manifest.request import RunRequest, configuration_hash
from controller.domain.record.asked_once import asked, kept
from controller.domain.record.pin import pin_changes
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason, new_run_id


def decide_next_run(o: Observation) -> Decision:
    record = current_record(o)
    for fault in (o.request, o.port):
        if isinstance(fault, TargetFault):
            return rest(o, record, Phase.BLOCKED, fault.reason, str(fault))
    assert not isinstance(o.request, TargetFault)
    noted = _note_levers(o, record)
    if noted is not None:
        return noted
    if o.request.suspended:
        writer = annotation_manager(o.deployment, names.SUSPEND)
        by = f", written with '{shown(writer.manager, 60)}'" if writer else ""
        message = f'nothing new is started while {names.SUSPEND} is "true"{by}'
        return rest(o, record, Phase.SUSPENDED, Reason.SUSPENDED, message)
    voided = _voided_too_often(o, record)
    if voided is not None:
        return voided
    due, reason, message, effects = choose(o, record, o.request)
    held = held_back(o, record, o.request)
    if held is not None and not again_because(o, record):
        return held
    if due is None:
        return rest(o, record, Phase.IDLE, reason, message, *effects)
    return _start(o, record, o.request, due)


def _note_levers(o: Observation, record: Record) -> Decision | None:
    """Acts on levers that were pulled while no run was open."""
    changes: dict[str, object] = {}
    held, before = kept(record), record.phase
    phase, reason, said = before, record.reason, []
    if pulled(o, names.RETEST):
        changes["again"] = "retest"
        said.append(f"another attempt is due: {asked(o.deployment, names.RETEST)}")
    if pulled(o, names.END_HOLD):
        outcome = record.outcome()
        changes["released"] = outcome.run if outcome else ""
        if held is not None:
            said.append(f"the hold of {held.run} is over: {asked(o.deployment, names.END_HOLD)}")
            phase, reason = (Phase.IDLE, Reason.WAITING) if phase is Phase.HELD else (phase, reason)
    if not changes and not pulled(o, names.ABORT):
        return None
    changes["levers"] = {**record.levers, **levers_now(o)}
    message = "; ".join(said) or record.message
    after = evolve(o, record, phase, reason, message=message, **changes)
    if held is not None and "released" in changes:
        step_reason = f"{Phase.HELD}Ended"
        after = with_step(after, o, before, phase, reason=step_reason, message=message)
    return decided(o, after)


def _voided_too_often(o: Observation, record: Record) -> Decision | None:
    if record.voids <= o.rules.foreign_limit or again_because(o, record):
        return None
    if record.void_build in record.tested.get(target_of(o), ()):
        return None
    if not any(c.resolution and c.resolution.build == record.void_build for c in o.choices):
        return None
    message = (
        f"another image touched the data of {short(record.void_build)} {record.voids} times: keep"
        f" others from changing the image, then set {names.RETEST} to a new value"
    )
    return rest(o, record, Phase.BLOCKED, Reason.FOREIGN_DATA, message)


def _start(o: Observation, record: Record, request: RunRequest, choice: Choice) -> Decision:
    """Takes the claim, or, once it is ours, pins."""
    resolution, claim, again = choice.resolution, choice.claim, again_because(o, record)
    assert resolution is not None
    pending = o.pending
    wanted = (str(request.target), resolution.build)
    unwanted = pending is not None and (pending.target, pending.build) != wanted
    if pending is not None and unwanted and pending.run != record.inherited:
        message = f"claim of run {pending.run} is given back"
        return rest(o, record, Phase.IDLE, Reason.WAITING, message)
    if not o.leave.given:
        message = f"{choice.name} is {short(resolution.build)} and due: {o.leave.why}"
        if o.leave.lasting or not isinstance(o.record, Record) or _is_mended(o, record):
            return rest(o, record, Phase.IDLE, o.leave.reason, message)
        return Decision(Phase.IDLE, o.leave.reason, message, why=(o.leave.why,))
    used = max(record.last_run, record.given_back)
    if claim is not None and claim == pending and claim.run > used:
        return _pin(o, record, request, choice, claim)
    if not isinstance(o.record, Record) or _is_mended(o, record):
        # A claim without a record is then always one whose record was lost; and what kept the run
        # from starting is said to be over before it starts.
        message = f"{choice.name} is {short(resolution.build)} and due"
        return rest(o, record, Phase.IDLE, Reason.NEW_BUILD, message)
    effect = TakeClaim(
        target=str(request.target),
        build=resolution.build,
        run=new_run_id(o.now, resolution.build, used),
        instead_of=claim.run if claim else None,
        by_person=bool(again),
    )
    message = f"{choice.name} is {short(resolution.build)} and due: taking its claim"
    return Decision(Phase.IDLE, Reason.NEW_BUILD, message, effects=(effect,))


def _is_mended(o: Observation, record: Record) -> bool:
    """Whether people were told of something that is over now that a run could start."""
    trouble = record.reason in TROUBLES and record.reason != o.leave.reason
    return trouble or record.phase in TOLD


def _pin(
    o: Observation, record: Record, request: RunRequest, choice: Choice, claim: ClaimSeen
) -> Decision:
    """The patch that is the moment at which the run exists."""
    assert choice.resolution is not None
    build, again = choice.resolution.build, again_because(o, record)
    # The followed tag, also for a build that came by another way: the image says what is followed.
    image = dataclass_replace(request.node.reference, tag=request.track).pinned(build)
    run = OpenRun(
        id=claim.run,
        build=build,
        image=image,
        digest=choice.resolution.digest,
        target=str(request.target),
        network=request.target.network,
        mode=request.target.mode,
        config=configuration_hash(o.deployment),
        phase=Phase.STARTING,
        reason=Reason.RETEST_REQUESTED if again == "retest" else Reason.NEW_BUILD,
        decided=stamp(o),
        since=stamp(o),
        # The node's own is the first; four of the longest references still fit the record.
        found=tuple(dict.fromkeys(str(p.reference) for p in request.pinned))[:4],
    )
    message = f"run {run.id} tests {choice.name}, {short(build)}; waiting for its pod"
    if again == "retest":
        message += f" (another attempt: {asked(o.deployment, names.RETEST)})"
    elif choice.source == "test-build":
        message += f" (ahead of the tag: {asked(o.deployment, names.TEST_BUILD)})"
    after = evolve(
        o,
        record,
        Phase.STARTING,
        run.reason,
        message=message,
        run=run,
        last_run=run.id,
        config=run.config,
        again="",
        voids=record.voids if record.void_build == build and not again else 0,
        levers={**record.levers, **levers_now(o)},
    )
    after = with_step(after, o, record.phase, Phase.STARTING, reason=run.reason, message=message)
    return decided(o, after, images=pin_changes(request, image), run_id=run.id)
