"""One look for `status`: at the Deployments, at what the store tells beside, and at the Lease."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.base.text import shown
from controller.cli.status_table import TESTED
from controller.domain import names
from controller.domain.objects import Deployment
from controller.inspection.activity import nobody_active
from controller.inspection.coverage import Coverage, read_coverage
from controller.inspection.deployments import InspectedDeployment, Inspection
from controller.inspection.nearest import not_here
from controller.inspection.open_runs import read_progress
from controller.inspection.progress_and_coverage import Remembered
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from controller.views.deployment import (
    DeploymentView,
    of_deployment,
    with_coverage,
    with_progress,
)

NOTHING = f'no Deployment has the label {names.TEST}: "true" here (see -n and -A)'


@dataclass(frozen=True)
class Beside:
    """What the Deployments themselves do not tell."""

    coverage: Coverage
    progress: dict[str, Remembered]  # of the open runs, by the Deployment's key
    # What was seen of each Deployment then, by its key, with the object that it was seen of: what
    # has not changed since is not read again
    views: Mapping[str, tuple[Deployment, DeploymentView]]
    nobody: str  # why nothing will happen, in one sentence; empty: a controller is there


@dataclass(frozen=True)
class Seen:
    """One look."""

    views: list[DeploymentView]  # of what was asked for, by name
    complaints: list[str]  # a sentence each, for standard error
    missing: bool  # something that was asked for is not there


async def ask_beside(
    inspection: Inspection, settings: Settings, around: Surroundings, wanted: Sequence[str]
) -> Beside:
    """Of those of the Deployments that are named, or of all. Whatever the store does, it is told
    and not raised.
    """
    inspected = inspection.inspected()
    chosen = [each for each in inspected if not wanted or _is_named(each, wanted)]
    seen = {each.deployment.metadata.key: (each.deployment, _view(each)) for each in chosen}
    targets = [view.target for _, view in seen.values() if view.target]
    coverage, progress, nobody = await asyncio.gather(
        read_coverage(settings, around, inspected, targets),
        read_progress(settings, around, inspected, chosen),
        nobody_active(inspection, chosen),
    )
    return Beside(coverage, progress, seen, nobody)


def look(inspection: Inspection, wanted: Sequence[str], beside: Beside) -> Seen:
    """At those of the Deployments that are named, or at all, as they are now."""
    missing = [name for name in wanted if not inspection.find(name)]
    keys = list(inspection.cluster.keys())
    complaints = [not_here(name, keys) for name in missing]
    if beside.coverage.trouble:
        why = shown(beside.coverage.trouble, 400)
        complaints.append(f"{TESTED} is empty where the store does not tell: {why}")
    if beside.nobody:
        complaints.append(shown(beside.nobody, 600))
    if not keys:
        complaints.append(NOTHING)
    chosen = (each for each in inspection.inspected() if not wanted or _is_named(each, wanted))
    views = [_with(_seen(each, beside), beside) for each in chosen]
    return Seen(views, complaints, bool(missing))


def _is_named(each: InspectedDeployment, wanted: Sequence[str]) -> bool:
    meta = each.deployment.metadata
    return meta.key in wanted or meta.name in wanted


def _view(each: InspectedDeployment) -> DeploymentView:
    return of_deployment(each.deployment)


def _seen(each: InspectedDeployment, beside: Beside) -> DeploymentView:
    deployment, view = beside.views.get(each.deployment.metadata.key, (None, None))
    return view if view is not None and deployment is each.deployment else _view(each)


def _with(view: DeploymentView, beside: Beside) -> DeploymentView:
    if covered := beside.coverage.by_target.get(view.target):
        view = with_coverage(view, covered.tested, covered.seen)
    told = beside.progress.get(view.deployment)
    if told is not None and told.progress is not None:
        left = told.estimate.seconds if told.estimate else None
        view = with_progress(view, told.pace, told.observed, left)
    return view
