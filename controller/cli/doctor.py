"""`doctor`: whether everything that the controller needs is there and set up as it should be."""

import asyncio
from collections.abc import Sequence

import typer

from controller.cli.exit_codes import DONE, FAILED
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_json
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
    else:
        _print(found)
    red = any(each.level is Level.RED for each in found)
    raise typer.Exit(FAILED if red else DONE)


def _print(found: Sequence[Finding]) -> None:
    out = console()
    rows = [(str(f.level), f.check, f.about, _sentence(f)) for f in found]
    print_lines(out, lines_of(_COLUMNS, rows, out.width if out.is_terminal else None))


def _sentence(finding: Finding) -> str:
    return f"{finding.found}. To do: {finding.todo}" if finding.todo else finding.found
