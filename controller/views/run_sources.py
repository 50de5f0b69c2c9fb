"""What a run is seen from: its Deployment's record, the store's hash, or both."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from controller.base.fields import number
from controller.domain.failure_class import class_of
from controller.domain.pace.noted_progress import decode_progress
from controller.domain.record.parts import Cause, Checked, Facts, ToldCondition
from controller.domain.record.record import OpenRun, Outcome, Record
from controller.domain.run import run_time
from controller.views.parts import moment, text
from controller.views.run import CauseView, ConditionView, MachineView, RunView, StageView


def of_open(record: Record, run: OpenRun) -> RunView:
    """What the record knows of its open run."""
    facts = run.facts
    return RunView(
        target=run.target,
        run=run.id,
        deployment=record.key,
        build=run.build,
        index=run.digest,
        image=run.image,
        tags=facts.tags,
        version=facts.known_version,
        commit=facts.known_commit,
        phase=str(run.phase),
        reason=run.reason,
        message=record.message,
        decided=moment(run.decided),
        started=moment(run.started),
        bootstrapped=moment(run.bootstrapped),
        took=run.took or None,
        lasted=run.lasted or None,
        observed=run.observed,
        resumes=run.seen.resumes,
        machine=_machine(facts),
        conditions=tuple(map(_condition, run.conditions)),
    )


def of_outcome(record: Record, outcome: Outcome) -> RunView:
    """What the record remembers of a run that is over."""
    return RunView(
        target=outcome.target,
        run=outcome.run,
        deployment=record.key,
        build=outcome.build,
        version=outcome.version,
        commit=outcome.commit,
        phase=str(outcome.phase),
        reason=outcome.reason,
        side=class_of(outcome.reason),
        message=outcome.message,
        decided=decided_at(outcome.run),
        started=moment(outcome.began),
        ended=moment(outcome.at),
        took=outcome.took or None,
        lasted=outcome.lasted or None,
        observed=outcome.observed,
        resumes=outcome.resumes,
        slower=outcome.slower,
        last_good=outcome.good,
        machine=MachineView(instance_type=outcome.machine),
        cause=_cause(outcome.cause),
        checked=_checked(outcome.checked),
    )


def of_fields(target: str, run: str, fields: Mapping[str, str]) -> RunView:
    """What the store's hash of a run says; whatever cannot be read is left out."""
    progress = decode_progress(fields.get("progress", ""))
    stages = progress.stages if progress else {}
    return RunView(
        target=target,
        run=run,
        deployment=text(fields, "deployment"),
        build=text(fields, "build"),
        index=text(fields, "digest"),
        image=text(fields, "image"),
        tags=tuple(filter(None, text(fields, "tags").split(","))),
        version=text(fields, "version"),
        commit=text(fields, "commit") or text(fields, "image_commit"),
        phase=text(fields, "phase"),
        reason=text(fields, "reason"),
        side=text(fields, "class"),
        message=text(fields, "message"),
        decided=decided_at(run),
        started=moment(number(fields, "started") or number(fields, "began") or 0),
        bootstrapped=moment(number(fields, "bootstrapped") or 0),
        ended=moment(number(fields, "ended") or 0),
        took=number(fields, "took") or None,
        lasted=number(fields, "lasted") or None,
        observed=number(fields, "observed"),
        resumes=int(number(fields, "resumes") or 0),
        slower=fields.get("slower") == "true",
        last_good=text(fields, "last_good_commit"),
        machine=MachineView(
            node=text(fields, "node"),
            instance_type=text(fields, "instance_type"),
            zone=text(fields, "zone"),
            storage_class=text(fields, "storage_class"),
            requests=text(fields, "requests"),
        ),
        cause=_cause_of(fields),
        conditions=_decoded(fields, "conditions"),
        checked=_checked_of(fields),
        progress=tuple(
            StageView(
                chain=key.partition("/")[0],
                stage=key.partition("/")[2],
                count=stage.count,
                seconds=stage.seconds,
            )
            for key, stage in stages.items()
        ),
        pace=tuple(filter(None, text(fields, "pace").split("; "))),
    )


def joined(newer: RunView, older: RunView) -> RunView:
    """One run seen twice: the newer one's word, and what only the older one knows. newer: of the
    record, which is the truth.
    """
    told = {
        name: getattr(older, name)
        for name in RunView.__struct_fields__
        if getattr(newer, name) in ("", None, (), MachineView())
    }
    if newer.machine != MachineView() and older.machine.node:
        told["machine"] = older.machine
    if not newer.open:
        told["conditions"] = ()  # those of the last open write: the run is over
    return msgspec.structs.replace(newer, **told)


def decided_at(run: str) -> datetime | None:
    """The second in a run's id."""
    try:
        return run_time(run)
    except ValueError:
        return None


def _condition(told: ToldCondition) -> ConditionView:
    return ConditionView(type=told.type, since=moment(told.since), message=told.message)


def _decoded(fields: Mapping[str, str], name: str) -> tuple[ConditionView, ...]:
    try:
        found = msgspec.json.decode(fields.get(name) or "[]", type=tuple[ToldCondition, ...])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ()
    return tuple(map(_condition, found))


def _machine(facts: Facts) -> MachineView:
    return MachineView(
        node=facts.node,
        instance_type=facts.type,
        zone=facts.zone,
        storage_class=facts.storage,
        requests=facts.requests,
    )


def _cause(cause: Cause | None) -> CauseView | None:
    if cause is None:
        return None
    return CauseView(chain=cause.chain, height=cause.height, block=cause.block, error=cause.error)


def _cause_of(fields: Mapping[str, str]) -> CauseView | None:
    height = number(fields, "height")
    found = CauseView(
        chain=text(fields, "chain"),
        height=None if height is None else int(height),
        block=text(fields, "block"),
        error=text(fields, "error"),
    )
    return None if found == CauseView() else found


def _checked(checked: Checked | None) -> dict[str, object] | None:
    return None if checked is None else msgspec.to_builtins(checked)


def _checked_of(fields: Mapping[str, str]) -> dict[str, object] | None:
    try:
        return _checked(msgspec.json.decode(fields.get("checked") or "null", type=Checked | None))
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
