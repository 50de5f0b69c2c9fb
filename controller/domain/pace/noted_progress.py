"""Progress as the store or the record has it: what a controller that starts needs to go on."""

from typing import Annotated

import msgspec
import orjson

from controller.domain.pace.progress import (
    GREATEST,
    LONGEST_KEY,
    LONGEST_LIFE,
    MOST_CHAINS,
    MOST_STAGES,
    STANDING,
    Progress,
    Stage,
)
from controller.domain.pace.speed import POINTS, Trail

SCHEMA = 1
BYTES = 4096  # of the text: it is written every few minutes for each open run

_Number = Annotated[float, msgspec.Meta(ge=0, le=GREATEST)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]
_Row = Annotated[tuple[_Number, ...], msgspec.Meta(min_length=2, max_length=3)]
_Trail = Annotated[tuple[_Number, ...], msgspec.Meta(min_length=2, max_length=1 + POINTS)]


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has of it, bounded, for somebody else may have written it."""

    schema: Annotated[int, msgspec.Meta(ge=1, le=SCHEMA)]
    # Key to count, seconds, and the counter as last read if this life has it
    stages: Annotated[dict[_Key, _Row], msgspec.Meta(max_length=MOST_STAGES)]
    # Key to seconds between points, and the points
    trails: Annotated[dict[_Key, _Trail], msgspec.Meta(max_length=MOST_STAGES)] = {}
    # Key to observed seconds, of those that stand and moved last; an older controller noted none
    standing: Annotated[dict[_Key, _Number], msgspec.Meta(max_length=MOST_STAGES)] = {}
    heights: Annotated[dict[_Key, _Whole], msgspec.Meta(max_length=MOST_CHAINS)] = {}
    doing: Annotated[str, msgspec.Meta(max_length=LONGEST_KEY)] = ""
    last: Annotated[dict[_Key, _Key], msgspec.Meta(max_length=MOST_CHAINS)] = {}
    life: Annotated[str, msgspec.Meta(max_length=LONGEST_LIFE)] = ""


def encode_progress(progress: Progress, *, most: int = BYTES, with_trails: bool = True) -> str:
    """Compact JSON of so many bytes at most. If it were more, trails and then stages that have
    moved for the shortest time are left out. with_trails: they serve estimates only.
    """
    keys = sorted(progress.stages, key=lambda key: progress.stages[key].seconds, reverse=True)
    last = {progress.doing, *progress.last.values()}
    trails = [key for key in keys if with_trails and progress.stages[key].trail.counts]
    while True:
        text = orjson.dumps(
            {
                "schema": SCHEMA,
                "stages": {key: _row(progress, key) for key in keys},
                "trails": {key: _points(progress.stages[key].trail) for key in trails},
                "standing": {
                    key: round(progress.stages[key].rested)
                    for key in keys
                    if key in last and progress.stages[key].stands
                },
                "heights": dict(progress.heights),
                "doing": progress.doing,
                "last": dict(list(progress.last.items())[:MOST_CHAINS]),
                "life": progress.life,
            }
        )
        if len(text) <= most or not keys:
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
            key: Stage(
                row[0],
                row[1],
                None,
                walked.get(key, Trail()),
                STANDING if key in saved.standing else 0,
                saved.standing.get(key, 0.0),
            )
            for key, row in saved.stages.items()
        },
        heights=saved.heights,
        doing=saved.doing,
        last=saved.last,
        life=saved.life,
        raw={key: row[2] for key, row in saved.stages.items() if len(row) > 2},
    )
