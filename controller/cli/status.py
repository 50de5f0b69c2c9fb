"""`status`: every labelled Deployment, a row each."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer

from controller.cli import completion
from controller.cli.collecting import put_off
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_json, print_names, width_for
from controller.cli.status_look import ask_beside, look
from controller.cli.status_watch import table, watch
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import print_lines
from controller.cli.telling import say
from controller.inspection.deployments import inspecting
from controller.settings.options import ALL, NAMESPACE, OF_THE_CLUSTER, OF_THE_STORE

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Deployments; all, if none is named",
        metavar="[[NAMESPACE/]NAME...]",
        autocompletion=completion.deployments,
    ),
]


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def status(
    *,
    wanted: Names = None,
    watched: Annotated[
        bool, typer.Option("--watch", "-w", help="go on, until Ctrl-C; a pipe gets what changes")
    ] = False,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show each labelled Deployment: phase, since when, build, trouble, last outcome, message."""
    flags = in_their_namespaces(flags, wanted or [])
    # With 1,000 Deployments it would be 150 ms of 950.
    with nullcontext() if watched else put_off():
        code = asyncio.run(_status(wanted or [], flags, output, watched=watched))
    raise typer.Exit(code)


def in_their_namespaces(flags: Flags, wanted: Sequence[str]) -> Flags:
    """Where every name has its namespace and none is given besides, those are looked at."""
    spaces = [name.partition("/")[0] for name in wanted if "/" in name]
    if not spaces or len(spaces) < len(wanted) or flags[NAMESPACE.key] or flags[ALL.key]:
        return flags
    return flags | {NAMESPACE.key: list(dict.fromkeys(spaces))}


async def _status(wanted: Sequence[str], flags: Flags, output: Format, *, watched: bool) -> int:
    settings, around = reading_settings(flags), surroundings()
    async with inspecting(settings, around, alone=True) as inspection:
        if watched:
            await watch(inspection, settings, around, wanted, output)
        beside = await ask_beside(inspection, settings, around, wanted)
        seen = look(inspection, wanted, beside)
    for complaint in seen.complaints:
        say(complaint, err=True)
    if output is Format.JSON:
        print_json(seen.views)
    elif output is Format.NAME:
        print_names(view.deployment for view in seen.views)
    elif seen.views:
        out = console()
        print_lines(out, table(seen.views, around, output, width_for(output, out)))
    return NOTHING_FOUND if seen.missing or not seen.views else DONE
