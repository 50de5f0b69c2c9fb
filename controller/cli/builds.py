"""`builds`: which builds were seen, and what became of each."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from controller.base.durations import format_duration
from controller.base.errors import Fault
from controller.base.instants import minute
from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_names, short, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.cli.telling import duration, print_view, say, say_partial, say_trouble
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
from controller.views.known_builds import KnownBuilds, Place, known_builds
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
    before: Annotated[
        str | None,
        typer.Option("--before", help="only those that come after this one", metavar="DIGEST"),
    ] = None,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show the builds that were seen, newest first: when, where tested, where passed by.

    bootstrap-controller builds --since 30d --store redis://localhost:6379

    bootstrap-controller builds v1.14.1
    """
    longest = None if since is None else duration("--since", since)
    found = asyncio.run(_builds(Question(tag, limit, longest, before), flags))
    say_trouble(found.trouble)
    say_partial(found.partial)
    if output is Format.JSON:
        print_view(found.builds)
    elif output is Format.NAME:
        print_names(build.build for build in found.builds)
    elif found.builds:
        out = console()
        print_lines(out, table_lines(found.builds, width_for(output, out)))
        if found.older:
            last = short(found.builds[-1].build)
            more = f"--limit shows more, --before {last} what comes then"
            say(f"{found.older} older ones are not shown: {more}", err=True)
    if not found.builds:
        _say_nothing(tag, found.nearest)
        raise typer.Exit(NOTHING_FOUND)


def table_lines(found: Sequence[BuildView], width: int | None) -> list[Text]:
    """width: of the terminal in characters; None for none."""
    return lines_of(COLUMNS, [_cells(build) for build in found], width)


@dataclass(frozen=True)
class Question:
    """As it was typed; None: not asked for."""

    tag: str | None
    limit: int
    since: float | None  # seconds
    before: str | None  # digest, or its beginning


@dataclass(frozen=True)
class Found:
    """What is shown."""

    builds: list[BuildView]  # newest first
    older: int  # that are not shown
    nearest: list[str]  # names that may have been meant, where nothing was found
    trouble: str  # why the store told less
    partial: str  # how far was looked


async def _builds(question: Question, flags: Flags) -> Found:
    """Raises Fault for a --before that is no build."""
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        memories = await Memory(inspection).read()
        known = await known_builds(memories.reading, memories.targets)
        digests = known.after(_place(question.before, known))
        close: list[str] = []
        if question.tag is not None or question.since is not None:
            names = await known.names()
            wanted = {build.build for build in _asked(question, names, known, memories)}
            digests = [digest for digest in digests if digest in wanted]
            close = [] if digests else nearest(question.tag or "", names)
        builds = await known.views(digests[: question.limit])
    older = len(digests) - len(builds)
    return Found(builds, older, close, memories.trouble, memories.reading.partial)


def _place(before: str | None, known: KnownBuilds) -> Place | None:
    if before is None:
        return None
    digits = before.removeprefix("sha256:")
    found = known.beginning(f"sha256:{digits}") if digits else []
    if len(found) != 1:
        what = "several builds" if found else "no build that is known"
        raise Fault(f"--before: '{shown(before, 80)}' is {what}: write more of its digest")
    return known.place(found[0])


def _asked(
    question: Question, names: list[BuildView], known: KnownBuilds, memories: Memories
) -> Iterator[BuildView]:
    """Those that a Deployment saw that follows the tag, and those that are called so."""
    tag, begin = question.tag, 0.0
    if question.since is not None:
        begin = surroundings().clock.now().timestamp() - question.since
    following = {each.target for each in memories.deployments if each.tag == tag}
    named = {build.build for one in matches(tag or "", names) for build in one.builds}
    for build in names:
        called = tag is None or build.build in named or tag in build.tags
        if (called or known.seen_on(build.build, following)) and _heard_of(build) >= begin:
            yield build


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


def _say_nothing(tag: str | None, close: list[str]) -> None:
    if tag is None:
        say("no build has been seen here yet", err=True)
        return
    offered = f": there are {shown(', '.join(close), 400)}" if close else ""
    say(f"no build of '{shown(tag, 80)}' is known{offered}", err=True)
