"""What the commands that answer questions say beside their answers."""

import sys
from collections.abc import Sequence
from textwrap import wrap

import typer

from controller.base.durations import parse_duration
from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli.output import console
from controller.views.parts import as_json


def say_trouble(trouble: str) -> None:
    """trouble: why the store told less; empty: it did not."""
    if trouble:
        typer.echo(f"the store tells less: {shown(trouble, 400)}", err=True)


def say_partial(partial: str) -> None:
    """partial: how far was looked, where older ones may be missing; empty: far enough."""
    if partial:
        typer.echo(f"{partial}: what is older may be missing", err=True)


def print_view(value: object) -> None:
    """As JSON."""
    sys.stdout.write(as_json(value).decode() + "\n")


def print_headed(lines: Sequence[tuple[str, str]]) -> None:
    """Heading and text, wrapped where there is a terminal; a heading that repeats stands once."""
    out, before = console(), ""
    wide = max(len(heading) for heading, _ in lines) + 2
    for heading, text in lines:
        label = "" if heading == before else f"{heading}:"
        before = heading
        told = shown(text, 1000)
        room = max(20, out.width - wide) if out.is_terminal else 10_000
        for part in wrap(told, room, break_long_words=False, break_on_hyphens=False) or [""]:
            sys.stdout.write(f"{label:<{wide}}{part}".rstrip() + "\n")
            label = ""


def duration(flag: str, text: str) -> float:
    """Seconds. Raises Fault."""
    try:
        return parse_duration(text)
    except ValueError:
        raise Fault(f"{flag}: '{shown(text)}' is not a duration: write such as 30m or 2d") from None
