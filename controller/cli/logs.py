"""`logs`: the log of a Deployment's node."""

import asyncio
import sys
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import BAD_USAGE, DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import say
from controller.inspection.deployments import inspecting
from controller.inspection.pod_log import LogWanted, pod_log
from controller.inspection.unlabelled import why_not_found
from controller.settings.options import ALL, NAMESPACE, OF_THE_CLUSTER


@takes(*OF_THE_CLUSTER)
def logs(
    *,
    name: Annotated[
        str,
        typer.Argument(
            help="the Deployment", metavar="[NAMESPACE/]NAME", autocompletion=completion.deployments
        ),
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as it grows")] = False,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="of the process before the last restart")
    ] = False,
    container: Annotated[
        str, typer.Option("--container", "-c", help="another one than the node's", metavar="NAME")
    ] = "",
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, help="only so many of the last lines")
    ] = None,
    flags: Flags,
) -> None:
    """Print the log of a Deployment's node: of the pod that it has now."""
    wanted, slash, _ = name.partition("/")
    if slash and flags[NAMESPACE.key] is None and not flags[ALL.key]:
        flags |= {NAMESPACE.key: [wanted]}
    raise typer.Exit(asyncio.run(_logs(name, flags, LogWanted(container, previous, follow, tail))))


async def _logs(name: str, flags: Flags, wanted: LogWanted) -> int:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        keys = inspection.find(name)
        if len(keys) > 1:
            several = f"'{shown(name)}' names several: write one of {', '.join(keys)}"
            say(several, err=True)
            return BAD_USAGE
        if not keys:
            why = await why_not_found(
                inspection.wiring, inspection.client, name, inspection.cluster.keys()
            )
            say(why, err=True)
            return NOTHING_FOUND
        async for text in pod_log(inspection, keys[0], wanted):
            sys.stdout.write(text)
            sys.stdout.flush()
    return DONE
