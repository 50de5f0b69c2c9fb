"""`builds`: which builds were seen, and what became of each."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from controller.base.durations import format_duration
from controller.base.instants import minute
from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_names, short, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.cli.telling import duration, print_view, say, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.remembered import Memories, Memory
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.views.build import (
    ABORTED,
    CLAIMED,
    FAILED,
    OPEN,
    PASSED,
    PASSED_BY,
    BuildOnTarget,
    BuildView,
)
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
            autocompletion=completion.builds,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="at most so many")] = 30,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="only those heard of in this time, such as 30d", metavar="DURATION"
        ),
    ] = None,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show the builds that were seen, newest first: when, where tested, where passed by.

    bootstrap-controller builds --since 30d --store redis://localhost:6379

    bootstrap-controller builds v1.14.1
    """
    found, every, trouble = asyncio.run(_builds(tag, flags))
    say_trouble(trouble)
    if since is not None:
        longest = duration("--since", since)
        begin = surroundings().clock.now().timestamp() - longest
        found = [build for build in found if _heard_of(build) >= begin]
    if output is Format.JSON:
        print_view(found[:limit])
    elif output is Format.NAME:
        print_names(build.build for build in found[:limit])
    elif found:
        out = console()
        print_lines(out, table_lines(found[:limit], width_for(output, out)))
        if len(found) > limit:
            say(f"{len(found) - limit} older ones are not shown: see --limit", err=True)
    if not found:
        _say_nothing(tag, every)
        raise typer.Exit(NOTHING_FOUND)


def table_lines(found: Sequence[BuildView], width: int | None) -> list[Text]:
    """width: of the terminal in characters; None for none."""
    return lines_of(COLUMNS, [_cells(build) for build in found], width)


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


def _heard_of(build: BuildView) -> float:
    """When it was last seen or tested anew, in seconds since 1970."""
    ends = [on.run.ended or on.run.decided for on in build.targets if on.run]
    return max((at.timestamp() for at in (*ends, build.seen) if at), default=0.0)


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
            told.append(f"{state}: {', '.join(map(_where, on))}")
    return "; ".join(told)


def _where(on: BuildOnTarget) -> str:
    """The target, with how long a pass took."""
    took = on.run.took if on.run and on.state == PASSED else None
    return f"{on.target} ({format_duration(took)})" if took else on.target


def _minute(at: datetime | None) -> str:
    return minute(at.timestamp()) if at else ""


def _say_nothing(tag: str | None, every: list[BuildView]) -> None:
    if tag is None:
        say("no build has been seen here yet", err=True)
        return
    close = nearest(tag, every)
    offered = f": there are {shown(', '.join(close), 400)}" if close else ""
    say(f"no build of '{shown(tag, 80)}' is known{offered}", err=True)
