"""`builds`: which builds were seen, and what became of each."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from controller.base.instants import minute
from controller.base.text import shown
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, short
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.cli.telling import print_view, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.remembered import Memories, Memory
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.views.build import ABORTED, CLAIMED, FAILED, OPEN, PASSED, PASSED_BY, BuildView
from controller.views.meaning import matches, nearest

COLUMNS = (
    Column("SEEN", drop=3),
    Column("BUILD"),
    Column("VERSION", drop=1),
    Column("COMMIT", drop=4),
    Column("TAGS", drop=5, least=8),
    Column("WHAT BECAME OF IT", sentence=True),
)
_ORDER = (FAILED, OPEN, PASSED, ABORTED, CLAIMED, PASSED_BY)


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def builds(
    *,
    tag: Annotated[
        str | None,
        typer.Argument(
            help="only what this tag points or pointed to; or a version, a commit, a digest",
            metavar="[TAG]",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="at most so many")] = 30,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show the builds that were seen, newest first: when, where tested, where passed by.

    bootstrap-controller builds --store redis://localhost:6379

    bootstrap-controller builds v1.14.1
    """
    found, every, trouble = asyncio.run(_builds(tag, flags))
    say_trouble(trouble)
    if output is Format.JSON:
        print_view(found[:limit])
    elif found:
        out = console()
        rows = [_cells(build) for build in found[:limit]]
        print_lines(out, lines_of(COLUMNS, rows, out.width if out.is_terminal else None))
        if len(found) > limit:
            typer.echo(f"{len(found) - limit} older ones are not shown: see --limit", err=True)
    if not found:
        _say_nothing(tag, every)
        raise typer.Exit(NOTHING_FOUND)


async def _builds(tag: str | None, flags: Flags) -> tuple[list[BuildView], list[BuildView], str]:
    """Those that are asked for, all, and why the store told less."""
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        memories = await Memory(inspection).read()
        every = await memories.reading.builds(memories.targets)
    found = every if tag is None else _of_tag(tag, every, memories)
    return found, every, memories.trouble


def _of_tag(tag: str, every: list[BuildView], memories: Memories) -> list[BuildView]:
    """Those that a Deployment saw that follows the tag, and those that are called so."""
    following = {each.target for each in memories.deployments if each.tag == tag}
    named = {build.build for one in matches(tag, every) for build in one.builds}
    return [
        build
        for build in every
        if build.build in named
        or tag in build.tags
        or any(on.seen and on.target in following for on in build.targets)
    ]


def _cells(build: BuildView) -> tuple[str, ...]:
    return (
        _minute(build.seen),
        short(build.build),
        build.version.removeprefix("avalanchego/"),
        build.commit[:8],
        " ".join(build.tags),
        _became(build),
    )


def _became(build: BuildView) -> str:
    told = []
    for state in _ORDER:
        on = [each for each in build.targets if each.state == state]
        if on:
            told.append(f"{state}: {', '.join(each.target for each in on)}")
    return "; ".join(told)


def _minute(at: datetime | None) -> str:
    return minute(at.timestamp()) if at else ""


def _say_nothing(tag: str | None, every: list[BuildView]) -> None:
    if tag is None:
        typer.echo("no build has been seen here yet", err=True)
        return
    close = nearest(tag, every)
    offered = f": there are {shown(', '.join(close), 400)}" if close else ""
    typer.echo(f"no build of '{shown(tag, 80)}' is known{offered}", err=True)
