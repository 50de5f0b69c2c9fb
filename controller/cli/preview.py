"""`preview`: what the controller would make of a Deployment."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.headed import print_headed
from controller.cli.output import Format, Output, print_json, print_names
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.telling import say
from controller.inspection.manifest_file import LIMIT, Pair, read_manifests
from controller.inspection.preview import from_cluster, preview_of
from controller.inspection.preview_text import preview_values, tell_preview
from controller.settings.options import OF_THE_CLUSTER

STDIN = "-"


@takes(*OF_THE_CLUSTER)
def preview(
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            help="a Deployment of the cluster, labelled or not",
            metavar="[NAMESPACE/]NAME",
            autocompletion=completion.deployments,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--filename", "-f", help="manifests, YAML or JSON; - is standard input", metavar="PATH"
        ),
    ] = None,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Say what the controller would make of a Deployment, of the cluster or of a file, that need
    not be labelled yet. Exits with 1 if it would be Blocked.
    """
    if (name is None) == (file is None):
        raise Fault(
            "write the NAME of a Deployment, or -f with a file of manifests: one of the two"
        )
    settings, around = reading_settings(flags), surroundings()
    if file is not None:
        pairs = read_manifests(_read(file), "standard input" if file == STDIN else shown(file))
    else:
        pairs = _one(asyncio.run(from_cluster(settings, around, str(name))))
    found = [preview_of(pair, around.rules) for pair in pairs]
    if output is Format.JSON:
        print_json([preview_values(each) for each in found])
    elif output is Format.NAME:
        print_names(each.name for each in found)
    else:
        for each in found:
            print_headed(each.name, tell_preview(each), output)
    raise typer.Exit(FAILED if any(each.faults for each in found) else DONE)


def _one(pair: Pair | str) -> list[Pair]:
    if isinstance(pair, str):
        say(pair, err=True)
        raise typer.Exit(NOTHING_FOUND)
    return [pair]


def _read(file: str) -> bytes:
    """One byte more than the limit at most. Raises Fault."""
    try:
        if file == STDIN:
            return sys.stdin.buffer.read(LIMIT + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LIMIT + 1)
    except OSError as error:
        raise Fault(f"{shown(file)} cannot be read: {error.strerror or error}") from None
