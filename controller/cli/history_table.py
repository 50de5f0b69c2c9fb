"""The table of `history`."""

from collections.abc import Sequence

from rich.text import Text

from controller.base.instants import instant
from controller.cli.output import ROOMY, short
from controller.cli.tables import Column, lines_of
from controller.views.history import HistoryLine

_REST = (
    Column("PHASE", styled=True),
    Column("TARGET"),
    Column("RUN", drop=1),
    Column("REASON", drop=2),
    Column("BUILD", drop=3),
    Column("DEPLOYMENT", drop=4),
    Column("MESSAGE", sentence=True),
)


def table_lines(lines: Sequence[HistoryLine], width: int | None) -> list[Text]:
    """width: of the terminal in characters; None for none."""
    narrow = width is not None and width < ROOMY
    columns = (Column("TIME (UTC)" if narrow else "TIME"), *_REST)
    return lines_of(columns, [_cells(line, narrow=narrow) for line in lines], width)


def _cells(line: HistoryLine, *, narrow: bool) -> tuple[str, ...]:
    at = instant(line.at)
    return (
        at[5:16].replace("T", " ") if narrow and len(at) == len("2026-11-23T06:00:00Z") else at,
        line.phase,
        line.target,
        line.run,
        line.reason,
        short(line.build),
        line.deployment,
        line.message or ("" if line.phase else line.id),  # unreadable: what to look for
    )
