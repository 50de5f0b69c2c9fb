"""`wait`: until something has come to a Deployment."""

import asyncio
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, print_names
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import duration, print_view, say
from controller.inspection.deployments import inspecting
from controller.inspection.unlabelled import why_not_found
from controller.inspection.waiting import Awaited, Stand, Tell, wait_for
from controller.settings.options import ALL, NAMESPACE, OF_THE_CLUSTER
from controller.views.deployment import DeploymentView, of_deployment


@takes(*OF_THE_CLUSTER)
def wait(
    *,
    name: Annotated[
        str,
        typer.Argument(
            help="the Deployment", metavar="[NAMESPACE/]NAME", autocompletion=completion.deployments
        ),
    ],
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
    output: Output = Format.TABLE,
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
    raise typer.Exit(asyncio.run(_wait(name, wanted, longest, flags, output)))


async def _wait(
    name: str, wanted: Awaited, longest: float | None, flags: Flags, output: Format
) -> int:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        keys = inspection.find(name)
        if len(keys) > 1:
            several = f"'{shown(name)}' names several: write one of {', '.join(keys)}"
            say(several, err=True)
            return BAD_USAGE
        if not keys:
            say(
                await why_not_found(
                    inspection.wiring, inspection.client, name, inspection.cluster.keys()
                ),
                err=True,
            )
            return NOTHING_FOUND
        stand = await wait_for(inspection, keys[0], wanted, _Aloud(), longest)
        left = inspection.cluster.deployment(keys[0])
    over = "" if stand.over else "the time of --timeout is over: "
    if output is Format.JSON:
        print_view(_plain(wanted, stand, None if left is None else of_deployment(left)))
    elif output is Format.NAME:
        print_names(keys if stand.met else ())
    if over or output.for_people:
        say(f"{over}{shown(stand.said, 800)}", err=not stand.met)
    return DONE if stand.met else FAILED


def _plain(wanted: Awaited, stand: Stand, left: DeploymentView | None) -> dict[str, object]:
    """left: the Deployment as it was left; None: it is gone."""
    return {
        "for": str(wanted),
        "met": stand.met,
        "timed_out": not stand.over,
        "message": shown(stand.said, 1000),
        "deployment": left,
    }


class _Aloud(Tell):
    def say(self, sentence: str) -> None:
        say(shown(sentence, 800), err=True)
