"""Standing still: a Deployment without an open run that starts none now, and says why."""

from msgspec.structs import replace

from controller.base.errors import TargetFault
from controller.base.text import cut_bytes
from controller.domain.decide.next_record import decided, evolve, stamp, with_step
from controller.domain.decide.observation import ClaimSeen, Decision, Effect, GiveBack, Observation
from controller.domain.record.record import Record
from controller.domain.run import Phase, Reason

# Phases that end and begin without a run, and that people are told of.
TOLD = frozenset({Phase.BLOCKED, Phase.SUSPENDED})
# Reasons of Idle that an owner should hear of on the Deployment; elsewhere they are told once.
TROUBLES = frozenset({Reason.REGISTRY_TROUBLE, Reason.STORE_TROUBLE})


def rest(
    o: Observation, record: Record, phase: Phase, reason: str, message: str, *effects: Effect
) -> Decision:
    """Stands still; writes only what is not said yet. A claim of ours that leads to no run is
    given back, and only after a write of ours, which fences a pin that may be on its way.

    Nothing of a claim that was found beside a lost record is given back: see `Record.inherited`.
    """
    stray = o.pending if o.pending and o.pending.run != record.inherited else None
    fenced = stray is None or stray.run <= record.given_back
    message = cut_bytes(message, o.rules.message_bytes)  # as it is kept, or it never looks said
    said = (record.phase, record.reason, record.message) == (phase, reason, message)
    if stray is not None:
        effects = (*effects, GiveBack(stray))
    if said and isinstance(o.record, Record) and fenced:
        again_in = held_for(o, record) if phase is Phase.HELD else None
        return Decision(phase, reason, message, effects=effects, again_in=again_in)
    before = record.phase
    after = evolve(o, _fence(record, stray), phase, reason, message=message)
    if not isinstance(o.record, Record):
        after = replace(after, since=stamp(o))
    if (phase in TOLD or before in TOLD) and before != phase:
        step_reason = reason if phase in TOLD else f"{before}Ended"
        after = with_step(after, o, before, phase, reason=step_reason, message=message)
    elif phase is before is Phase.BLOCKED and reason != record.reason:
        after = with_step(after, o, before, phase, reason=reason, message=message)
    elif (reason in TROUBLES) != (record.reason in TROUBLES):
        step_reason = reason if reason in TROUBLES else f"{record.reason}Ended"
        after = with_step(after, o, before, phase, reason=step_reason, message=message)
    return decided(o, after, *effects)


def _fence(record: Record, stray: ClaimSeen | None) -> Record:
    """No pin that still relies on the claim can be accepted after this record, nor be decided."""
    if stray is None:
        return record
    return replace(record, given_back=max(record.given_back, stray.run))


def held_for(o: Observation, record: Record) -> float | None:
    outcome = record.outcome()
    if outcome is None or isinstance(o.request, TargetFault):
        return None
    left = outcome.at + o.request.keep_failed_data - o.now.timestamp()
    before_warning = left - o.rules.hold_warning
    return max(1.0, before_warning if before_warning > 0 else left)
