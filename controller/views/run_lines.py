"""A run in words, heading by heading: for people who look at one run, or lay two side by side."""

from collections.abc import Sequence
from datetime import datetime

from controller.base.durations import format_duration
from controller.base.instants import instant
from controller.domain.build import same_commit, short
from controller.views.parts import View
from controller.views.run import RunView

_DIFFERS_BY = 0.05  # of two durations: less is the noise of two runs of one build


class Compared(View, frozen=True, kw_only=True):
    """One heading of two runs."""

    heading: str
    one: str
    other: str
    differs: bool


class Difference(View, frozen=True, kw_only=True):
    """Two runs side by side."""

    one: RunView
    other: RunView
    lines: tuple[Compared, ...]
    link: str = ""  # to what changed between the commits; empty where one is not known


def lines_of_run(run: RunView) -> list[tuple[str, str]]:
    """Heading and text; without what is not known."""
    outcome = f"{run.phase} ({run.reason})" if run.reason else run.phase
    lines = [
        ("run", f"{run.target}/{run.run}"),
        ("deployment", run.deployment),
        ("outcome", f"{outcome}{f', the fault is of {run.side}' if run.side else ''}"),
        ("message", run.message),
        *_identity(run),
        ("decided", _at(run.decided)),
        ("node started", _at(run.started)),
        ("bootstrapped", _at(run.bootstrapped)),
        ("ended", _at(run.ended)),
        *_durations(run),
        *_place(run),
        *(("progress", line) for line in run.pace),
        *(("condition", f"{c.type} since {_at(c.since)}: {c.message}") for c in run.conditions),
        ("cause", _cause(run)),
        *(("checked", f"{name} {value}") for name, value in (run.checked or {}).items()),
        ("last good", run.last_good and f"commit {run.last_good}"),
    ]
    return [(heading, text) for heading, text in lines if text]


def difference(one: RunView, other: RunView, compare_url: str) -> Difference:
    """The link leads from the commit of `one` to the other's. compare_url: with `{good}` and
    `{bad}` for them; empty: no link.
    """
    ours, theirs = _comparable(one), _comparable(other)
    lines = []
    for heading in dict.fromkeys((*ours, *theirs)):
        left, right = ours.get(heading, ("", None)), theirs.get(heading, ("", None))
        if left[0] or right[0]:
            lines.append(
                Compared(
                    heading=heading,
                    one=left[0],
                    other=right[0],
                    differs=_differs(left, right),
                )
            )
    link = ""
    if one.commit and other.commit and not same_commit(one.commit, other.commit):
        link = compare_url.replace("{good}", one.commit).replace("{bad}", other.commit)
    return Difference(one=one, other=other, lines=tuple(lines), link=link)


_Cell = tuple[str, float | None]  # text, and the number that it stands for


def _comparable(run: RunView) -> dict[str, _Cell]:
    outcome = f"{run.phase} ({run.reason})"
    texts = [
        ("target", run.target),
        ("deployment", run.deployment),
        ("outcome", outcome),
        *_identity(run),
        *_place(run),
        ("cause", _cause(run)),
    ]
    cells: dict[str, _Cell] = {heading: (text, None) for heading, text in texts}
    cells["build"] = (short(run.build), None)  # two whole ones fit into no terminal
    cells["index"] = (short(run.index), None)
    cells["commit"] = (run.commit[:12], None)
    cells["resumes"] = (str(run.resumes), None)
    for heading, seconds in (("bootstrapped in", run.took), ("by stamps", run.lasted)):
        cells[heading] = (format_duration(seconds) if seconds else "", seconds)
    for stage in run.progress:
        name = f"{stage.chain} {stage.stage}"
        cells[f"time in {name}"] = (format_duration(stage.seconds), stage.seconds)
        cells[f"done in {name}"] = (f"{stage.count:.0f}", stage.count)
    return cells


def _differs(one: _Cell, other: _Cell) -> bool:
    if one[1] is not None and other[1] is not None:
        return abs(one[1] - other[1]) > _DIFFERS_BY * max(one[1], other[1])
    return one[0] != other[0]


def _identity(run: RunView) -> Sequence[tuple[str, str]]:
    return (
        ("build", run.build),
        ("index", run.index if run.index != run.build else ""),
        ("version", run.version),
        ("commit", run.commit),
        ("tags", ", ".join(run.tags)),
    )


def _durations(run: RunView) -> Sequence[tuple[str, str]]:
    slower = ", slower than comparable runs" if run.slower else ""
    took = f"{format_duration(run.took)} of observed time{slower}" if run.took else ""
    return (
        ("took", took),
        ("by stamps", format_duration(run.lasted) if run.lasted else ""),
        ("observed", format_duration(run.observed) if run.observed else ""),
        ("resumes", str(run.resumes) if run.resumes else ""),
    )


def _place(run: RunView) -> Sequence[tuple[str, str]]:
    machine = run.machine
    return (
        ("machine", " ".join(filter(None, (machine.instance_type, machine.zone)))),
        ("node", machine.node),
        ("storage", machine.storage_class),
        ("requests", machine.requests),
    )


def _cause(run: RunView) -> str:
    cause = run.cause
    if cause is None:
        return ""
    height = "" if cause.height is None else f"height {cause.height}"
    chain = f"chain {cause.chain}" if cause.chain else ""
    block = f"block {cause.block}" if cause.block else ""
    return ", ".join(filter(None, (chain, height, block, cause.error)))


def _at(at: datetime | None) -> str:
    return instant(at.timestamp()) if at else ""
