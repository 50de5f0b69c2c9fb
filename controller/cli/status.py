"""`status`: every labelled Deployment, a line each."""

import asyncio
from typing import Any

import typer

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.base.instants import instant
from controller.base.text import shown
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, print_json, print_rows, short
from controller.cli.surroundings import reading_settings, surroundings
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.inspection.coverage import Covered, read_coverage
from controller.inspection.deployments import InspectedDeployment, inspecting
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE

TESTED = "TESTED"  # the only column that needs the store: left out where no row has it
HEADINGS = ("DEPLOYMENT", "TARGET", "BUILD", "PHASE", "SINCE", TESTED, "LAST OUTCOME", "MESSAGE")


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def status(*, flags: Flags, output: Output = Format.TABLE) -> None:
    """Show each labelled Deployment: target, build, phase, since, tested, last outcome, message."""
    raise typer.Exit(asyncio.run(_status(flags, output)))


async def _status(flags: Flags, output: Format) -> int:
    settings, around = reading_settings(flags), surroundings()
    async with inspecting(settings, around) as inspection:
        inspected = inspection.inspected()
    rows = [row_of(each) for each in inspected]
    targets = [row["target"] for row in rows if row["target"]]
    coverage = await read_coverage(settings, around, inspected, targets)
    for row in rows:
        row |= _coverage(coverage.by_target.get(row["target"]))
    if coverage.trouble:
        why = shown(coverage.trouble, 400)
        typer.echo(f"{TESTED} is empty where the store does not tell: {why}", err=True)
    if output is Format.JSON:
        print_json(rows)
        return DONE if rows else NOTHING_FOUND
    if not rows:
        typer.echo(
            f'no Deployment has the label {names.TEST}: "true" here (see -n and -A)', err=True
        )
        return NOTHING_FOUND
    now = around.clock.now().timestamp()
    _print([_cells(row, now) for row in rows])
    return DONE


def _coverage(covered: Covered | None) -> dict[str, int | None]:
    """The builds of a row's target; None where the store does not tell."""
    return {
        "tested": covered.tested if covered else None,
        "seen": covered.seen if covered else None,
    }


def row_of(each: InspectedDeployment) -> dict[str, Any]:
    """One Deployment in plain values, as `--output json` prints it; times in seconds since 1970.
    What only the store knows, `tested` and `seen`, is None.
    """
    meta, record = each.deployment.metadata, each.record
    try:
        target = str(read_request(each.deployment, Rules()).target)
    except TargetFault:
        target = ""
    run = record.run if record else None
    outcome = record.outcome() if record else None
    return {
        "deployment": meta.key,
        "target": run.target if run else target,
        "build": run.build if run else outcome.build if outcome else "",
        "run": run.id if run else "",
        "phase": meta.label(names.PHASE) or "",
        "since": record.since if record else None,
        "reason": record.reason if record else "",
        **_coverage(None),
        "last_outcome": None
        if outcome is None
        else {
            "run": outcome.run,
            "build": outcome.build,
            "phase": str(outcome.phase),
            "reason": outcome.reason,
            "at": outcome.at,
            "message": outcome.message,
        },
        "message": each.fault
        or meta.annotation(names.MESSAGE)
        or "not seen by a controller yet: is one running for this namespace?",
    }


def _cells(row: dict[str, Any], now: float) -> tuple[str, ...]:
    last = row["last_outcome"]
    since = f"{format_duration(now - row['since'])} ago" if row["since"] else ""
    return (
        row["deployment"],
        row["target"],
        short(row["build"]),
        row["phase"],
        since,
        "" if row["seen"] is None else f"{row['tested']}/{row['seen']}",
        f"{last['phase']} ({last['reason']}) {instant(last['at'])}" if last else "",
        row["message"],
    )


def _print(rows: list[tuple[str, ...]]) -> None:
    at = HEADINGS.index(TESTED)
    if any(row[at] for row in rows):
        print_rows(HEADINGS, rows)
    else:
        print_rows(_without(at, HEADINGS), [_without(at, row) for row in rows])


def _without(at: int, cells: tuple[str, ...]) -> tuple[str, ...]:
    return cells[:at] + cells[at + 1 :]
