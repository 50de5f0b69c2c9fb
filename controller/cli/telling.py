"""What the commands that answer questions say beside their answers."""

import sys
from collections.abc import Sequence
from textwrap import wrap

import typer
from rich.console import Console

from controller.base.durations import parse_duration
from controller.base.errors import Fault
from controller.base.text import shown
from controller.views.parts import as_json

INDENT = 4  # columns before what stands below its heading


def say_trouble(trouble: str) -> None:
    """trouble: why the store told less; empty: it did not."""
    if trouble:
        say(f"the store tells less: {shown(trouble, 400)}", err=True)


def say_partial(partial: str) -> None:
    """partial: how far was looked, where older ones may be missing; empty: far enough."""
    if partial:
        say(f"{partial}: what is older may be missing", err=True)


def print_view(value: object) -> None:
    """As JSON."""
    sys.stdout.write(as_json(value).decode() + "\n")


def print_headed(lines: Sequence[tuple[str, str]], width: int | None) -> None:
    for line in headed(lines, width):
        sys.stdout.write(line + "\n")


def headed(lines: Sequence[tuple[str, str]], width: int | None) -> list[str]:
    """Heading and text; a heading that repeats stands once. width: into which texts are wrapped, in
    characters; None: not at all. What cannot be broken and is too long stands alone.
    """
    found, before = list[str](), ""
    wide = max(len(heading) for heading, _ in lines) + 2
    for heading, text in lines:
        label = "" if heading == before else f"{heading}:"
        before = heading
        parts = words_in(shown(text, 1000), width and width - wide)
        if width and label and max(map(len, parts)) > width - wide:
            found.append(label)
            label, parts = "", words_in(shown(text, 1000), width - INDENT)
            found += [f"{' ' * INDENT}{part}" for part in parts]
            continue
        for part in parts:
            found.append(f"{label:<{wide}}{part}".rstrip())
            label = ""
    return found


def words_in(text: str, room: int | None) -> list[str]:
    """Lines of so many characters; a link, a digest and an id stay whole. None: one line."""
    if room is None:
        return [text]
    return wrap(text, max(20, room), break_long_words=False, break_on_hyphens=False) or [""]


def say(sentence: str, *, err: bool = False) -> None:
    """A sentence, of any length, wrapped where a terminal takes it."""
    stream = sys.stderr if err else sys.stdout
    width = Console(file=stream).width if stream.isatty() else None
    for part in words_in(sentence, width):
        typer.echo(part, err=err)


def duration(flag: str, text: str) -> float:
    """Seconds. Raises Fault."""
    try:
        return parse_duration(text)
    except ValueError:
        raise Fault(f"{flag}: '{shown(text)}' is not a duration: write such as 30m or 2d") from None
