"""`doctor`: whether everything that the controller needs is there and set up as it should be."""

import asyncio
from collections.abc import Sequence

import typer
from rich.text import Text

from controller.cli.exit_codes import DONE, FAILED
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_json, print_names, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.inspection.doctor.examination import examine
from controller.inspection.doctor.finding import Finding, Level
from controller.settings.datadog import DOGSTATSD
from controller.settings.options import (
    CLUSTER_NAMESPACE,
    NODE_URL,
    OF_THE_CLUSTER,
    OF_THE_STORE,
    REGISTRY,
    REGISTRY_AUTH,
)

_COLUMNS = (
    Column("", styled=True),
    Column("CHECK"),
    Column("ABOUT", least=12),
    Column("FOUND", sentence=True),
)


@takes(
    *OF_THE_CLUSTER,
    CLUSTER_NAMESPACE,
    *OF_THE_STORE,
    REGISTRY,
    REGISTRY_AUTH,
    NODE_URL,
    DOGSTATSD,
)
def doctor(*, flags: Flags, output: Output = Format.TABLE) -> None:
    """Check cluster, rights, Deployments, Lease, store, registry, Datadog and Argo CD; exit with 1
    if anything is red.
    """
    found = asyncio.run(examine(reading_settings(flags), surroundings()))
    if output is Format.JSON:
        print_json([each.as_dict() for each in found])
    elif output is Format.NAME:
        print_names(each.check for each in found)
    else:
        out = console()
        print_lines(out, table_lines(found, width_for(output, out)))
    red = any(each.level is Level.RED for each in found)
    raise typer.Exit(FAILED if red else DONE)


def table_lines(found: Sequence[Finding], width: int | None) -> list[Text]:
    """width: of the terminal in characters; None for none."""
    rows = [(str(f.level), f.check, f.about, _sentence(f)) for f in found]
    return lines_of(_COLUMNS, rows, width)


def _sentence(finding: Finding) -> str:
    return f"{finding.found}. To do: {finding.todo}" if finding.todo else finding.found
