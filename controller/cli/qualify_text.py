"""What `qualify` answers: as a table, and for a release issue."""

from rich.text import Text

from controller.base.instants import instant
from controller.base.text import shown
from controller.cli.output import short
from controller.cli.tables import Column, lines_of
from controller.cli.telling import words_in
from controller.domain.build import short as short_build
from controller.views.qualification import Qualification, TargetVerdict

_COLUMNS = (
    Column("TARGET"),
    Column("STATE", styled=True),
    Column("WHAT IS KNOWN", sentence=True),
)
_WIDE = (
    *_COLUMNS[:2],
    Column("RUN"),
    Column("BUILD"),
    Column("ENDED"),
    _COLUMNS[2],
)
SAID = {
    "passed": "passed everywhere",
    "failed": "failed",
    "open": "not everywhere yet: being tested",
    "not tested": "not everywhere: not tested on every target",
    "unknown": "not known: a record cannot be read",
}
_MARKS = {"passed": "✅ ", "failed": "❌ ", "open": "⏳ "}


def table_lines(found: Qualification, width: int | None, *, wide: bool = False) -> list[Text]:
    """width: of the terminal in characters; None for none. wide: with each run."""
    columns, cells = (_WIDE, _wide_cells) if wide else (_COLUMNS, _cells)
    return [
        Text(shown(f"{found.means.word}: {SAID[found.verdict]}", 200), style="bold"),
        *map(Text, words_in(meaning_line(found, whole=width is None), width)),
        Text(""),
        *lines_of(columns, [cells(each) for each in found.targets], width),
    ]


def markdown(found: Qualification) -> str:
    lines = [
        f"**{_escaped(found.means.word)}: {SAID[found.verdict]}**",
        "",
        _escaped(meaning_line(found, whole=True)),
        "",
        "| target | state | run | what is known |",
        "|---|---|---|---|",
    ]
    for each in found.targets:
        run = f"`{each.run.run}`" if each.run else ""
        lines.append(
            f"| {_escaped(each.target)} | {_MARKS.get(each.state, '')}{each.state} | {run} |"
            f" {_escaped(each.message)} |"
        )
    if found.partial:
        lines += ["", _escaped(f"{found.partial}: what is older may be missing")]
    return "\n".join(lines) + "\n"


def meaning_line(found: Qualification, *, whole: bool) -> str:
    """whole: with all digits; else with so many that they can still be asked for."""
    means = found.means
    name = str if whole else short_build
    commit = means.commit if whole else means.commit[:12]
    told = [", ".join(map(name, means.builds)), means.version, commit and f"commit {commit}"]
    others = ", ".join(map(name, means.siblings))
    also = f"; of the same commit: {others}" if others else ""
    return shown(f"{means.word} is {' '.join(filter(None, told))} ({means.how}){also}", 1200)


def _cells(each: TargetVerdict) -> tuple[str, ...]:
    return each.target, each.state, each.message


def _wide_cells(each: TargetVerdict) -> tuple[str, ...]:
    run = each.run
    ended = instant(run.ended.timestamp()) if run and run.ended else ""
    told = (run.run, short(run.build), ended) if run else ("", "", "")
    return each.target, each.state, *told, each.message


def _escaped(text: str) -> str:
    """Nothing in it is markup: it comes from nodes, registries and stores."""
    shown_text = shown(text, 1200)
    return "".join(f"\\{mark}" if mark in "\\|`*_<>[]#@" else mark for mark in shown_text)
