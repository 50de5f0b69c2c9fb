"""The record is written once more for its own sake. Nobody sees it: phase, reason and message stay.

Where a store outlives the process, when people were told how a run ended: nothing else may write
the record for weeks, and with an empty store in its place the next process would tell it as news.
Where none does, when they were told anything, or much was observed.
"""

from dataclasses import replace

from controller.domain.decide.next_record import evolve, write_for
from controller.domain.decide.observation import Decision, Observation, TakeClaim
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.run_notes import are_due
from controller.domain.record.record import Record
from controller.domain.record.steps import ends_a_run, steps_after


def kept_in_record(o: Observation, decision: Decision) -> Decision:
    """The decision, with a write where it has none and the next process would lack something."""
    record = o.record
    if decision.write is not None or not isinstance(record, Record):
        return decision
    if any(isinstance(effect, TakeClaim) for effect in decision.effects):
        return decision  # a pin follows, whose record says it too
    run = record.run
    noted = not o.store_lasts and run is not None and are_due(run, o)
    if not noted and not _all_is_told(o, record):
        return decision
    if run is not None:
        run = RunCase(o, record, run).up_to_now(run)
    after = evolve(o, record, record.phase, record.reason, run=run)
    return replace(decision, write=write_for(o, after), record=after)


def _all_is_told(o: Observation, record: Record) -> bool:
    """Whether the record has steps that it should say were told, and all of them have been: once a
    batch, not once each.
    """
    new = steps_after(record, max(record.told, record.heard))
    if not new or new[-1].seq > max(o.told, o.heard):
        return False
    return not o.store_lasts or any(ends_a_run(step) for step in new)
