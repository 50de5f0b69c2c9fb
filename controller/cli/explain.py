"""`explain`: what is seen of one Deployment, what is decided, why nothing is happening now."""

import asyncio
from textwrap import wrap
from typing import Annotated, Any

import typer

from controller.base.text import shown
from controller.cli import flags
from controller.cli.common import reading_settings, surroundings
from controller.cli.output import Format, Output, console, print_json
from controller.inspection.explanation import Explanation, explain_deployment
from controller.inspection.opening import inspecting
from controller.inspection.story import tell

_INDENT = 15  # columns of headings


def explain(
    name: Annotated[str, typer.Argument(help="the Deployment", metavar="[NAMESPACE/]NAME")],
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    store: flags.Store = None,
    store_password_file: flags.StorePasswordFile = None,
    store_prefix: flags.StorePrefix = None,
    registry: flags.RegistryUrl = None,
    registry_auth: flags.RegistryAuth = None,
    node_url: flags.NodeUrl = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what is seen of a Deployment, what is decided, and why nothing is happening now."""
    given = dict(locals())
    del given["name"], given["output"]
    wanted, slash, _ = name.partition("/")
    if slash and namespace is None and not all_namespaces:
        given["namespace"] = [wanted]
    raise typer.Exit(asyncio.run(_explain(name, given, output)))


async def _explain(name: str, given: dict[str, Any], output: Format) -> int:
    async with inspecting(reading_settings(given), surroundings()) as inspection:
        keys = inspection.find(name)
        if len(keys) != 1:
            typer.echo(_not_one(name, keys), err=True)
            return 2 if keys else 3
        found = await explain_deployment(inspection, keys[0])
    if output is Format.JSON:
        print_json({"deployment": keys[0], **{k: list(v) for k, v in tell(found)}})
    else:
        _print(keys[0], found)
    return 0


def _print(key: str, found: Explanation) -> None:
    out = console()
    out.print(key, style="bold", highlight=False)
    for heading, lines in tell(found):
        for number, line in enumerate(lines):
            label = f"  {heading}:" if number == 0 else ""
            told = wrap(
                shown(line, 600),
                width=out.width,
                initial_indent=f"{label:<{_INDENT}}",
                subsequent_indent=" " * (_INDENT + 2),
                break_long_words=False,  # a link and a digest stay whole
                break_on_hyphens=False,
            )
            for part in told:
                out.print(part, markup=False, highlight=False, soft_wrap=True)


def _not_one(name: str, keys: list[str]) -> str:
    if not keys:
        return f"no labelled Deployment '{shown(name)}' is here: see `status`, -n and -A"
    return f"'{shown(name)}' names several: write one of {', '.join(keys)}"
