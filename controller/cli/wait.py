"""`wait`: until something has come to a Deployment."""

import asyncio
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import duration
from controller.inspection.deployments import inspecting
from controller.inspection.waiting import Awaited, Tell, wait_for
from controller.settings.options import ALL, NAMESPACE, OF_THE_CLUSTER


@takes(*OF_THE_CLUSTER)
def wait(
    *,
    name: Annotated[str, typer.Argument(help="the Deployment", metavar="[NAMESPACE/]NAME")],
    wanted: Annotated[
        Awaited,
        typer.Option(
            "--for",
            help="passed, verdict (passed or failed), or idle (no run open, no build due)",
        ),
    ] = Awaited.VERDICT,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="such as 12h", metavar="DURATION")
    ] = None,
    flags: Flags,
) -> None:
    """Wait until the run of a Deployment has passed or has a verdict, or until nothing is due.

    The run is the open one; or the next, where a person has asked for one; or else the last.
    Exits with 0 when what is waited for has come, and with 1 when it cannot come any more, such as
    after a failure, or when the time is over.

    bootstrap-controller wait fuji --for passed --timeout 2d && notify-send done
    """
    longest = None if timeout is None else duration("--timeout", timeout)
    namespace, slash, _ = name.partition("/")
    if slash and flags[NAMESPACE.key] is None and not flags[ALL.key]:
        flags |= {NAMESPACE.key: [namespace]}
    raise typer.Exit(asyncio.run(_wait(name, wanted, longest, flags)))


async def _wait(name: str, wanted: Awaited, longest: float | None, flags: Flags) -> int:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        keys = inspection.find(name)
        if len(keys) > 1:
            typer.echo(f"'{shown(name)}' names several: {', '.join(keys)}", err=True)
            return BAD_USAGE
        if not keys:
            typer.echo(f"no labelled Deployment '{shown(name)}' is here: see `status`", err=True)
            return NOTHING_FOUND
        stand = await wait_for(inspection, keys[0], wanted, _Aloud(), longest)
    if not stand.over:
        typer.echo(f"the time of --timeout is over: {shown(stand.said, 800)}", err=True)
        return FAILED
    typer.echo(shown(stand.said, 800), err=not stand.met)
    return DONE if stand.met else FAILED


class _Aloud(Tell):
    def say(self, sentence: str) -> None:
        typer.echo(shown(sentence, 800), err=True)
