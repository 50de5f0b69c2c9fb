"""Tables that fit: into a terminal of any width, and into a pipe whole.

A row is one line of cells, and a sentence. What matters most stands first; where there is no room,
columns go from the least important on, a name may be shortened, and the sentence stands on a line
of its own. What must be copied, such as an id, is never shortened.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Span, Text

from controller.base.text import shown

GAP = 2  # spaces between columns
_SENTENCE_ROOM = 40  # columns: with less, the sentence stands on the next line
_SENTENCE_LINES = 3  # and also where one would take more lines than these
_INDENT = 4
_LONGEST = 600  # characters of a cell

PHASE_STYLES = {
    "Passed": "green",
    "Failed": "bold red",
    "Aborted": "yellow",
    "Blocked": "bold yellow",
    "Held": "red",
    "Soaking": "cyan",
    "Bootstrapping": "cyan",
    "Starting": "cyan",
    "passed": "green",
    "failed": "bold red",
    "open": "cyan",
    "green": "green",
    "yellow": "yellow",
    "red": "bold red",
}


@dataclass(frozen=True)
class Column:
    """One column, by what may become of it where there is no room."""

    heading: str
    drop: int = 0  # the greatest goes first; 0: it stays
    least: int = 0  # characters to which a cell may be shortened; 0: never
    sentence: bool = False  # the last column: it may stand on a line of its own
    styled: bool = False  # its first word is a phase, and has its colour


@dataclass(frozen=True)
class _Fitted:
    columns: tuple[int, ...]  # those that are shown, by their place
    widths: tuple[int, ...]  # of each
    sentence: int  # columns for the sentence beside them; 0: on lines of its own


def lines_of(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> list[Text]:
    """width: of the terminal in characters; None for none: nothing is cut, and each row is a line.
    Cells are made fit to be shown.
    """
    # Most cells repeat: each text is made fit once.
    fit = {cell: shown(cell, _LONGEST) for cell in {cell for row in rows for cell in row}}
    columns, cells = _without_empty(columns, [[fit[cell] for cell in row] for row in rows])
    fitted = _fit(columns, cells, width)
    lines = [_line(columns, [column.heading for column in columns], fitted, bold=True)]
    for row in cells:
        lines.append(_line(columns, row, fitted))
        if columns[-1].sentence and not fitted.sentence and row[-1]:
            assert width is not None
            lines += _below(row[-1], width)
        elif columns[-1].sentence and row[-1]:
            lines += _beside(lines.pop(), row[-1], fitted, width)
    return lines


def print_lines(out: Console, lines: Sequence[Text]) -> None:
    """Each as it is: no second wrapping, no colours where there is no terminal."""
    for line in lines:
        line.rstrip()
        if out.is_terminal:
            out.print(line, soft_wrap=True, highlight=False)
        else:
            sys.stdout.write(line.plain + "\n")


def _without_empty(
    columns: Sequence[Column], rows: list[list[str]]
) -> tuple[list[Column], list[list[str]]]:
    """A column that may go and says nothing anywhere goes."""
    keep = [
        at for at, column in enumerate(columns) if not column.drop or any(row[at] for row in rows)
    ]
    return [columns[at] for at in keep], [[row[at] for at in keep] for row in rows]


def _fit(columns: Sequence[Column], rows: list[list[str]], width: int | None) -> _Fitted:
    sentence = columns[-1].sentence
    shown_at = [at for at, column in enumerate(columns) if not column.sentence]
    natural = {
        at: max([cell_len(columns[at].heading), *(cell_len(row[at]) for row in rows)])
        for at in shown_at
    }
    if width is None:
        return _Fitted(tuple(shown_at), tuple(natural[at] for at in shown_at), 1 if sentence else 0)

    def least(at: int) -> int:
        shortest = columns[at].least
        if not shortest:
            return natural[at]
        return min(natural[at], max(shortest, cell_len(columns[at].heading)))

    while _total(least(at) for at in shown_at) > width:
        droppable = [at for at in shown_at if columns[at].drop]
        if not droppable:
            break
        shown_at.remove(max(droppable, key=lambda at: columns[at].drop))
    widths = {at: natural[at] for at in shown_at}
    over = _total(widths.values()) - width
    for at in sorted(shown_at, key=lambda at: -natural[at]):
        if over <= 0:
            break
        taken = min(over, widths[at] - least(at))
        widths[at] -= taken
        over -= taken
    left = width - _total(widths.values()) - GAP
    longest = max((cell_len(row[-1]) for row in rows), default=0)
    beside = left >= _SENTENCE_ROOM and longest <= _SENTENCE_LINES * left
    room = left if sentence and beside else 0
    return _Fitted(tuple(shown_at), tuple(widths[at] for at in shown_at), room)


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + GAP * (len(found) - 1) if found else 0


def _line(
    columns: Sequence[Column], row: Sequence[str], fitted: _Fitted, *, bold: bool = False
) -> Text:
    """The cells; the sentence's heading, where it stands beside them."""
    parts, length, spans = list[str](), 0, list[Span]()
    for at, width in zip(fitted.columns, fitted.widths, strict=True):
        cell = _cut(row[at], width)
        style = PHASE_STYLES.get(row[at].partition(" ")[0], "") if columns[at].styled else ""
        if style:
            spans.append(Span(length, length + len(cell), style))
        parts.append(cell + " " * (width - cell_len(cell) + GAP))
        length += len(parts[-1])
    if bold and columns[-1].sentence and fitted.sentence:
        parts.append(row[-1])
    return Text("".join(parts), style="bold" if bold else "", spans=spans)


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _below(sentence: str, width: int) -> list[Text]:
    return [Text(" " * _INDENT + part) for part in _wrapped(sentence, max(20, width - _INDENT))]


def _beside(line: Text, sentence: str, fitted: _Fitted, width: int | None) -> list[Text]:
    """The row's line with the sentence, and what more lines it takes, in its own column."""
    if width is None:
        return [line.append(sentence)]
    first, *more = _wrapped(sentence, fitted.sentence)
    indent = _total(fitted.widths) + GAP
    return [line.append(first), *(Text(" " * indent + part) for part in more)]


def _wrapped(sentence: str, width: int) -> list[str]:
    """A link, a digest and an id stay whole."""
    return wrap(sentence, width, break_long_words=False, break_on_hyphens=False) or [""]
