"""Which build a Deployment without an open run should test next, if any is due."""

from dataclasses import dataclass
from dataclasses import replace as dataclass_replace

from controller.domain.decide.messages import waiting as say
from controller.domain.decide.observation import Choice, ClaimSeen, Effect, Nudge
from controller.domain.decide.start_case import StartCase
from controller.domain.pods.pull_secrets import pull_secrets
from controller.domain.run import Phase, Reason


@dataclass(frozen=True)
class NothingDue:
    """Why the Deployment is idle."""

    reason: str
    message: str
    effects: tuple[Effect, ...] = ()  # whom to nudge, for a claim that stands in the way


def choose(case: StartCase) -> Choice | NothingDue:
    """The first choice that is due."""
    record = case.record
    queued = ""  # what became of a build that a person asked for
    found = NothingDue(Reason.WAITING, say.FIRST_ANSWER_AWAITED)
    for choice in case.o.choices:
        last = choice is case.o.choices[-1]
        if choice.resolution is None:
            if choice.trouble and choice.lasting:
                trouble = _trouble(case, choice)
                if choice.source == "test-build":
                    queued = say.unknown_queued(choice.name, trouble)
                message = queued or say.unknown_tag(choice.name, trouble)
                found = NothingDue(Reason.REGISTRY_TROUBLE, message)
            elif record.phase is Phase.IDLE and record.message:
                # it may pass: what is said stays
                found = NothingDue(record.reason, record.message)
            if last or not choice.lasting:
                return NothingDue(found.reason, found.message)
            continue
        taken = _taken(case, choice)
        if taken is None:
            return choice
        if choice.source == "test-build":
            queued = say.queue_is_finished(taken.message)
        found = taken
    # Of the tag last, and what a person waits for beside it.
    if queued and queued not in found.message:
        found = dataclass_replace(found, message=f"{found.message}; {queued}")
    return found


def _trouble(case: StartCase, choice: Choice) -> str:
    """With what to do where the kubelet has a login that we have not."""
    secrets = pull_secrets(case.o.deployment, case.o.pods) if choice.no_access else ()
    return say.no_access(choice.trouble, secrets) if secrets else choice.trouble


def _taken(case: StartCase, choice: Choice) -> NothingDue | None:
    """Why the choice's build may not be tested here (I1); None if it may."""
    assert choice.resolution is not None
    name, build = choice.name, choice.resolution.build
    record, target, siblings = case.record, case.target, case.o.siblings
    for sibling in siblings:
        run = sibling.run
        if run is not None and (run.target, run.build) == (target, build):
            message = say.is_being_tested(name, build, sibling.key, run.id)
            return NothingDue(Reason.DUPLICATE, message)
    if case.again:
        return None
    if record.knows(target, build):
        outcome = next((x for x in reversed(record.outcomes) if x.build == build), None)
        return NothingDue(Reason.UP_TO_DATE, say.was_tested_here(name, build, outcome))
    for sibling in siblings:  # whatever the store says (I8)
        if sibling.knows(target, build):
            return NothingDue(Reason.DUPLICATE, say.was_tested_by(name, build, sibling.key))
    claim = choice.claim
    if claim is None or _leads_to_a_run(case, claim):
        return None
    nudge = () if claim.owner == record.key else (Nudge(claim.owner),)
    message = say.is_claimed(name, build, claim.run, claim.owner)
    return NothingDue(Reason.DUPLICATE, message, nudge)


def _leads_to_a_run(case: StartCase, claim: ClaimSeen) -> bool:
    """A claim of ours that waits for its pin, or whose run was void."""
    record = case.record
    if claim.owner != record.key:
        return False
    return claim == case.o.pending or (record.void_build == claim.build and record.voids > 0)
