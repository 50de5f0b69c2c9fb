"""The levers: `suspend`, `resume`, `retest`, `abort`, `end-hold` and `test-build`. Each only writes
an annotation, which the controller sees and acts on.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer

from controller.base.errors import Fault
from controller.base.text import cut_bytes, shown
from controller.cli import completion
from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Command, Flags, takes
from controller.cli.output import Format, Output, print_json, print_names
from controller.cli.qualify import Form
from controller.cli.queued_build import follow
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import duration, say
from controller.inspection import lever_annotations as levers
from controller.inspection.lever_annotations import Lever, Result
from controller.inspection.lever_writer import Chosen, Pulled, open_hand
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE, REGISTRY, REGISTRY_AUTH

WHO_BYTES = 40  # of the 64 of a lever's value; instant and ` by ` take the rest

_DEPLOYMENTS = typer.Argument(
    help="Deployments", metavar="[NAMESPACE/]NAME...", autocompletion=completion.deployments
)
Names = Annotated[list[str], _DEPLOYMENTS]
SomeNames = Annotated[list[str] | None, _DEPLOYMENTS]
All = Annotated[bool, typer.Option("--all", help="every labelled Deployment instead of names")]


def command_of(lever: Lever, *, takes_all: bool = False) -> Command:
    """The command that pulls it on the Deployments that are named; takes_all: `--all` may stand
    instead of names.
    """

    @takes(*OF_THE_CLUSTER)
    def on_named(*, names: Names, flags: Flags, output: Output = Format.TABLE) -> None:
        _pull(lever, names, flags, output)

    @takes(*OF_THE_CLUSTER)
    def on_named_or_all(
        *,
        names: SomeNames = None,
        everyone: All = False,
        flags: Flags,
        output: Output = Format.TABLE,
    ) -> None:
        _pull(lever, names or [], flags, output, everyone=everyone)

    return on_named_or_all if takes_all else on_named


suspend = command_of(levers.suspend, takes_all=True)
resume = command_of(levers.resume, takes_all=True)
retest = command_of(levers.retest)
abort = command_of(levers.abort)
end_hold = command_of(levers.end_hold)


@takes(*OF_THE_CLUSTER, *OF_THE_STORE, REGISTRY, REGISTRY_AUTH)
def queue_build(
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="the build, then Deployments",
            metavar="TAG|DIGEST [NAMESPACE/]NAME...",
            autocompletion=completion.build_then_deployments,
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="take back what is queued; no build is named then")
    ] = False,
    everyone: All = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="until it has passed on these Deployments' targets, or failed on one; store and"
            " registry are asked only then",
        ),
    ] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="of --wait, such as 12h", metavar="DURATION")
    ] = None,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Test one build next, ahead of the followed tag: such as a release candidate.

    bootstrap-controller test-build v1.15.0-rc.1 fuji mainnet --wait --timeout 12d
    """
    words = words or []
    if not clear and not words:
        raise Fault("write the tag or digest to test, or --clear")
    build = "" if clear else words[0]
    names = words if clear else words[1:]
    lever = levers.build_lever(build)
    if not wait:
        if timeout is not None:
            raise Fault("--timeout is the time that --wait waits: write both")
        _pull(lever, names, flags, output, everyone=everyone)
    if clear:
        raise Fault("--wait follows a build, and --clear names none")
    _check_names(names, everyone=everyone)
    longest = None if timeout is None else duration("--timeout", timeout)
    form = Form.JSON if output is Format.JSON else Form.TABLE
    raise typer.Exit(asyncio.run(_followed(lever, build, names, flags, form, longest)))


async def _followed(  # what was typed, as it is
    lever: Lever, build: str, names: list[str], flags: Flags, form: Form, longest: float | None
) -> int:
    keys: list[str] = []
    code = await _pulled(lever, names, flags, Format.TABLE, keys)
    return code or await follow(build, keys, flags, form, longest)


def person(environ: Mapping[str, str], host: str) -> str:
    """Who asks, as `user@host`: what the login says, no secret, and at most `WHO_BYTES` bytes."""
    user = environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME") or "somebody"
    return cut_bytes(shown(f"{user}@{host.partition('.')[0]}", WHO_BYTES), WHO_BYTES)


def _pull(
    lever: Lever, names: list[str], flags: Flags, output: Format, *, everyone: bool = False
) -> None:
    _check_names(names, everyone=everyone)
    raise typer.Exit(asyncio.run(_pulled(lever, names, flags, output)))


def _check_names(names: list[str], *, everyone: bool) -> None:
    if bool(names) == everyone:
        raise Fault("write either names of Deployments or --all" if everyone else _NO_NAMES)


_NO_NAMES = "write the name of a Deployment, as [NAMESPACE/]NAME"


async def _pulled(
    lever: Lever, names: list[str], flags: Flags, output: Format, keys: list[str] | None = None
) -> int:
    """The exit code. Where a name means several or none, nothing is written. keys: gets those of
    the Deployments, and then all is told on stderr, for something else is the answer.
    """
    around = surroundings()
    async with AsyncExitStack() as stack:
        hand = await open_hand(reading_settings(flags), around, stack)
        chosen = await hand.choose(names) if names else Chosen(await hand.all(), [], {})
        if chosen.missing or chosen.ambiguous or not chosen.found:
            return _not_these(chosen, [await hand.why_missing(name) for name in chosen.missing])
        if keys is not None:
            keys += chosen.found
        who = person(around.environ, socket.gethostname())
        pulling = hand.pull(lever, chosen.found, who)
        return await _do(pulling, output, aside=keys is not None)


async def _do(pulling: AsyncIterator[Pulled], output: Format, *, aside: bool) -> int:
    done = []
    async for pulled in pulling:
        done.append(pulled)
        if output.for_people:
            failed = aside or pulled.wish.result in (Result.FAILED, Result.NOTHING)
            say(f"{pulled.deployment}: {shown(pulled.wish.said, 800)}", err=failed)
    if output is Format.JSON:
        print_json([_plain(pulled) for pulled in done])
    elif output is Format.NAME:
        print_names(pulled.deployment for pulled in done)
    results = {pulled.wish.result for pulled in done}
    if Result.FAILED in results:
        return FAILED
    return NOTHING_FOUND if Result.NOTHING in results else DONE


def _plain(pulled: Pulled) -> dict[str, Any]:
    wish = pulled.wish
    return {
        "deployment": pulled.deployment,
        "result": str(wish.result),
        "annotation": wish.annotation,
        "value": wish.value if wish.result is Result.WRITTEN else None,
        "message": wish.said,
    }


def _not_these(chosen: Chosen, why: list[str]) -> int:
    for name, keys in chosen.ambiguous.items():
        say(f"'{shown(name)}' names several: write one of {', '.join(keys)}", err=True)
    for sentence in why:
        say(sentence, err=True)
    if not chosen.missing and not chosen.ambiguous:
        say("no labelled Deployment is here: see `status`, -n and -A", err=True)
    return BAD_USAGE if chosen.ambiguous else NOTHING_FOUND
