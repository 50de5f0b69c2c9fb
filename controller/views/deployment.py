"""One labelled Deployment as people look at it."""

import msgspec

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.domain.objects import Deployment
from controller.domain.record.record import OpenRun, Record, record_of
from controller.views.parts import Moment, View, moment
from controller.views.run import RunView
from controller.views.run_sources import of_open, of_outcome

NOT_SEEN = "not seen by a controller yet: is one running for this namespace?"


class DeploymentView(View, frozen=True, kw_only=True):
    """How it stands now."""

    deployment: str  # `namespace/name`
    target: str = ""  # slug; empty where the manifest does not say
    tag: str = ""  # that is followed
    phase: str = ""  # of its open run, or its own; empty: no controller has seen it
    reason: str = ""
    since: Moment | None = None  # when that phase began
    message: str = ""  # one sentence why
    # Kinds of trouble that the open run has now, such as `NotMoving`; the message says more
    wrong: tuple[str, ...] = ()
    queued: str = ""  # tag or digest that a person asked for ahead of the tag
    run: RunView | None = None  # the open one
    last: RunView | None = None  # the last that is over
    fault: str = ""  # why its record cannot be read
    tested: int | None = None  # builds of its target, of `seen`; None where the store does not tell
    seen: int | None = None  # builds that its target's tag pointed to


def of_deployment(deployment: Deployment) -> DeploymentView:
    """From the object alone: what only the store knows of its runs is left out."""
    meta, record, fault = deployment.metadata, record_of(deployment), ""
    if isinstance(record, TargetFault):
        record, fault = None, str(record)
    target = tag = ""
    try:
        request = read_request(deployment, Rules())
        target, tag = str(request.target), request.track
    except TargetFault:
        pass  # what is wrong stands in the message, once a controller has seen it
    run = record.run if record else None
    last = record.outcome() if record else None
    return DeploymentView(
        deployment=meta.key,
        target=run.target if run else target,
        tag=tag,
        phase=meta.label(names.PHASE) or "",
        reason=record.reason if record else "",
        since=moment(record.since) if record else None,
        message=fault or meta.annotation(names.MESSAGE) or NOT_SEEN,
        wrong=_wrong(run) if run else (),
        queued=meta.written(names.TEST_BUILD) or "",
        run=of_open(record, run) if record and run else None,
        last=of_outcome(record, last) if record and last else None,
        fault=fault,
    )


def with_coverage(view: DeploymentView, tested: int, seen: int) -> DeploymentView:
    return msgspec.structs.replace(view, tested=tested, seen=seen)


def with_message(view: DeploymentView, message: str) -> DeploymentView:
    return msgspec.structs.replace(view, message=message)


def with_progress(
    view: DeploymentView, pace: tuple[str, ...], observed: float, left: float | None
) -> DeploymentView:
    """pace, observed, left: of its open run, as `RunView` has them."""
    if view.run is None:
        return view
    run = msgspec.structs.replace(view.run, pace=pace, observed=observed, left=left)
    return msgspec.structs.replace(view, run=run)


def _wrong(run: OpenRun) -> tuple[str, ...]:
    """Each kind once, the oldest first."""
    since = {told.type: told.since for told in run.conditions} | run.trouble
    return tuple(sorted(since, key=lambda kind: (since[kind], kind)))


def record_on(deployment: Deployment) -> Record | None:
    """Its record, where it has one that can be read."""
    record = record_of(deployment)
    return record if isinstance(record, Record) else None
