"""A report as tables of Markdown, which README shows as they are."""

from collections.abc import Iterator

from tests.bench.figure import Figure, Goal, Report

_NO_REDIS = "not measured: it needs a redis-server, and none is installed"
_HEAD = ("what", "measured", "to reach", "", "beside it")


def text_of(report: Report) -> str:
    """The machine, the table, and what must be known to read it right."""
    machine = "; ".join(f"{name} {value}" for name, value in report.machine.items())
    quick = ["Quick: this shows that the benchmark works; its figures mean nothing.", ""]
    lines = [*(quick if report.quick else []), f"Measured on: {machine}.", "", *_table(report)]
    return "\n".join([*lines, *_notes(report)])


def _table(report: Report) -> Iterator[str]:
    yield "| " + " | ".join(_HEAD) + " |"
    yield "|---|---:|---|---|---|"
    for row in report.rows:
        why = row.failed or ("" if row.figures else _NO_REDIS)
        yield f"| **{row.name}** | | | | {_cell(why)} |"
        for figure in row.figures:
            yield "| " + " | ".join(map(_cell, _cells(figure))) + " |"


def _notes(report: Report) -> Iterator[str]:
    noted = [(row.name, f) for row in report.rows for f in row.figures if f.note]
    if noted:
        yield ""
    for name, figure in noted:
        yield f"- {name}, {figure.what}: {figure.note}"


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {True: "reached", False: "**not reached**", None: ""}[figure.met]
    beside = ", ".join(f"{name} {number(value)}" for name, value in figure.beside.items())
    measured = f"{number(figure.value)} {figure.unit}".strip()
    return figure.what, measured, _goal(figure.goal, figure.unit), verdict, beside


def _cell(text: str) -> str:
    """One cell, whatever is in it."""
    return text.replace("|", "\\|").replace("\n", " ")


def _goal(goal: Goal | None, unit: str) -> str:
    if goal is None:
        return "stated"
    plain = f"{goal.side} {number(goal.value)} {unit}".strip()
    return f"{plain} ({goal.why})" if goal.why else plain


def number(value: float) -> str:
    """Three digits that count; whole ones with their thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
