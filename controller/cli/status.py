"""`status`: every labelled Deployment, a line each."""

import asyncio
from typing import Any

import typer

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.cli import flags
from controller.cli.common import reading_settings, surroundings
from controller.cli.output import Format, Output, instant, print_json, print_rows, short
from controller.domain import names
from controller.domain.rules import Rules
from controller.domain.subject import read_subject
from controller.inspection.opening import Standing, inspecting

HEADINGS = ("DEPLOYMENT", "TARGET", "BUILD", "PHASE", "SINCE", "LAST OUTCOME", "MESSAGE")


def status(
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """Show each labelled Deployment: target, build, phase, since when, last outcome, message."""
    given = dict(locals())
    del given["output"]
    raise typer.Exit(asyncio.run(_status(given, output)))


async def _status(given: dict[str, Any], output: Format) -> int:
    around = surroundings()
    async with inspecting(reading_settings(given), around) as inspection:
        rows = [row_of(standing) for standing in inspection.standings()]
    if output is Format.JSON:
        print_json(rows)
        return 0 if rows else 3
    if not rows:
        typer.echo(
            f'no Deployment has the label {names.TEST}: "true" here (see -n and -A)', err=True
        )
        return 3
    now = around.clock.now().timestamp()
    print_rows(HEADINGS, [_cells(row, now) for row in rows])
    return 0


def row_of(standing: Standing) -> dict[str, Any]:
    """One Deployment in plain values, as `--output json` prints it; times in seconds since 1970."""
    meta, record = standing.deployment.metadata, standing.record
    try:
        target = str(read_subject(standing.deployment, Rules()).target)
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
        "message": standing.fault
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
        f"{last['phase']} ({last['reason']}) {instant(last['at'])}" if last else "",
        row["message"],
    )
