"""Where no store outlives the process, the record is written once more for its own sake: people
were told, or much was observed. Nobody sees it: phase, reason and message stay.
"""

from dataclasses import replace

from controller.domain.decide.next_record import evolve, write_for
from controller.domain.decide.observation import Decision, Observation, TakeClaim
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.run_notes import are_due
from controller.domain.record.record import Record


def kept_in_record(o: Observation, decision: Decision) -> Decision:
    """The decision, with a write where it has none and the next process would lack something."""
    record = o.record
    if o.store_lasts or decision.write is not None or not isinstance(record, Record):
        return decision
    if any(isinstance(effect, TakeClaim) for effect in decision.effects):
        return decision  # a pin follows, whose record says it too
    run = record.run
    if not _all_is_told(o, record) and not (run is not None and are_due(run, o)):
        return decision
    if run is not None:
        run = RunCase(o, record, run).up_to_now(run)
    after = evolve(o, record, record.phase, record.reason, run=run)
    return replace(decision, write=write_for(o, after), record=after)


def _all_is_told(o: Observation, record: Record) -> bool:
    """Whether the record has steps, and all of them have been told: once a batch, not once each."""
    return bool(record.steps) and record.told < record.steps[-1].seq <= o.told
