"""What `diff` prints: beside each other where there is room, else a difference over two lines."""

from rich.cells import cell_len
from rich.text import Text

from controller.cli.tables import GAP, Column, lines_of
from controller.cli.telling import headed, words_in
from controller.views.run_lines import Compared, Difference


def table_lines(found: Difference, width: int | None) -> list[Text]:
    """width: of the terminal in characters; None for none. `*` marks what differs. No id is ever
    shortened.
    """
    beside = _beside(found)
    if width is None or max(map(_len, beside)) <= width:
        lines = beside
    else:
        lines = _below_each_other(found, width)
    return [*lines, Text(""), Text(found.link)] if found.link else lines


def _len(line: Text) -> int:
    return cell_len(line.plain.rstrip())


def _beside(found: Difference) -> list[Text]:
    columns = (Column(""), Column(""), Column(found.one.run), Column(found.other.run))
    rows = [("*" if x.differs else " ", x.heading, x.one, x.other) for x in found.lines]
    return lines_of(columns, rows, None)


def _below_each_other(found: Difference, width: int) -> list[Text]:
    """First what differs, of `1` and of `2`; then what is the same, once."""
    differing = [x for x in found.lines if x.differs]
    same = [x for x in found.lines if not x.differs]
    lines = [Text(f"{n}  {'/'.join(run.key)}") for n, run in ((1, found.one), (2, found.other))]
    if differing:
        lines.append(Text(""))
    wide = max((len(x.heading) for x in differing), default=0) + 2
    for each in differing:
        lines += _two(each, wide, width)
    if same:
        lines += [Text(""), Text("the same, or nearly:")]
        told = [(x.heading, x.one if x.one == x.other else f"{x.one}, {x.other}") for x in same]
        lines += [Text(f"  {line}") for line in headed(told, width - GAP)]
    return lines


def _two(each: Compared, wide: int, width: int) -> list[Text]:
    lines = []
    before = wide + len("* 1  ")
    texts = [words_in(text or "-", width - before) for text in (each.one, each.other)]
    label = f"{each.heading:<{wide}}"
    if max(len(part) for parts in texts for part in parts) > width - before:
        lines.append(Text(f"* {label}".rstrip(), style="bold"))
        label, before = "  ", 2 + len("* 1  ")
        texts = [words_in(text or "-", width - before) for text in (each.one, each.other)]
    for number, parts in enumerate(texts, 1):
        mark = "* " if number == 1 and label.strip() else "  "
        head = label if number == 1 else " " * len(label)
        line = Text(f"{mark}{head}")
        line.stylize("bold")
        lines.append(line.append(Text(f"{number}  {parts[0]}", style="not bold")))
        lines += [Text(" " * before + part) for part in parts[1:]]
    return lines
