"""How long a bootstrap will still take: from this run's pace and earlier runs of its target.

An earlier run tells how each stage's count grew with the seconds it took. What is left of each
stage costs what it cost there, times the pace at which this run has done the rest. How wrong this
is on made-up runs is asserted in its test.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from controller.domain.pace.comparison import PastRun, well_observed
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.stages import CHAINS, of_bootstrap

LEAST_SHARE = 0.05  # of the work: before, its beginning says nothing of the pace of the rest
LEAST_OBSERVED = 600.0  # seconds
_MOST = 5  # newest runs: a network grows, and old ones had less to do
_PACES = (0.25, 4.0)  # times an earlier run's; beyond, the two are not alike

# Chosen by trial on made-up runs, see the test. The pace so far is believed as far as the share
# done is large against the first: it rests on other stages than those that are left. The present
# stage's own rate counts to the power of the second: minutes are not hours. The third widens what
# earlier runs promise, more so where they are few.
_DOUBT = 0.2
_OF_RATE = 0.3
_MARGIN = 1.3


@dataclass(frozen=True)
class Estimate:
    seconds: float | None  # left; None where there is no honest estimate
    low: float | None  # seconds; between this and `high` the truth lay in 8 of 10 made-up runs
    high: float | None  # seconds; None, as `low` is, where `seconds` is
    why: str  # what it rests on, or why there is none


@dataclass(frozen=True)
class _Likeness:
    """This run seen in the light of one earlier run."""

    done: float  # share of that run's time that it took for what is done here
    pace: float  # this run's time for it, in times of that run's
    left: float  # seconds


def time_left(progress: Progress, elapsed: float, earlier: Sequence[PastRun]) -> Estimate:
    """elapsed: observed seconds since the node's first start. earlier: passed runs of the target,
    in any order.
    """
    usable = _usable(earlier)
    if not usable:
        return _none("no earlier run of this target has passed with its progress known")
    if progress.moved is False:
        return _none("nothing moves now")
    if elapsed < LEAST_OBSERVED:
        return _none("too early: the run has been observed for less than ten minutes")
    alike = [_likeness(progress, elapsed, past) for past in usable]
    begun = [like for like in alike if like.done >= LEAST_SHARE]
    if not begun:
        return _none("too early: less than a twentieth of the work is done")
    ahead = [like for like in begun if like.left >= 1.0]
    if not ahead:
        return _none("more is done than any earlier run had to do")
    near = [like for like in ahead if _PACES[0] <= like.pace <= _PACES[1]]
    if not near:
        return _none(f"its pace is like that of no earlier run ({_pace(ahead)} their time)")
    lefts = [like.left for like in near]
    margin = _MARGIN ** (1 + 2 / len(lefts))
    runs = f"{len(near)} earlier run{'s' if len(near) > 1 else ''}"
    done = math.floor(100 * median(like.done for like in near))
    return Estimate(
        median(lefts),
        min(lefts) / margin,
        max(lefts) * margin,
        f"{done}% of the work is done in {_pace(near)} the time, by {runs}",
    )


def _none(why: str) -> Estimate:
    return Estimate(None, None, None, why)


def _pace(alike: Iterable[_Likeness]) -> str:
    return f"{median(like.pace for like in alike):.2g} times"


def _usable(earlier: Sequence[PastRun]) -> list[PastRun]:
    """The newest; those whose data was resumed did some work twice, so only for want of others."""
    known = [past for past in earlier if _is_usable(past)]
    known.sort(key=lambda past: (past.at, past.run), reverse=True)
    return ([past for past in known if not past.resumes] or known)[:_MOST]


def _is_usable(past: PastRun) -> bool:
    return 0 < past.seconds < math.inf and well_observed(past) and bool(_spent(past))


def _spent(past: PastRun) -> dict[str, float]:
    timed = {key: stage.seconds for key, stage in past.stages.items() if of_bootstrap(key)}
    return {key: seconds for key, seconds in timed.items() if seconds > 0}


def _likeness(progress: Progress, elapsed: float, past: PastRun) -> _Likeness:
    spent = _spent(past)
    left = {key: seconds - _reached(progress, past, key) for key, seconds in spent.items()}
    overlap = _Overlap.of(past.seconds, spent)
    done = past.seconds - overlap.duration(left)
    if done <= 0:
        return _Likeness(0.0, math.inf, math.inf)
    share, pace = done / past.seconds, elapsed / done
    believed = pace ** (share / (share + _DOUBT))
    priced = {key: seconds * believed for key, seconds in left.items()}
    now = _pace_now(progress, past)
    if now is not None and progress.doing in priced:
        priced[progress.doing] *= (now / believed) ** _OF_RATE
    return _Likeness(share, pace, overlap.duration(priced))


def _reached(progress: Progress, past: PastRun, key: str) -> float:
    """The seconds after which the earlier run's stage was where this one's is."""
    now, then = progress.stages.get(key, Stage()), past.stages[key]
    return then.trail.seconds_at(now.count, (then.seconds, then.count))


def _pace_now(progress: Progress, past: PastRun) -> float | None:
    """The pace of the present stage alone, by its rate; bounded like the other."""
    now, then = progress.stages.get(progress.doing), past.stages.get(progress.doing)
    if now is None or then is None or not now.rate:
        return None
    speed = then.trail.speed_at(now.count, (then.seconds, then.count))
    return min(_PACES[1], max(_PACES[0], speed / now.rate)) if speed else None


@dataclass(frozen=True)
class _Overlap:
    """How an earlier run's stages shared its time, so that sums of stages become a duration.

    The first chain is bootstrapped before the others, which may go side by side.
    """

    # From 0, as far side by side as can be, to 1, one stage after the other: what explains the
    # duration
    in_turn: float
    scale: float  # times, for what that does not explain

    @classmethod
    def of(cls, duration: float, spent: Mapping[str, float]) -> "_Overlap":
        shortest, longest = _side_by_side(spent), sum(spent.values())
        room = longest - shortest
        in_turn = min(1.0, max(0.0, (duration - shortest) / room)) if room > 0 else 0.0
        return cls(in_turn, duration / (shortest + in_turn * room))

    def duration(self, stages: Mapping[str, float]) -> float:
        shortest = _side_by_side(stages)
        return self.scale * (shortest + self.in_turn * (sum(stages.values()) - shortest))


def _side_by_side(stages: Mapping[str, float]) -> float:
    chains: dict[str, float] = {}
    for key, seconds in stages.items():
        chain = key.partition("/")[0]
        chains[chain] = chains.get(chain, 0.0) + seconds
    return chains.pop(CHAINS[0], 0.0) + max(chains.values(), default=0.0)
