"""The plot of a target: how long its runs took, build after build."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.page.words import duration_of, usual
from controller.views.run import RunView

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 14, 28
_STEPS = (60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172_800, 604_800, 2_592_000)


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    run: RunView
    seconds: float


@dataclass(frozen=True)
class Line:
    """A line from left to right, with what it stands for in seconds."""

    y: float
    seconds: float


@dataclass(frozen=True)
class Plot:
    """In the units of a view box of WIDTH and HEIGHT."""

    points: list[Point]  # oldest first
    grid: list[Line]
    median: Line | None  # of the passes
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def plot_of(runs: Sequence[RunView]) -> Plot | None:
    """runs: newest first. None where none of them has a duration."""
    timed = [(run, seconds) for run in reversed(runs) if (seconds := duration_of(run))]
    if not timed:
        return None
    most = max(seconds for _, seconds in timed)
    step = next((step for step in _STEPS if most / step <= 5), most)
    top = step * (int(most / step) + 1)
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def y(seconds: float) -> float:
        return round(_TOP + high * (1 - seconds / top), 1)

    points = [
        Point(round(_LEFT + wide * (at + 0.5) / len(timed), 1), y(seconds), run, seconds)
        for at, (run, seconds) in enumerate(timed)
    ]
    grid = [Line(y(step * n), step * n) for n in range(int(top / step) + 1)]
    middle = usual([run for run, _ in timed])
    return Plot(points, grid, Line(y(middle), middle) if middle else None)
