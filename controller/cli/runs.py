"""`show` and `diff`: everything known of one run, and two laid side by side."""

import asyncio
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli import completion
from controller.cli.diff_table import table_lines
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_names, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import print_lines
from controller.cli.telling import print_headed, print_view, say, say_partial, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.named_runs import named_run
from controller.inspection.remembered import Memory
from controller.settings.options import COMPARE_URL, OF_THE_CLUSTER, OF_THE_STORE
from controller.views.run import RunView
from controller.views.run_lines import difference, lines_of_run

_RUN = "[TARGET/]RUN|[NAMESPACE/]NAME"
_Run = Annotated[
    str,
    typer.Argument(
        help="a run's id; or a Deployment, for its open or last run",
        metavar=_RUN,
        autocompletion=completion.runs,
    ),
]


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def show(
    *,
    run: _Run,
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
        print_headed(lines_of_run(found), width_for(output, console()))


@takes(*OF_THE_CLUSTER, *OF_THE_STORE, COMPARE_URL)
def diff(
    *,
    one: _Run,
    other: Annotated[
        str,
        typer.Argument(
            help="the run to compare with it", metavar=_RUN, autocompletion=completion.runs
        ),
    ],
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Lay two runs side by side: builds, durations by stage, machines, outcomes.

    `*` marks what differs; of durations, what differs by more than a twentieth. Where the terminal
    has no room for two columns, 1 is the first of them and 2 the other.
    """
    left, right = asyncio.run(_runs([one, other], flags))
    found = difference(left, right, reading_settings(flags).engine.compare_url)
    if output is Format.JSON:
        print_view(found)
    elif output is Format.NAME:
        print_names("/".join(run.key) for run in (left, right))
    else:
        out = console()
        print_lines(out, table_lines(found, width_for(output, out)))


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
                say(shown(run, 1000), err=True)
                raise typer.Exit(NOTHING_FOUND)
            found.append(run)
    say_trouble(memories.trouble)
    say_partial(memories.reading.partial)
    return found
