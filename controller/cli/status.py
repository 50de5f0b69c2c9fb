"""`status`: every labelled Deployment, a row each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.nearest import not_here
from controller.cli.output import (
    Format,
    Output,
    console,
    print_json,
    print_names,
    width_for,
)
from controller.cli.status_table import TESTED, columns_of, rows_of
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import lines_of, print_lines
from controller.domain import names
from controller.inspection.activity import nobody_active
from controller.inspection.coverage import read_coverage
from controller.inspection.deployments import InspectedDeployment, Inspection, inspecting
from controller.process.wiring import Surroundings
from controller.settings.options import ALL, NAMESPACE, OF_THE_CLUSTER, OF_THE_STORE
from controller.settings.settings import Settings
from controller.views.deployment import DeploymentView, of_deployment, with_coverage

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Deployments; all, if none is named", metavar="[[NAMESPACE/]NAME...]"),
]
NOTHING = f'no Deployment has the label {names.TEST}: "true" here (see -n and -A)'


@dataclass(frozen=True)
class Seen:
    """One look."""

    views: list[DeploymentView]  # of what was asked for, by name
    complaints: list[str]  # a sentence each, for standard error
    missing: bool  # something that was asked for is not there


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def status(*, wanted: Names = None, flags: Flags, output: Output = Format.TABLE) -> None:
    """Show each labelled Deployment: phase, since when, build, trouble, last outcome, message."""
    flags = in_their_namespaces(flags, wanted or [])
    raise typer.Exit(asyncio.run(_status(wanted or [], flags, output)))


def in_their_namespaces(flags: Flags, wanted: Sequence[str]) -> Flags:
    """Where every name has its namespace and none is given besides, those are looked at."""
    spaces = [name.partition("/")[0] for name in wanted if "/" in name]
    if not spaces or len(spaces) < len(wanted) or flags[NAMESPACE.key] or flags[ALL.key]:
        return flags
    return flags | {NAMESPACE.key: list(dict.fromkeys(spaces))}


async def _status(wanted: Sequence[str], flags: Flags, output: Format) -> int:
    settings, around = reading_settings(flags), surroundings()
    async with inspecting(settings, around) as inspection:
        seen = await look(inspection, settings, around, wanted)
    for complaint in seen.complaints:
        typer.echo(complaint, err=True)
    if output is Format.JSON:
        print_json(seen.views)
    elif output is Format.NAME:
        print_names(view.deployment for view in seen.views)
    elif seen.views:
        out = console()
        width, wide = width_for(output, out), output is Format.WIDE
        rows = rows_of(seen.views, around.clock.now().timestamp(), width, wide=wide)
        print_lines(out, lines_of(columns_of(wide=wide), rows, width))
    return NOTHING_FOUND if seen.missing or not seen.views else DONE


async def look(
    inspection: Inspection, settings: Settings, around: Surroundings, wanted: Sequence[str]
) -> Seen:
    """At those of the Deployments that are named, or at all; and at the store and the Lease."""
    inspected, complaints = inspection.inspected(), []
    keys = [each.deployment.metadata.key for each in inspected]
    missing = [name for name in wanted if not inspection.find(name)]
    complaints += [not_here(name, keys) for name in missing]
    chosen = [each for each in inspected if not wanted or _is_named(each, wanted)]
    views = [of_deployment(each.deployment) for each in chosen]
    targets = [view.target for view in views if view.target]
    coverage = await read_coverage(settings, around, inspected, targets)
    if coverage.trouble:
        why = shown(coverage.trouble, 400)
        complaints.append(f"{TESTED} is empty where the store does not tell: {why}")
    if nobody := await nobody_active(inspection, chosen):
        complaints.append(shown(nobody, 600))
    if not inspected:
        complaints.append(NOTHING)
    for at, view in enumerate(views):
        if covered := coverage.by_target.get(view.target):
            views[at] = with_coverage(view, covered.tested, covered.seen)
    return Seen(views, complaints, bool(missing))


def _is_named(each: InspectedDeployment, wanted: Sequence[str]) -> bool:
    meta = each.deployment.metadata
    return meta.key in wanted or meta.name in wanted
