"""How answers are printed: tables for people, JSON for programs, names for scripts."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from controller.views.parts import as_json

PIPE_WIDTH = 1200  # a message has 512 bytes, and all else in a row about 250

ROOMY = 100  # columns: with less, a table says the same in fewer and shorter words


class Format(StrEnum):
    TABLE = "table"  # what fits into the terminal
    WIDE = "wide"  # every column whole, however wide the terminal is
    JSON = "json"
    NAME = "name"  # a name a line, and nothing else

    @property
    def for_people(self) -> bool:
        return self in (Format.TABLE, Format.WIDE)


Output = Annotated[
    Format, typer.Option("--output", "-o", help="table, wide, json or name", show_default=True)
]


def console() -> Console:
    """Standard output, as wide as the terminal, and where it is none wide enough for a row to be a
    line: nothing is cut.
    """
    return Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH, highlight=False)


def width_for(output: Format, out: Console) -> int | None:
    """Of a table, in characters; None: as wide as its rows are."""
    return out.width if output is Format.TABLE and out.is_terminal else None


def print_json(value: object) -> None:
    """value: of views, or anything plain; times as RFC 3339."""
    sys.stdout.write(as_json(value).decode() + "\n")


def print_names(names: Iterable[str]) -> None:
    """Each once, in the order of their first."""
    for name in dict.fromkeys(names):
        sys.stdout.write(f"{name}\n")


def short(build: str) -> str:
    """A digest as people compare it: twelve digits."""
    return build.partition(":")[2][:12] or build
