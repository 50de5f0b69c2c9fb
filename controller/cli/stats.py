"""`stats`: how long the last runs of a target took, and how they ended."""

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from controller.base.durations import format_duration
from controller.cli import completion
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_names, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.cli.telling import headed, print_view, say, say_partial, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.nearest import no_run_of
from controller.inspection.remembered import Memory
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.views.statistics import Statistics, plot_of, statistics_of

_BY_VERSION = (
    Column("VERSION"),
    Column("PASSED"),
    Column("FAILED"),
    Column("ABORTED", drop=1),
    Column("MEDIAN"),
)
_BARS = 60  # of the plot, where the terminal has no more room or there is none


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def stats(
    *,
    target: Annotated[
        str,
        typer.Argument(
            help="such as fuji-full-sync", metavar="TARGET", autocompletion=completion.targets
        ),
    ],
    last: Annotated[int, typer.Option("--last", min=1, max=1000, help="of so many runs")] = 30,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Say how long the last runs of a target took, whether that changes, and how they ended."""
    found = asyncio.run(_statistics(target, last, flags))
    if output is Format.JSON:
        print_view(found)
    elif output is Format.NAME:
        print_names([found.target])
    else:
        out = console()
        print_lines(out, table_lines(found, width_for(output, out), wide=output is Format.WIDE))


async def _statistics(target: str, last: int, flags: Flags) -> Statistics:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        memories = await Memory(inspection).read()
        runs = await memories.reading.ended(target, limit=last)
    say_trouble(memories.trouble)
    partial = memories.reading.partial
    say_partial(partial)
    if runs:
        return statistics_of(target, runs, partial)
    say(no_run_of(target, memories.targets), err=True)
    raise typer.Exit(NOTHING_FOUND)


def table_lines(found: Statistics, width: int | None, *, wide: bool = False) -> list[Text]:
    """width: of the terminal in characters; None for none. wide: each duration has its bar."""
    rows = [
        (v.version or "not known", str(v.passed), str(v.failed), str(v.aborted),
         format_duration(v.median) if v.median else "")
        for v in found.versions
    ]  # fmt: skip
    return [
        *map(Text, headed(_summary(found, len(found.durations) if wide else _BARS), width)),
        Text(""),
        *lines_of(_BY_VERSION, rows, width),
    ]


def _summary(found: Statistics, bars: int) -> list[tuple[str, str]]:
    """Heading and text. bars: at most so many durations are drawn, the newest."""
    ends = f"{found.passed} passed, {found.failed} failed, {found.aborted} aborted"
    lines = [("target", found.target), ("runs", f"{found.runs}: {ends}")]
    if found.median is not None:
        assert found.least is not None
        assert found.greatest is not None
        least, greatest = format_duration(found.least), format_duration(found.greatest)
        lines.append(("median", f"{format_duration(found.median)}, of {found.timed} passes"))
        if found.quartiles:
            low, high = (format_duration(each) for each in found.quartiles)
            lines.append(("half of them", f"{low} to {high}"))
        lines.append(("all", f"{least} to {greatest}"))
        lines.append(("oldest to newest", plot_of(found.durations[-bars:])))
    if found.trend is not None:
        lines.append(("newer half", f"{found.trend:+.0%} of the older half's median"))
    return lines
