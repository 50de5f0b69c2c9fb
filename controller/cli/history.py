"""`history`: what became of the builds."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from controller.base.instants import instant
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, print_json, print_names, print_table, short
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column
from controller.inspection.deployments import inspecting
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.views.history import LOOKED_THROUGH, History, HistoryLine, read_history
from controller.views.parts import moment

COLUMNS = (
    Column("TIME"),
    Column("PHASE", styled=True),
    Column("TARGET", least=20),
    Column("RUN", drop=1),
    Column("REASON", drop=2),
    Column("BUILD", drop=3),
    Column("DEPLOYMENT", drop=4),
    Column("MESSAGE", sentence=True),
)
UNTESTED = "nothing has been tested here yet"


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def history(
    *,
    target: Annotated[str | None, typer.Option("--target", help="only this target's")] = None,
    deployment: Annotated[
        str | None, typer.Option("--deployment", help="only this one's, as NAMESPACE/NAME")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="at most so many")] = 50,
    outcomes: Annotated[bool, typer.Option("--outcomes", help="only how runs ended")] = False,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show transitions, newest first: the store's, and those that only the records remember."""
    chosen = {"target": target, "deployment": deployment, "limit": limit, "outcomes": outcomes}
    found = asyncio.run(_read(flags, chosen))
    sifted = outcomes or target is not None or deployment is not None
    show(found.lines, output, "nothing matches" if sifted else UNTESTED)
    if found.cut:
        said = f"only the newest {LOOKED_THROUGH} transitions were looked through"
        more = "" if target is not None else ": --target looks through one target's alone"
        typer.echo(said + more, err=True)
    raise typer.Exit(DONE if found.lines else NOTHING_FOUND)


async def _read(flags: Flags, chosen: dict[str, Any]) -> History:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        store = await inspection.wiring.store()
        return await read_history(store, inspection.records(), **chosen)


def show(lines: list[HistoryLine], output: Format, nothing: str = UNTESTED) -> None:
    """nothing: the sentence for a person, where there is no line."""
    if output is Format.JSON:
        print_json([{**asdict(line), "at": moment(line.at)} for line in lines])
    elif output is Format.NAME:
        print_names(f"{line.target}/{line.run}" for line in lines if line.run)
    elif lines:
        print_table(COLUMNS, [cells_of(line) for line in lines], output)
    else:
        typer.echo(nothing, err=True)


def cells_of(line: HistoryLine) -> tuple[str, ...]:
    return (
        instant(line.at),
        line.phase,
        line.target,
        line.run,
        line.reason,
        short(line.build),
        line.deployment,
        line.message or ("" if line.phase else line.id),  # unreadable: what to look for
    )
