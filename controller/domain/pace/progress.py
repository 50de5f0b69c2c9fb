"""How far a run's bootstrap has come, from counters that start again with each process [108].

What was done is summed over all lives of the node, so it survives restarts of node and controller.
Rates are of the last minutes only, and begin anew with each controller. A counter that stands has
none: how long it has stood goes on with the next controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controller.domain.pace.speed import Samples, Trail
from controller.domain.pace.stages import CHAINS, STAGES

STANDING = 2  # readings without a movement, and so many seconds: a pod that changes is looked at
LEAST_STANDING = 45.0  # several times at once; looks are half a minute apart

# Bounds of what is read
MOST_STAGES = 64  # stages: three chains have twenty-four
MOST_CHAINS = 16
LONGEST_KEY = 80
LONGEST_LIFE = 200
GREATEST = 2.0**53  # beyond, one more is not seen


@dataclass(frozen=True)
class Stage:
    """How far one stage of one chain is."""

    count: float = 0.0  # done in all lives of this run's node, as far as seen
    seconds: float = 0.0  # observed, in which it moved
    # Per second over the last minutes, 0 while it stands; None where it is not known
    rate: float | None = None
    trail: Trail = field(default_factory=Trail)  # how the count grew with the seconds
    rests: int = 0  # readings in a row in which it has not moved
    rested: float = 0.0  # observed seconds since it was last seen to move

    @property
    def stands(self) -> bool:
        """One reading without a movement says nothing: stages take turns, and blocks are heavy."""
        return self.rests >= STANDING and self.rested >= LEAST_STANDING


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    stages: Mapping[str, Stage] = field(default_factory=dict)  # by key, `<chain>/<stage>`
    heights: Mapping[str, int] = field(default_factory=dict)  # chain to the last accepted one
    doing: str = ""  # key of the stage that moved last; empty before any did
    last: Mapping[str, str] = field(default_factory=dict)  # chain to the key that moved last in it
    moved: bool | None = None  # between the last two readings of one life; None: not known
    # The same of each chain that has begun and was read; empty where that is not known
    moves: Mapping[str, bool] = field(default_factory=dict)
    # Key to requests that failed since its chain moved; only what this controller has seen
    failing: Mapping[str, float] = field(default_factory=dict)

    # What the next reading is set against
    life: str = ""  # name of the process of the last reading; empty before the first
    raw: Mapping[str, float] = field(default_factory=dict)  # its counters, by key
    failed: Mapping[str, float] | None = None  # its failed requests, by key; None: not known
    unnamed: bool = False  # the process is another one than `life` names
    samples: Samples = field(default_factory=Samples)  # of the last minutes


def after(
    before: Progress,
    *,
    counters: Mapping[str, float],
    heights: Mapping[str, int],
    life: str,
    at: float,
    counted: float,
) -> Progress:
    """One more reading. counters: since the process began; what is no count is left out. life:
    names the process, in its first 200 characters. at: monotonic seconds. counted: observed seconds
    since the last reading, 0 after a gap.

    A life that is met for the first time counts in full: the process is this run's, and began at
    zero. One that is met again, even by another controller, adds what has grown since. A counter
    that has fallen began anew, whatever its life is called.
    """
    life = life[:LONGEST_LIFE]
    read = {k: float(counters[k]) for k in _admitted(counters, before.stages, MOST_STAGES)}
    high = {k: heights[k] for k in _admitted(heights, before.heights, MOST_CHAINS)}
    # A process may answer before the cluster has told of it. What it says then stands below the
    # name of the one before, and must not count again when its own name comes.
    same = life == before.life or before.unnamed
    then = before.raw if same else {}
    done = {key: _grown(then.get(key, 0.0), value) for key, value in read.items()}
    advanced = [key for key, by in done.items() if by > 0]
    stages = {key: replace(was, rate=None) for key, was in before.stages.items()}
    for key, by in done.items():
        moving = counted if by > 0 and same else 0.0
        stages[key] = _further(stages.get(key, Stage()), by, moving, counted)
    counts = {key: stages[key].count for key in read}
    samples = (before.samples if counted > 0 else Samples()).then(at, counts)
    for key, count in counts.items():
        rate = 0.0 if stages[key].stands else samples.rate(at, key, count)
        stages[key] = replace(stages[key], rate=rate)
    last = dict(before.last)
    for key in sorted(advanced, key=order_of):
        last[chain_of(key)] = key
    moved = _moved(then, read, before.heights, high) if same else None
    risen = {c for c, height in high.items() if height > before.heights.get(c, height)}
    risen |= {chain_of(key) for key in advanced}
    told = {*map(chain_of, read), *high}  # of a chain that is not read, nobody knows
    return Progress(
        stages=stages,
        heights={**before.heights, **high},
        doing=max(advanced, key=order_of) if advanced else before.doing,
        last=last,
        moved=moved,
        moves={} if moved is None else {chain: chain in risen for chain in last if chain in told},
        life=life,
        raw={**then, **read},
        unnamed=life == before.life and _fell(then, read),
        samples=samples,
    )


def _admitted(read: Mapping[str, float], known: Mapping[str, object], most: int) -> list[str]:
    """The keys whose values are counts, and no more of them than there is room for. NaN is not
    between any two numbers.
    """
    sound = [
        key
        for key, value in read.items()
        if 0 < len(key) <= LONGEST_KEY
        and key.isascii()
        and key.isprintable()
        and 0 <= value <= GREATEST
    ]
    left_out = sorted(set(sound) - known.keys())[max(0, most - len(known)) :]
    return [key for key in sound if key not in left_out]


def _grown(then: float, now: float) -> float:
    return now - then if now >= then else now


def _fell(then: Mapping[str, float], now: Mapping[str, float]) -> bool:
    return any(value < then.get(key, 0.0) for key, value in now.items())


def _further(was: Stage, by: float, moving: float, counted: float) -> Stage:
    """moving: observed seconds in which it moved, of those that are counted."""
    count, seconds = min(was.count + by, GREATEST), was.seconds + moving
    rests, rested = (0, 0.0) if by > 0 or not count else (was.rests + 1, was.rested + counted)
    return Stage(count, seconds, None, was.trail.then(seconds, count), rests, rested)


def _moved(
    then: Mapping[str, float],
    now: Mapping[str, float],
    heights_then: Mapping[str, int],
    heights: Mapping[str, int],
) -> bool | None:
    """A counter that fell tells of another process, and so nothing of movement. A height that is
    new has not risen: a process finds it in its database.
    """
    if any(height > heights_then.get(chain, height) for chain, height in heights.items()):
        return True
    if any(value > then.get(key, 0.0) for key, value in now.items()):
        return True
    return None if _fell(then, now) else False


def chain_of(key: str) -> str:
    return key.partition("/")[0]


def order_of(key: str) -> tuple[int, int, str]:
    """Of stages that move at one time, the greatest tells best how far the node is."""
    chain, _, stage = key.partition("/")
    by_chain = CHAINS.index(chain) if chain in CHAINS else -1
    return STAGES.index(stage) if stage in STAGES else -1, by_chain, key
