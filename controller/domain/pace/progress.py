"""How far a run's bootstrap has come, from counters that start again with each process [108].

What was done is summed over all lives of the node, so it survives restarts of node and controller.
Rates are of the last minutes only, and begin anew with each controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import msgspec
import orjson

from controller.domain.pace.speed import POINTS, Samples, Trail
from controller.domain.pace.stages import CHAINS, STAGES

SCHEMA = 1
BYTES = 4096  # of the text: it is written every few minutes for each open run

_MOST = 64  # stages: three chains have twenty-four
_CHAINS = 16
_LONGEST_KEY = 80
_LONGEST_LIFE = 200
_GREATEST = 2.0**53  # beyond, one more is not seen


@dataclass(frozen=True)
class Stage:
    """How far one stage of one chain is."""

    count: float = 0.0  # done in all lives of this run's node, as far as seen
    seconds: float = 0.0  # observed, in which it moved
    rate: float | None = None  # per second over the last minutes; None where it is not known
    trail: Trail = field(default_factory=Trail)  # how the count grew with the seconds


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
    life = life[:_LONGEST_LIFE]
    read = {k: float(counters[k]) for k in _admitted(counters, before.stages, _MOST)}
    high = {k: heights[k] for k in _admitted(heights, before.heights, _CHAINS)}
    # A process may answer before the cluster has told of it. What it says then stands below the
    # name of the one before, and must not count again when its own name comes.
    same = life == before.life or before.unnamed
    then = before.raw if same else {}
    done = {key: _grown(then.get(key, 0.0), value) for key, value in read.items()}
    advanced = [key for key, by in done.items() if by > 0]
    stages = {key: replace(was, rate=None) for key, was in before.stages.items()}
    for key, by in done.items():
        moving = counted if by > 0 and same else 0.0
        stages[key] = _further(stages.get(key, Stage()), by, moving)
    counts = {key: stages[key].count for key in read}
    samples = (before.samples if counted > 0 else Samples()).then(at, counts)
    for key, count in counts.items():
        stages[key] = replace(stages[key], rate=samples.rate(at, key, count))
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
        if 0 < len(key) <= _LONGEST_KEY
        and key.isascii()
        and key.isprintable()
        and 0 <= value <= _GREATEST
    ]
    left_out = sorted(set(sound) - known.keys())[max(0, most - len(known)) :]
    return [key for key in sound if key not in left_out]


def _grown(then: float, now: float) -> float:
    return now - then if now >= then else now


def _fell(then: Mapping[str, float], now: Mapping[str, float]) -> bool:
    return any(value < then.get(key, 0.0) for key, value in now.items())


def _further(was: Stage, by: float, moving: float) -> Stage:
    count, seconds = min(was.count + by, _GREATEST), was.seconds + moving
    return Stage(count, seconds, None, was.trail.then(seconds, count))


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


_Number = Annotated[float, msgspec.Meta(ge=0, le=_GREATEST)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_KEY)]
_Row = Annotated[tuple[_Number, ...], msgspec.Meta(min_length=2, max_length=3)]
_Trail = Annotated[tuple[_Number, ...], msgspec.Meta(min_length=2, max_length=1 + POINTS)]


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has of it, bounded, for somebody else may have written it."""

    schema: Annotated[int, msgspec.Meta(ge=1, le=SCHEMA)]
    # Key to count, seconds, and the counter as last read if this life has it
    stages: Annotated[dict[_Key, _Row], msgspec.Meta(max_length=_MOST)]
    # Key to seconds between points, and the points
    trails: Annotated[dict[_Key, _Trail], msgspec.Meta(max_length=_MOST)] = {}
    heights: Annotated[dict[_Key, _Whole], msgspec.Meta(max_length=_CHAINS)] = {}
    doing: Annotated[str, msgspec.Meta(max_length=_LONGEST_KEY)] = ""
    last: Annotated[dict[_Key, _Key], msgspec.Meta(max_length=_CHAINS)] = {}
    life: Annotated[str, msgspec.Meta(max_length=_LONGEST_LIFE)] = ""


def encode_progress(progress: Progress) -> str:
    """Compact JSON of at most 4 KiB: what a controller that starts needs to go on. If it were more,
    trails and then stages that have moved for the shortest time are left out.
    """
    keys = sorted(progress.stages, key=lambda key: progress.stages[key].seconds, reverse=True)
    trails = [key for key in keys if progress.stages[key].trail.counts]
    while True:
        text = orjson.dumps(
            {
                "schema": SCHEMA,
                "stages": {key: _row(progress, key) for key in keys},
                "trails": {key: _points(progress.stages[key].trail) for key in trails},
                "heights": dict(progress.heights),
                "doing": progress.doing,
                "last": dict(list(progress.last.items())[:_CHAINS]),
                "life": progress.life,
            }
        )
        if len(text) <= BYTES or not keys:
            return text.decode()
        (trails or keys).pop()


def _row(progress: Progress, key: str) -> list[float]:
    """Counts are not rounded: one that was rounded up would have fallen at the next reading."""
    stage = progress.stages[key]
    row = [stage.count, round(stage.seconds, 1)]
    if key in progress.raw:
        row.append(progress.raw[key])
    return [int(number) if float(number).is_integer() else number for number in row]


def _points(trail: Trail) -> list[int]:
    return [round(trail.every), *(round(count) for count in trail.counts)]


def decode_progress(text: str) -> Progress | None:
    """None for what this controller cannot go on from, and then it begins with nothing."""
    try:
        saved = msgspec.convert(orjson.loads(text), _Saved)
    except (orjson.JSONDecodeError, msgspec.ValidationError):
        return None
    walked = {key: Trail(max(1.0, row[0]), row[1:]) for key, row in saved.trails.items()}
    return Progress(
        stages={
            key: Stage(row[0], row[1], None, walked.get(key, Trail()))
            for key, row in saved.stages.items()
        },
        heights=saved.heights,
        doing=saved.doing,
        last=saved.last,
        life=saved.life,
        raw={key: row[2] for key, row in saved.stages.items() if len(row) > 2},
    )
