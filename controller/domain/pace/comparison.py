"""Whether a run was slower than runs like it: a robust rule, measured in docs/slower.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from controller.base.durations import format_duration
from controller.base.text import shown
from controller.domain.pace.progress import Stage
from controller.domain.pace.stages import of_bootstrap

# The median absolute deviation of normal noise times this is its standard deviation.
_TO_SIGMA = 1.4826

_UNSEEN = 0.05  # of the observed seconds: less than any difference that is told
_ROUNDED = 120.0  # seconds: two looks, and the pod's own times


@dataclass(frozen=True)
class PastRun:
    """A passed run of a target."""

    run: str  # id
    build: str = ""
    commit: str = ""  # of the node; empty where it is not known
    version: str = ""  # of the node; empty where it is not known
    at: int = 0  # its end, seconds since 1970
    seconds: float = 0.0  # observed, from first start until bootstrapped; 0 where not known
    node_type: str = ""  # instance type of its machine; empty where it is not known
    resumes: int = 0  # how often its data was resumed in another pod
    unobserved: float = 0.0  # seconds that its bootstrap took beside `seconds`
    stages: Mapping[str, Stage] = field(default_factory=dict)  # by key; empty where not known


@dataclass(frozen=True)
class SlowerRule:
    """From when on a run is slow."""

    least: int = 8  # comparable runs before anything is called slow
    most: int = 20  # newest ones that count
    spreads: float = 4.0  # standard deviations above the median, told by the absolute ones
    share: float = 0.10  # of the median to exceed it by, however quiet its like are


@dataclass(frozen=True)
class Comparison:
    """What became of one."""

    sentence: str  # for people; always said, also why nothing was compared
    slower: bool = False  # than runs like it, beyond what such runs differ by


_RULE = SlowerRule()


def compare(this: PastRun, earlier: Sequence[PastRun], rule: SlowerRule = _RULE) -> Comparison:
    """earlier: passed runs of the same target, in any order. Alike are those on the same type of
    machine that were never resumed in another pod: a resume costs time that is not the build's.
    """
    if this.resumes:
        return Comparison(f"not compared: its data was resumed in another pod {_times(this)}")
    if not _timed(this):
        return Comparison("not compared: its bootstrap was not observed")
    if not well_observed(this):
        missed = format_duration(this.unobserved)
        return Comparison(f"not compared: {missed} of its bootstrap was not observed")
    alike = _alike(this, earlier)[: rule.most]
    if len(alike) < rule.least:
        return Comparison(_too_few(this, len(alike), rule))
    middle = median(past.seconds for past in alike)
    spread = _TO_SIGMA * median(abs(past.seconds - middle) for past in alike)
    slower = this.seconds > middle + max(rule.spreads * spread, rule.share * middle)
    sentence = _compared(this, len(alike), middle, slower=slower)
    if slower:
        sentence += _worst_stage(this, alike)
    return Comparison(sentence, slower)


def well_observed(run: PastRun) -> bool:
    """Whether its seconds are about what its bootstrap took: who was away saw less of it."""
    return run.unobserved <= _UNSEEN * run.seconds + _ROUNDED


def _timed(run: PastRun) -> bool:
    return 0 < run.seconds < math.inf


def _alike(this: PastRun, earlier: Sequence[PastRun]) -> list[PastRun]:
    """Newest first. Ids of runs sort by time."""
    alike = [
        past
        for past in earlier
        if past.run != this.run
        and past.node_type == this.node_type
        and not past.resumes
        and _timed(past)
        and well_observed(past)
    ]
    return sorted(alike, key=lambda past: (past.at, past.run), reverse=True)


def _times(this: PastRun) -> str:
    return "once" if this.resumes == 1 else f"{this.resumes} times"


def _too_few(this: PastRun, alike: int, rule: SlowerRule) -> str:
    machines = shown(this.node_type, 40) if this.node_type else "machines of unknown type"
    return (
        f"not compared: {alike} of the {rule.least} earlier passes that it takes ({machines}, never"
        " resumed)"
    )


def _compared(this: PastRun, alike: int, middle: float, *, slower: bool) -> str:
    by = this.seconds / middle - 1
    change = "as fast as" if abs(by) < 0.005 else f"{abs(by):.0%} {_direction(by)} than"
    usual = "" if slower or by < 0.005 else ", within what such runs differ by"
    return f"{change} the median of {alike} runs like it ({format_duration(middle)}){usual}"


def _direction(by: float) -> str:
    return "slower" if by > 0 else "faster"


def _worst_stage(this: PastRun, alike: Sequence[PastRun]) -> str:
    """A clause on the stage that took longest beyond its own median, empty where none did. Only
    stages that most of the others have are set against them.
    """
    lost = []
    for key, stage in this.stages.items():
        known = [past.stages[key].seconds for past in alike if key in past.stages]
        if of_bootstrap(key) and len(known) * 2 > len(alike):
            middle = median(known)
            lost.append((stage.seconds - middle, key, stage.seconds, middle))
    if not lost or max(lost)[0] <= 0:
        return ""
    _, key, took, middle = max(lost)
    name = shown(key.replace("/", " ", 1), 40)
    return f"; {name} took {format_duration(took)} against {format_duration(middle)}"
