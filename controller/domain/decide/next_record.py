"""From one record to the next, and from a record to the write that makes it so."""

from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from controller.base.redact import redact
from controller.base.text import cut_bytes
from controller.domain import names
from controller.domain.decide.end_reasons import is_by_end
from controller.domain.decide.messages.open_run import is_over
from controller.domain.decide.observation import Decision, Effect, Observation
from controller.domain.record.levers import levers_of
from controller.domain.record.record import SCHEMA, Outcome, Record, Step, encode_record
from controller.domain.record.steps import LEVELS
from controller.domain.record.write import ImageChange, Write
from controller.domain.run import Phase


def current_record(o: Observation) -> Record:
    """The Deployment's record, or a new one."""
    if isinstance(o.record, Record):
        return o.record
    meta = o.deployment.metadata
    return Record(
        schema=SCHEMA,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        levers=levers_of(o.deployment),
        inherited=o.pending.run if o.pending else "",
    )


def evolve(o: Observation, record: Record, phase: Phase, reason: str, **changes: Any) -> Record:
    """The next record. `changes` may hold any field; the message is made fit to be kept."""
    message = fit(o, changes.pop("message", record.message))
    told, heard = max(record.told, o.told), max(record.heard, o.heard)
    return replace(
        record,
        schema=SCHEMA,
        uid=o.deployment.metadata.uid,
        seq=record.seq + 1,
        told=told,
        heard=heard if heard > told else 0,
        phase=phase,
        reason=reason,
        message=message,
        since=record.since if phase == record.phase else stamp(o),
        **changes,
    )


def with_step(  # noqa: PLR0913 what a step says
    record: Record,
    o: Observation,
    before: str,
    phase: Phase,
    *,
    reason: str,
    message: str,
    level: str = "",
) -> Record:
    """Adds a transition that people are told of; its number is the record's, or the next one where
    a write has several. Trouble of Idle that begins or ends is quiet: it is the registry's or the
    store's, not the Deployment's. level: of the phase, if not given.
    """
    quiet = before == phase == Phase.IDLE
    run = record.run
    outcome = record.outcome() if run is None and phase.over else None
    seq = max([record.seq, *(s.seq + 1 for s in record.steps)])
    step = Step(
        seq=seq,
        before=before,
        phase=phase,
        reason=reason,
        at=stamp(o),
        message=fit(o, message),
        run=run.id if run else outcome.run if outcome else "",
        build=run.build if run else outcome.build if outcome else "",
        level=level or ("warning" if quiet else LEVELS.get(phase, "info")),
        quiet=quiet,
    )
    return replace(record, seq=seq, steps=(*record.steps, step))


def fit(o: Observation, message: str) -> str:
    """As a record says it, people are told it, and the store keeps it."""
    return _fit(message, o.rules.message_bytes)


# A Deployment at rest says the same at each look: a look of it takes 50 us less than with each
# sentence looked through anew (python -m tests.bench --only reconcile). As many as ten thousand
# Deployments say.
@lru_cache(maxsize=16384)
def _fit(message: str, most: int) -> str:
    return cut_bytes(redact(message), most)


def stamp(o: Observation) -> int:
    return int(o.now.timestamp())


def _ended_at(o: Observation) -> int:
    """Seconds since 1970, by the later of our clock and the API server's where they differ: a hold
    is counted from then, and one that ends too early destroys what it keeps (I10).
    """
    behind = -(o.skew or 0.0)  # our clock
    return stamp(o) + (int(behind) if behind > o.rules.max_skew else 0)


def closed(  # noqa: PLR0913 what an outcome says
    o: Observation,
    record: Record,
    phase: Phase,
    reason: str,
    message: str,
    *,
    tested: bool = True,
    good: str = "",
) -> Record:
    """The record after its run is over: outcome, transition, and whether the build counts as
    tested. The Deployment's own phase is decided at the next look; until then it is Idle or Held.
    """
    run = record.run
    assert run is not None
    observed = o.attention.observed if o.attention else run.observed
    outcome = Outcome(
        run=run.id,
        build=run.build,
        target=run.target,
        phase=phase,
        reason=reason,
        at=_ended_at(o),
        began=run.started or run.decided,
        message=fit(o, message),
        observed=round(observed, 1),
        resumes=run.seen.resumes,
        took=run.took,
        lasted=run.lasted,
        beside=run.beside,
        version=run.facts.known_version,
        commit=run.facts.known_commit,
        machine=run.facts.type,
        good=good,
        cause=run.seen.cause if phase is Phase.FAILED and is_by_end(reason) else None,
    )
    known = record.tested.get(run.target, ())
    if tested and run.build not in known:
        known = (*known, run.build)
    resting = Phase.HELD if phase is Phase.FAILED else Phase.IDLE
    record = evolve(
        o,
        record,
        resting,
        reason,
        message=is_over(run.id, phase, message),
        run=None,
        outcomes=(*record.outcomes, outcome),
        # What was asked while the run was open asked this run, or nothing: a hold that begins now
        # must not be ended by a wish from before it.
        levers={**record.levers, **levers_of(o.deployment, names.ABORT, names.END_HOLD)},
        tested={**record.tested, run.target: known} if known else record.tested,
        taken=record.taken if tested or not run.beside else "",
        config=run.config,
    )
    record = with_step(record, o, run.phase, phase, reason=reason, message=message)
    outcome = replace(record.outcomes[-1], seq=record.seq, before=run.phase)
    return replace(record, outcomes=(*record.outcomes[:-1], outcome))


def write_for(
    o: Observation,
    record: Record,
    images: tuple[ImageChange, ...] = (),
    run_id: str | None = None,
) -> Write:
    """One patch that makes the record so; run_id None leaves the pod template's as it is."""
    text = encode_record(record, o.rules)
    return annotate(o, text, record.phase, record.message, images=images, run_id=run_id)


def annotate(
    o: Observation,
    record: str | None,
    phase: str,
    message: str,
    *,
    images: tuple[ImageChange, ...] = (),
    run_id: str | None = None,
) -> Write:
    """The write itself, with what it expects taken from the object that was decided on."""
    meta = o.deployment.metadata
    template = o.deployment.spec.template.metadata
    run_id_before = template.annotation(names.RUN_ID)
    return Write(
        key=meta.key,
        uid=meta.uid,
        record_before=o.record_text,
        record=record,
        phase_before=meta.label(names.PHASE),
        phase=phase,
        message_before=meta.annotation(names.MESSAGE),
        message=message,
        has_labels=meta.labels is not None,
        has_annotations=meta.annotations is not None,
        has_template_annotations=template.annotations is not None,
        run_id_before=run_id_before,
        run_id=run_id if run_id is not None else run_id_before,
        images=images,
    )


def decided(
    o: Observation,
    record: Record,
    *effects: Effect,
    images: tuple[ImageChange, ...] = (),
    run_id: str | None = None,
) -> Decision:
    """A decision whose write makes this record so."""
    return Decision(
        record.phase,
        record.reason,
        record.message,
        write=write_for(o, record, images, run_id),
        record=record,
        effects=effects,
    )
