"""Why a Deployment waits: one without an open run that starts none now says so, and stays so."""

from msgspec.structs import replace

from controller.domain.decide.next_record import decided, evolve, fit, stamp, with_step
from controller.domain.decide.observation import ClaimSeen, Decision, Effect, GiveBack, Observation
from controller.domain.record.record import Record
from controller.domain.run import Phase, Reason

# Phases that end and begin without a run, and that people are told of.
TOLD = frozenset({Phase.BLOCKED, Phase.SUSPENDED})
# Reasons of Idle that an owner should hear of on the Deployment; elsewhere they are told once.
TROUBLES = frozenset({Reason.REGISTRY_TROUBLE, Reason.STORE_TROUBLE})

# Seconds until clocks that are doubted are looked at again: no change tells that they are right.
DOUBTED = 60.0


def wait(
    o: Observation,
    record: Record,
    phase: Phase,
    reason: str,
    message: str,
    *effects: Effect,
    again_in: float | None = None,
) -> Decision:
    """Writes only what is not said yet. again_in: seconds until the next look, once all is said;
    None to wait for a change. A claim of ours that leads to no run is given back, and only after a
    write of ours, which fences a pin that may be on its way.

    Nothing of a claim that was found beside a lost record is given back: see `Record.inherited`.
    """
    stray = o.pending if o.pending and o.pending.run != record.inherited else None
    fenced = stray is None or stray.run <= record.given_back
    message = fit(o, message)  # as it is kept, or it never looks said
    said = (record.phase, record.reason, record.message) == (phase, reason, message)
    if stray is not None:
        effects = (*effects, GiveBack(stray))
    if said and isinstance(o.record, Record) and fenced:
        return Decision(phase, reason, message, effects=effects, again_in=again_in)
    before = record.phase
    after = evolve(o, _fence(record, stray), phase, reason, message=message)
    if not isinstance(o.record, Record):
        after = replace(after, since=stamp(o))
    told = _told_as(record, phase, reason)
    if told:
        after = with_step(after, o, before, phase, reason=told, message=message)
    return decided(o, after, *effects)


def _told_as(before: Record, phase: Phase, reason: str) -> str:
    """The reason of the step by which people are told; empty where they are not."""
    if (phase in TOLD or before.phase in TOLD) and before.phase != phase:
        return reason if phase in TOLD else f"{before.phase}Ended"
    if phase is before.phase is Phase.BLOCKED and reason != before.reason:
        return reason
    if (reason in TROUBLES) != (before.reason in TROUBLES):
        return reason if reason in TROUBLES else f"{before.reason}Ended"
    return ""


def _fence(record: Record, stray: ClaimSeen | None) -> Record:
    """No pin that still relies on the claim can be accepted after this record, nor be decided."""
    if stray is None:
        return record
    return replace(record, given_back=max(record.given_back, stray.run))
