"""`show`, `diff` and `stats`: one run, two, and the last of a target."""

import asyncio
from difflib import get_close_matches
from typing import Annotated

import typer

from controller.base.durations import format_duration
from controller.base.text import shown
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_names
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.cli.telling import print_headed, print_view, say_partial, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.named_runs import named_run
from controller.inspection.remembered import Memory
from controller.settings.options import COMPARE_URL, OF_THE_CLUSTER, OF_THE_STORE
from controller.views.run import RunView
from controller.views.run_lines import Difference, difference, lines_of_run
from controller.views.statistics import Statistics, plot_of, statistics_of

_RUN = "[TARGET/]RUN|[NAMESPACE/]NAME"
_MEANT = "a run's id; or a Deployment, for its open or last run"
_BY_VERSION = (
    Column("VERSION"),
    Column("PASSED"),
    Column("FAILED"),
    Column("ABORTED", drop=1),
    Column("MEDIAN"),
)


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def show(
    *,
    run: Annotated[str, typer.Argument(help=_MEANT, metavar=_RUN)],
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show everything that is known of a run.

    bootstrap-controller show fuji-full-sync/20261123t060000z-1a2b3c4d
    """
    (found,) = asyncio.run(_runs([run], flags))
    if output is Format.JSON:
        print_view(found)
    elif output is Format.NAME:
        print_names([f"{found.target}/{found.run}"])
    else:
        print_headed(lines_of_run(found))


@takes(*OF_THE_CLUSTER, *OF_THE_STORE, COMPARE_URL)
def diff(
    *,
    one: Annotated[str, typer.Argument(help=_MEANT, metavar=_RUN)],
    other: Annotated[str, typer.Argument(help="the run to compare with it", metavar=_RUN)],
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Lay two runs side by side: builds, durations by stage, machines, outcomes.

    `*` marks what differs; of durations, what differs by more than a twentieth.
    """
    left, right = asyncio.run(_runs([one, other], flags))
    found = difference(left, right, reading_settings(flags).engine.compare_url)
    if output is Format.JSON:
        print_view(found)
    elif output is Format.NAME:
        print_names("/".join(run.key) for run in (left, right))
    else:
        _print_difference(found)


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def stats(
    *,
    target: Annotated[str, typer.Argument(help="such as fuji-full-sync", metavar="TARGET")],
    last: Annotated[int, typer.Option("--last", min=1, max=1000, help="of so many runs")] = 30,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Say how long the last runs of a target took, whether that changes, and how they ended."""
    found = asyncio.run(_statistics(target, last, flags))
    if output is Format.JSON:
        print_view(found)
    else:
        _print_statistics(found)


async def _runs(names: list[str], flags: Flags) -> list[RunView]:
    """Ends the command where one is not known."""
    found = []
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        memories = await Memory(inspection).read()
        for name in names:
            run = await named_run(memories, name)
            if isinstance(run, str):
                say_trouble(memories.trouble)
                say_partial(memories.reading.partial)
                typer.echo(shown(run, 1000), err=True)
                raise typer.Exit(NOTHING_FOUND)
            found.append(run)
    say_trouble(memories.trouble)
    say_partial(memories.reading.partial)
    return found


async def _statistics(target: str, last: int, flags: Flags) -> Statistics:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        memories = await Memory(inspection).read()
        runs = await memories.reading.ended(target, limit=last)
    say_trouble(memories.trouble)
    partial = memories.reading.partial
    say_partial(partial)
    if runs:
        return statistics_of(target, runs, partial)
    close = get_close_matches(target, memories.targets, n=5, cutoff=0.4) or memories.targets[:5]
    offered = f": there are {', '.join(close)}" if close and target not in close else ""
    typer.echo(f"no run of '{shown(target, 80)}' is over, as far as is known{offered}", err=True)
    raise typer.Exit(NOTHING_FOUND)


def _print_difference(found: Difference) -> None:
    columns = (
        Column(""),
        Column(""),
        Column(found.one.run, least=24),
        Column(found.other.run, least=24),
    )
    rows = [("*" if x.differs else " ", x.heading, x.one, x.other) for x in found.lines]
    out = console()
    print_lines(out, lines_of(columns, rows, out.width if out.is_terminal else None))
    if found.link:
        typer.echo(f"\n{found.link}")


def _print_statistics(found: Statistics) -> None:
    lines = [
        ("target", found.target),
        ("runs", f"{found.runs}: {found.passed} passed, {found.failed} failed,"
                 f" {found.aborted} aborted"),
    ]  # fmt: skip
    if found.median is not None:
        assert found.least is not None
        assert found.greatest is not None
        least, greatest = format_duration(found.least), format_duration(found.greatest)
        lines.append(("median", f"{format_duration(found.median)}, of {found.timed} passes"))
        if found.quartiles:
            low, high = (format_duration(each) for each in found.quartiles)
            lines.append(("half of them", f"{low} to {high}"))
        lines.append(("all", f"{least} to {greatest}"))
        lines.append(("oldest to newest", plot_of(found.durations[-60:])))
    if found.trend is not None:
        lines.append(("newer half", f"{found.trend:+.0%} of the older half's median"))
    print_headed(lines)
    typer.echo("")
    rows = [
        (v.version or "not known", str(v.passed), str(v.failed), str(v.aborted),
         format_duration(v.median) if v.median else "")
        for v in found.versions
    ]  # fmt: skip
    out = console()
    print_lines(out, lines_of(_BY_VERSION, rows, out.width if out.is_terminal else None))
    raise typer.Exit(DONE)
