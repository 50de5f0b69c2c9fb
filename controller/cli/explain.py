"""`explain`: what is seen of one Deployment, what is decided, why nothing is happening now."""

import asyncio
from typing import Annotated

import typer

from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import BAD_USAGE, DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.headed import print_headed
from controller.cli.output import Format, Output, print_json, print_names
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import say
from controller.inspection.deployments import inspecting
from controller.inspection.explanation import explain_deployment
from controller.inspection.explanation_text import tell
from controller.inspection.explanation_view import view_of
from controller.inspection.unlabelled import why_not_found
from controller.settings.options import (
    ALL,
    NAMESPACE,
    NODE_URL,
    OF_THE_CLUSTER,
    OF_THE_STORE,
    REGISTRY,
    REGISTRY_AUTH,
)


@takes(*OF_THE_CLUSTER, *OF_THE_STORE, REGISTRY, REGISTRY_AUTH, NODE_URL)
def explain(
    *,
    name: Annotated[
        str,
        typer.Argument(
            help="the Deployment", metavar="[NAMESPACE/]NAME", autocompletion=completion.deployments
        ),
    ],
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Say what is seen of a Deployment, what is decided, and why nothing is happening now."""
    wanted, slash, _ = name.partition("/")
    if slash and flags[NAMESPACE.key] is None and not flags[ALL.key]:
        flags |= {NAMESPACE.key: [wanted]}
    raise typer.Exit(asyncio.run(_explain(name, flags, output)))


async def _explain(name: str, flags: Flags, output: Format) -> int:
    async with inspecting(reading_settings(flags), surroundings()) as inspection:
        keys = inspection.find(name)
        if len(keys) != 1:
            why = await why_not_found(
                inspection.wiring, inspection.client, name, inspection.cluster.keys()
            )
            say(_several(name, keys) if keys else why, err=True)
            return BAD_USAGE if keys else NOTHING_FOUND
        found = await explain_deployment(inspection, keys[0])
    if output is Format.JSON:
        print_json(view_of(found))
    elif output is Format.NAME:
        print_names(keys)
    else:
        print_headed(keys[0], tell(found), output)
    return DONE


def _several(name: str, keys: list[str]) -> str:
    return f"'{shown(name)}' names several: write one of {', '.join(keys)}"
