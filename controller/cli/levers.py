"""The levers: `suspend`, `resume`, `retest`, `abort`, `end-hold` and `test-build`. Each only writes
an annotation, which the controller sees and acts on.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer

from controller.base.errors import Fault
from controller.base.text import cut_bytes, shown
from controller.cli import flags
from controller.cli.common import reading_settings, surroundings
from controller.cli.output import Format, Output, print_json
from controller.inspection import lever_values as wishes
from controller.inspection.lever_values import Lever, Result
from controller.inspection.levers import Chosen, LeverHand, Pulled, open_hand

WHO_BYTES = 40  # of the 64 of a lever's value; instant and ` by ` take the rest

Names = Annotated[list[str], typer.Argument(help="Deployments", metavar="[NAMESPACE/]NAME...")]
SomeNames = Annotated[
    list[str] | None, typer.Argument(help="Deployments", metavar="[NAMESPACE/]NAME...")
]
All = Annotated[bool, typer.Option("--all", help="every labelled Deployment instead of names")]


def suspend(
    names: SomeNames = None,
    everyone: All = False,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """Start nothing new on these Deployments; an open run goes on to its end."""
    _pull(wishes.suspend, dict(locals()))


def resume(
    names: SomeNames = None,
    everyone: All = False,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """End what `suspend` began."""
    _pull(wishes.resume, dict(locals()))


def retest(
    names: Names,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """Ask for another attempt of the build that is tested already; after an open run's end."""
    _pull(wishes.retest, dict(locals()))


def abort(
    names: Names,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """End the open run of each of these Deployments."""
    _pull(wishes.abort, dict(locals()))


def end_hold(
    names: Names,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """Let the next build replace the data of a failed run before its time is over."""
    _pull(wishes.end_hold, dict(locals()))


def queue_build(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="the build, then Deployments", metavar="TAG|DIGEST [NAMESPACE/]NAME..."
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="take back what is queued; no build is named then")
    ] = False,
    everyone: All = False,
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    output: Output = Format.TABLE,
) -> None:
    """Test one build next, ahead of the followed tag: such as a release candidate."""
    given = dict(locals())
    words, clear = given.pop("words") or [], given.pop("clear")
    if not clear and not words:
        raise Fault("write the tag or digest to test, or --clear")
    build = "" if clear else words[0]
    given["names"] = words if clear else words[1:]
    _pull(wishes.build_lever(build), given)


def person(environ: Mapping[str, str], host: str) -> str:
    """Who asks, as `user@host`: what the login says, no secret, and at most `WHO_BYTES` bytes."""
    user = environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME") or "somebody"
    return cut_bytes(shown(f"{user}@{host.partition('.')[0]}", WHO_BYTES), WHO_BYTES)


def _pull(lever: Lever, given: dict[str, Any]) -> None:
    names, everyone = given.pop("names") or [], given.pop("everyone", False)
    output = given.pop("output")
    if bool(names) == everyone:
        raise Fault("write either names of Deployments or --all" if everyone else _NO_NAMES)
    raise typer.Exit(asyncio.run(_pulled(lever, names, given, output)))


_NO_NAMES = "write the name of a Deployment, as [NAMESPACE/]NAME"


async def _pulled(lever: Lever, names: list[str], given: dict[str, Any], output: Format) -> int:
    """The exit code: 2 and 3 for names that mean several or none, and then nothing is written."""
    around = surroundings()
    async with AsyncExitStack() as stack:
        hand = await open_hand(reading_settings(given), around, stack)
        chosen = await hand.choose(names) if names else Chosen(await hand.all(), [], {})
        if chosen.missing or chosen.ambiguous or not chosen.found:
            return _not_these(chosen)
        return await _do(hand, lever, chosen, person(around.environ, socket.gethostname()), output)


async def _do(hand: LeverHand, lever: Lever, chosen: Chosen, who: str, output: Format) -> int:
    done = []
    async for pulled in hand.pull(lever, chosen.found, who):
        done.append(pulled)
        if output is Format.TABLE:
            failed = pulled.wish.result in (Result.FAILED, Result.NOTHING)
            typer.echo(f"{pulled.deployment}: {shown(pulled.wish.said, 800)}", err=failed)
    if output is Format.JSON:
        print_json([_plain(pulled) for pulled in done])
    results = {pulled.wish.result for pulled in done}
    return 1 if Result.FAILED in results else 3 if Result.NOTHING in results else 0


def _plain(pulled: Pulled) -> dict[str, Any]:
    wish = pulled.wish
    return {
        "deployment": pulled.deployment,
        "result": str(wish.result),
        "annotation": wish.annotation,
        "value": wish.value if wish.result is Result.WRITTEN else None,
        "message": wish.said,
    }


def _not_these(chosen: Chosen) -> int:
    for name, keys in chosen.ambiguous.items():
        typer.echo(f"'{shown(name)}' names several: write one of {', '.join(keys)}", err=True)
    for name in chosen.missing:
        typer.echo(
            f"no labelled Deployment '{shown(name)}' is here: see `status`, -n and -A", err=True
        )
    if not chosen.missing and not chosen.ambiguous:
        typer.echo("no labelled Deployment is here: see `status`, -n and -A", err=True)
    return 2 if chosen.ambiguous else 3
