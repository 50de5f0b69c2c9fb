"""One run in words, two side by side, and many in numbers."""

import pytest
from msgspec.structs import replace

from controller.views.parts import moment
from controller.views.run import CauseView, MachineView, RunView, StageView
from controller.views.run_lines import difference, lines_of_run
from controller.views.statistics import plot_of, statistics_of

NOON = 1_795_435_200
HOUR = 3600.0
COMPARE = "https://example.com/compare/{good}...{bad}"


def run(number: int = 1, phase: str = "Passed", **known: object) -> RunView:
    fields: dict[str, object] = {
        "target": "fuji-full-sync", "run": f"2026112{number}t060000z-aaaaaaaa",
        "deployment": "bootstrap/fuji", "build": "sha256:" + "a" * 64, "phase": phase,
        "reason": "Because", "ended": moment(NOON + number), "took": 2 * HOUR,
    }  # fmt: skip
    return RunView(**(fields | known))  # type: ignore[arg-type]


def stage(seconds: float) -> tuple[StageView, ...]:
    return (StageView(chain="C", stage="executed", count=10, seconds=seconds),)


def test_what_is_known_is_told_and_nothing_else() -> None:
    """Does each known thing have its heading, and what is not known none?"""
    cause = CauseView(chain="C", height=5, error="bad root")
    lines = dict(lines_of_run(run(phase="Failed", side="client", cause=cause)))
    assert lines["run"] == "fuji-full-sync/20261121t060000z-aaaaaaaa"
    assert lines["outcome"] == "Failed (Because), the fault is of client"
    assert lines["cause"] == "chain C, height 5, bad root"
    assert lines["took"].startswith("2h")
    assert "version" not in lines


def test_what_differs_is_marked() -> None:
    """Are builds, machines and stages marked where they differ, and small noise not?"""
    one = run(commit="a" * 40, machine=MachineView(instance_type="i4i"), took=HOUR)
    other = run(2, commit="b" * 40, machine=MachineView(instance_type="m5"), took=1.01 * HOUR)
    one, other = replace(one, progress=stage(100.0)), replace(other, progress=stage(150.0))
    found = difference(one, other, COMPARE)
    differs = {line.heading for line in found.lines if line.differs}
    assert differs == {"commit", "machine", "time in C executed"}
    assert found.link == f"https://example.com/compare/{'a' * 40}...{'b' * 40}"


@pytest.mark.parametrize("commit", ["", "a" * 40, "a" * 8])
def test_no_link_where_nothing_is_to_compare(commit: str) -> None:
    """Is there no link between one commit and itself, abbreviated or not, or an unknown one?"""
    assert difference(run(commit="a" * 40), run(2, commit=commit), COMPARE).link == ""


def test_numbers_are_of_passes() -> None:
    """Do median, quartiles and plot take passes alone, and are the others counted?"""
    runs = [run(took=hours * HOUR) for hours in (4, 3, 2, 1)]
    runs += [run(phase="Failed", took=99 * HOUR), run(phase="Aborted"), run(took=None)]
    found = statistics_of("fuji-full-sync", runs)
    assert (found.passed, found.failed, found.aborted, found.timed) == (5, 1, 1, 4)
    assert found.median == 2.5 * HOUR
    assert found.quartiles == (1.75 * HOUR, 3.25 * HOUR)
    assert found.durations == (HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR)
    assert found.trend is None, "four runs are no trend"


def test_a_trend_is_of_halves() -> None:
    """Is the newer half compared with the older one?"""
    runs = [run(took=2 * HOUR)] * 4 + [run(took=HOUR)] * 4
    assert statistics_of("t", runs).trend == pytest.approx(1.0)


def test_versions_apart() -> None:
    """Has each version its own numbers, the newest first?"""
    runs = [run(version="1.14.1", phase="Failed"), run(version="1.14.0"), run(version="1.14.0")]
    found = statistics_of("t", runs).versions
    assert [(v.version, v.passed, v.failed) for v in found] == [("1.14.1", 0, 1), ("1.14.0", 2, 0)]
    assert found[0].median is None


@pytest.mark.parametrize(
    ("durations", "plot"),
    [((), ""), ((0.0,), ""), ((5.0,), "█"), ((7.0, 3.5, 0.1), "█▅▁"), ((100.0, 99.0), "██")],
)
def test_the_plot_begins_at_zero(durations: tuple[float, ...], plot: str) -> None:
    """Is a small difference small?"""
    assert plot_of(durations) == plot
