"""What is told of one thing, by heading: lines that are wrapped into the terminal's width."""

from collections.abc import Iterable
from textwrap import wrap

from rich.text import Text

from controller.base.text import shown
from controller.cli.output import PIPE_WIDTH, Format, console, width_for
from controller.cli.tables import print_lines

_INDENT = 15  # columns of headings


Told = Iterable[tuple[str, Iterable[str]]]  # headings, and the lines of each


def print_headed(title: str, told: Told, output: Format) -> None:
    out = console()
    print_lines(out, headed_lines(title, told, width_for(output, out)))


def headed_lines(title: str, told: Told, width: int | None) -> list[Text]:
    """width: into which they are wrapped, in characters; None: not at all."""
    found = [Text(shown(title), style="bold")]
    for heading, lines in told:
        for number, line in enumerate(lines):
            label = f"  {heading}:" if number == 0 else ""
            parts = wrap(
                shown(line, 600),
                width=width or PIPE_WIDTH,
                initial_indent=f"{label:<{_INDENT}}",
                subsequent_indent=" " * (_INDENT + 2),
                break_long_words=False,  # a link and a digest stay whole
                break_on_hyphens=False,
            )
            found += map(Text, parts)
    return found
