"""`report`: the matrix of targets and the builds as one file."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from controller.base.errors import Fault, Refused
from controller.base.text import shown
from controller.cli.flags import Flags, takes
from controller.cli.surroundings import reading_settings, surroundings
from controller.inspection.deployments import inspecting
from controller.inspection.report_source import report_source
from controller.page.library import Library
from controller.page.report import html_report, markdown_report
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE

_WRITERS = {".html": html_report, ".md": markdown_report}


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def report(
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", help="a file that ends in .html or .md", metavar="PATH")
    ],
    flags: Flags,
) -> None:
    """Write how all targets and builds stand as one file that needs nothing beside it."""
    place = Path(output)
    if place.suffix.lower() not in _WRITERS:
        raise Fault(f"--output is '{shown(output)}': write a name that ends in .html or .md")
    text, trouble = asyncio.run(_written(flags, place.suffix.lower()))
    if trouble:
        typer.echo(trouble, err=True)
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{shown(output)} cannot be written: {error.strerror or error}") from error


async def _written(flags: Flags, kind: str) -> tuple[str, str]:
    """The report, and why it tells less than it could."""
    around = surroundings()
    async with inspecting(reading_settings(flags), around) as inspection:
        library = Library(await report_source(inspection))
        text = await _WRITERS[kind](library, around.clock.now())
        return text, library.trouble
