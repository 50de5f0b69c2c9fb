"""From what stands in the cluster and the store to an Observation: looking, without waiting."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.build import Build
from controller.domain.decide.observation import ClaimSeen, Observation
from controller.domain.decide.reading import Reading
from controller.domain.defaults import Rules
from controller.domain.manifest.request import RunRequest
from controller.domain.objects import Deployment, Service
from controller.domain.record.record import OpenRun, Record


def observed(
    deployment: Deployment, service: Service | None, rules: Rules, now: datetime
) -> Observation:
    """As much as the Deployment and its Service tell."""
    return observed_in(Reading(deployment, rules), service, now)


def observed_in(reading: Reading, service: Service | None, now: datetime) -> Observation:
    """The same of a Deployment that was read already."""
    deployment = reading.deployment
    return Observation(
        now=now,
        deployment=deployment,
        record_text=deployment.metadata.annotation(names.RECORD),
        record=reading.record,
        request=reading.request,
        port=reading.port(service),
        configuration=reading.configuration,
        rules=reading.rules,
    )


def needs_claims(o: Observation) -> bool:
    """An open run needs no claim, it has its own; a record that does not parse starts none."""
    return not isinstance(o.record, TargetFault) and (o.record is None or o.record.run is None)


def twin_run(o: Observation) -> OpenRun | None:
    """The open run, if another Deployment says that it tests the same build on the same target:
    whose claim it is must be asked.
    """
    run = o.record.run if isinstance(o.record, Record) else None
    if run is None:
        return None
    others = (sibling.run for sibling in o.siblings)
    same = any(r and (r.target, r.build) == (run.target, run.build) for r in others)
    return run if same else None


def contested(o: Observation) -> list[tuple[str, Build]]:
    """(target, build) of all that could be started: who has claimed it must be asked."""
    if not isinstance(o.request, RunRequest):
        return []
    target = str(o.request.target)
    return [(target, c.resolution.build) for c in o.choices if c.resolution is not None]


def with_claims(
    o: Observation, pending: ClaimSeen | None, standing: Mapping[Build, ClaimSeen]
) -> Observation:
    """pending: this Deployment's, as the store has it. standing: of what is contested."""
    record = o.record if isinstance(o.record, Record) else None
    choices = o.choices
    if standing:
        choices = tuple(
            replace(c, claim=standing.get(c.resolution.build)) if c.resolution is not None else c
            for c in o.choices
        )
    noted = pending.run if pending else ""
    return replace(o, pending=still_pending(pending, record), noted=noted, choices=choices)


def still_pending(claim: ClaimSeen | None, record: Record | None) -> ClaimSeen | None:
    """A claim whose run has come to be waits for nothing any more: the publisher settles it."""
    if claim is not None and record is not None and has_come_to_be(claim.run, record):
        return None
    return claim


def has_come_to_be(run: str, record: Record) -> bool:
    """Whether a claimed run was pinned, or a later one was: ids sort by time."""
    return run <= record.last_run
