"""The pure machine: same values in, same decision out; no clock, no I/O, no logging inside.

    record unreadable ── Blocked, and left alone
    record lost ──────── taken from memory (the store's mirror), its open run taken up again
    being deleted ────── nothing is started, and nothing brought back from memory
    run open ─────────── `open_run`: ended by a person, put back, advanced, passed, failed
    no run open ──────── `next_run`: Blocked, Suspended, Held, Idle, or the next run

A decision makes at most one patch. After it the Deployment is observed and decided on again, until
a decision does nothing: that is how a crash between any two effects heals. Where no store outlives
the process, a decision that changes nothing may still have the record written (`kept_in_record`).
"""

from dataclasses import replace as dataclass_replace

from msgspec.structs import replace

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.decide.kept_in_record import kept_in_record
from controller.domain.decide.messages import open_run, waiting
from controller.domain.decide.next_record import (
    annotate,
    closed,
    current_record,
    decided,
    evolve,
    fit,
    with_step,
)
from controller.domain.decide.next_run import decide_next_run
from controller.domain.decide.observation import Decision, Observation
from controller.domain.decide.open_run import decide_open_run
from controller.domain.record.pin import PinState, pin_state, restoring_changes
from controller.domain.record.record import Record
from controller.domain.run import Phase, Reason


def decide(o: Observation) -> Decision:
    """What is to be done about one Deployment, seen so."""
    if isinstance(o.record, TargetFault):
        return _unreadable(o, o.record)
    if o.deployment.leaving and not _is_newest(o):
        return Decision(Phase.IDLE, Reason.LEAVING, waiting.IS_LEAVING)
    if o.memory is not None and (o.record is None or o.record.seq < o.memory.seq):
        return _take_up(o, o.memory)
    if o.record is None and not o.memory_known:
        return _unknown(o)
    record = current_record(o)
    what_next = decide_next_run if record.run is None else decide_open_run
    return _healed(o, kept_in_record(o, what_next(o, record)))


def _is_newest(o: Observation) -> bool:
    """Whether there is a record, and no newer one is remembered."""
    return isinstance(o.record, Record) and (o.memory is None or o.record.seq >= o.memory.seq)


def _healed(o: Observation, decision: Decision) -> Decision:
    """Label and message say what the record says, whatever somebody made of them, or a record said
    that could not be read for a while.
    """
    if decision.write is not None or not isinstance(o.record, Record):
        return decision
    write = _say(o, o.record.phase, o.record.reason, o.record.message).write
    return dataclass_replace(decision, write=write)


def _unreadable(o: Observation, fault: TargetFault) -> Decision:
    """The record itself is the owner's to mend."""
    return _say(o, Phase.BLOCKED, fault.reason, str(fault))


def _say(o: Observation, phase: Phase, reason: str, message: str) -> Decision:
    """Label and message only; the record stays as it is."""
    meta = o.deployment.metadata
    message = fit(o, message)
    said = (meta.label(names.PHASE), meta.annotation(names.MESSAGE)) == (phase, message)
    write = None if said else annotate(o, o.record_text, phase, message)
    return Decision(phase, reason, message, write=write)


def _unknown(o: Observation) -> Decision:
    """No record, and nobody can say whether there was one: says so, and begins none that would
    hide it.
    """
    return _say(o, Phase.IDLE, Reason.WAITING, waiting.nothing_known(o.leave.why))


def _take_up(o: Observation, memory: Record) -> Decision:
    """A Deployment made again, replaced, or put back to an older record: memory is newer."""
    run, pending = memory.run, o.pending
    if pending is not None and pending.run > memory.last_run:
        memory = replace(memory, inherited=pending.run)
        if run is not None:
            # Nothing is claimed while a run is open, so this one is over; the build of the claim
            # must stay free for the claim's own run, which may have come to be.
            why, free = open_run.ENDED_UNSEEN, pending.build == run.build
            ended = closed(o, memory, Phase.ABORTED, Reason.DEPLOYMENT_GONE, why, tested=not free)
            return decided(o, ended)
    if run is None:
        return decided(o, evolve(o, memory, memory.phase, memory.reason))
    message = open_run.taken_up(run.id)
    record = evolve(o, memory, run.phase, Reason.TAKEN_UP, message=message)
    record = replace(record, run=replace(run, reason=Reason.TAKEN_UP, trouble={}, plain=""))
    record = with_step(record, o, run.phase, run.phase, reason=Reason.TAKEN_UP, message=message)
    if pin_state(o.deployment, run, memory) is PinState.CHANGED:
        return decided(o, record)  # somebody wishes another image: the next look ends the run
    return decided(o, record, images=restoring_changes(o.deployment, run), run_id=run.id)
