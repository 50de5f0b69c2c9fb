"""How long the last runs of a target took, and how they ended."""

from collections.abc import Sequence
from statistics import median, quantiles

from controller.domain.run import Phase
from controller.views.parts import View
from controller.views.run import RunView

BARS = "▁▂▃▄▅▆▇█"


class OfVersion(View, frozen=True, kw_only=True):
    """The runs of one version."""

    version: str  # empty: not known
    passed: int
    failed: int
    aborted: int
    median: float | None  # seconds of passes until bootstrapped; None where none has it


class Statistics(View, frozen=True, kw_only=True):
    """Durations are observed seconds until the node had bootstrapped, of passes alone."""

    target: str
    runs: int  # that are over, at most as many as were asked for
    passed: int
    failed: int
    aborted: int
    timed: int  # passes whose duration is known
    median: float | None = None
    quartiles: tuple[float, float] | None = None  # of four passes or more
    least: float | None = None
    greatest: float | None = None
    # median of the newer half against the older, as a share of it; of eight passes or more
    trend: float | None = None
    durations: tuple[float, ...] = ()  # oldest first
    versions: tuple[OfVersion, ...] = ()  # the newest first
    partial: str = ""  # how far was looked, where older runs may be missing; empty: far enough


def statistics_of(target: str, runs: Sequence[RunView], partial: str = "") -> Statistics:
    """runs: those that are over, newest first."""
    times = _times(runs)[::-1]
    quarters = quantiles(times, n=4, method="inclusive") if len(times) >= 4 else None
    versions = dict.fromkeys(run.version for run in runs)
    return Statistics(
        target=target,
        runs=len(runs),
        passed=_count(runs, Phase.PASSED),
        failed=_count(runs, Phase.FAILED),
        aborted=_count(runs, Phase.ABORTED),
        timed=len(times),
        median=median(times) if times else None,
        quartiles=(quarters[0], quarters[2]) if quarters else None,
        least=min(times, default=None),
        greatest=max(times, default=None),
        trend=_trend(times),
        durations=tuple(times),
        versions=tuple(_of_version(version, runs) for version in versions),
        partial=partial,
    )


def plot_of(durations: Sequence[float]) -> str:
    """A bar a run, the greatest highest; from zero, so that a small difference looks small."""
    greatest = max(durations, default=0.0)
    if not greatest:
        return ""
    last = len(BARS) - 1
    return "".join(BARS[min(last, int(seconds / greatest * last + 0.5))] for seconds in durations)


def _times(runs: Sequence[RunView]) -> list[float]:
    return [run.took for run in runs if run.phase == Phase.PASSED and run.took]


def _count(runs: Sequence[RunView], phase: Phase) -> int:
    return sum(run.phase == phase for run in runs)


def _trend(times: Sequence[float]) -> float | None:
    half = len(times) // 2
    if half < 4:
        return None
    return median(times[-half:]) / median(times[:half]) - 1


def _of_version(version: str, runs: Sequence[RunView]) -> OfVersion:
    mine = [run for run in runs if run.version == version]
    times = _times(mine)
    return OfVersion(
        version=version,
        passed=_count(mine, Phase.PASSED),
        failed=_count(mine, Phase.FAILED),
        aborted=_count(mine, Phase.ABORTED),
        median=median(times) if times else None,
    )
