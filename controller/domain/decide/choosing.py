"""Which build a Deployment without an open run should test next, if any is due."""

from controller.base.errors import TargetFault
from controller.domain.build import short
from controller.domain.decide.observation import Choice, ClaimSeen, Effect, Nudge, Observation
from controller.domain.manifest.request import RunRequest, configuration_hash
from controller.domain.record.record import Outcome, Record
from controller.domain.run import Phase, Reason


def again_because(o: Observation, record: Record) -> str:
    """Why a person's wish makes a tested build due again, or empty. A change of configuration that
    makes another target asks for that target's next build, not for another attempt.
    """
    if record.again == "retest":
        return record.again
    outcome = record.outcome()
    if outcome is None or outcome.target != target_of(o):
        return ""
    changed = record.config and record.config != configuration_hash(o.deployment)
    return "configuration" if changed or record.again else ""


def target_of(o: Observation) -> str:
    assert not isinstance(o.request, TargetFault)
    return str(o.request.target)


Chosen = tuple[Choice | None, str, str, tuple[Effect, ...]]


def choose(o: Observation, record: Record, request: RunRequest) -> Chosen:
    """The first choice that is due; or none, with reason, message and whom to nudge."""
    reason, message = str(Reason.WAITING), "waiting for the registry's first answer"
    effects: tuple[Effect, ...] = ()
    for choice in o.choices:
        last = choice is o.choices[-1]
        if choice.resolution is None:
            if choice.trouble and choice.lasting:
                reason, message = (
                    Reason.REGISTRY_TROUBLE,
                    f"'{choice.name}' is unknown: {choice.trouble}",
                )
            elif record.phase is Phase.IDLE and record.message:
                reason, message = record.reason, record.message  # it may pass: what is said stands
            if last or not choice.lasting:
                return None, reason, message, ()
            continue
        free, reason, message, effects = _free(o, record, request, choice)
        if free:
            return choice, reason, message, ()
    return None, reason, message, effects


def _free(
    o: Observation, record: Record, request: RunRequest, choice: Choice
) -> tuple[bool, str, str, tuple[Effect, ...]]:
    """Whether the choice's build may be tested here (I1); if not, why not."""
    assert choice.resolution is not None
    target, build = str(request.target), choice.resolution.build
    what = f"{choice.name} is {short(build)}"
    for sibling in o.siblings:
        run = sibling.run
        if run is not None and (run.target, run.build) == (target, build):
            message = f"{what}, which {sibling.key} is testing as run {run.id}"
            return False, Reason.DUPLICATE, message, ()
    if again_because(o, record):
        return True, "", "", ()
    if record.knows(target, build):
        how = next((f": {_told(x)}" for x in reversed(record.outcomes) if x.build == build), "")
        return False, Reason.UP_TO_DATE, f"{what}, tested already{how}", ()
    for sibling in o.siblings:  # whatever the store says (I8)
        if sibling.knows(target, build):
            message = f"{what}, which {sibling.key} has tested"
            return False, Reason.DUPLICATE, message, ()
    claim = choice.claim
    if claim is None or _renewable(o, record, claim):
        return True, "", "", ()
    message = f"{what}, whose run {claim.run} is {claim.owner}'s"
    nudge = () if claim.owner == record.key else (Nudge(claim.owner),)
    return False, Reason.DUPLICATE, message, nudge


def _renewable(o: Observation, record: Record, claim: ClaimSeen) -> bool:
    """A claim of ours that leads to a run: it waits for its pin, or its run was void."""
    if claim.owner != record.key:
        return False
    return claim == o.pending or (record.void_build == claim.build and record.voids > 0)


def _told(outcome: Outcome) -> str:
    return f"run {outcome.run} {outcome.phase.lower()}, {outcome.message}"
