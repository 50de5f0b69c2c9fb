"""What is told of one thing, by heading: lines that are wrapped into the terminal's width."""

from collections.abc import Iterable
from textwrap import wrap

from controller.base.text import shown
from controller.cli.output import console

_INDENT = 15  # columns of headings


def print_headed(title: str, told: Iterable[tuple[str, Iterable[str]]]) -> None:
    out = console()
    out.print(shown(title), style="bold", highlight=False, markup=False)
    for heading, lines in told:
        for number, line in enumerate(lines):
            label = f"  {heading}:" if number == 0 else ""
            parts = wrap(
                shown(line, 600),
                width=out.width,
                initial_indent=f"{label:<{_INDENT}}",
                subsequent_indent=" " * (_INDENT + 2),
                break_long_words=False,  # a link and a digest stay whole
                break_on_hyphens=False,
            )
            for part in parts:
                out.print(part, markup=False, highlight=False, soft_wrap=True)
