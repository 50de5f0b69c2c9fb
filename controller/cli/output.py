"""How answers are printed: tables for people, JSON for programs."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.base.text import shown


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="table or json", show_default=True)]

_WIDE = 1200  # a message has 512 bytes, and all else in a row about 250

PHASE_STYLES = {
    "Passed": "green",
    "Failed": "bold red",
    "Aborted": "yellow",
    "Blocked": "bold yellow",
    "Held": "red",
    "Soaking": "cyan",
    "Bootstrapping": "cyan",
    "Starting": "cyan",
}


def console() -> Console:
    """Standard output, as wide as the terminal, and where it is none wide enough for a row to be a
    line: nothing is cut.
    """
    return Console() if sys.stdout.isatty() else Console(width=_WIDE, highlight=False)


def print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table; the column called PHASE or OUTCOME is coloured on a terminal."""
    out, table = console(), table_of(headings, rows)
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    # A column is as wide as its longest text, and a file needs no spaces up to there.
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def table_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        last = heading == headings[-1]
        table.add_column(heading, overflow="fold" if last else "ellipsis", no_wrap=not last)
    for row in rows:
        table.add_row(*(_cell(heading, text) for heading, text in zip(headings, row, strict=True)))
    return table


def _cell(heading: str, text: str) -> Text:
    style = PHASE_STYLES.get(text.partition(" ")[0], "") if heading in _COLOURED else ""
    return Text(shown(text, 600), style=style)


_COLOURED = frozenset({"PHASE", "OUTCOME"})


def short(build: str) -> str:
    """A digest as people compare it: twelve digits."""
    return build.partition(":")[2][:12] or build
