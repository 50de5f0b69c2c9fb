"""A store that remembers as many runs as a busy year leaves: a build for each run, newest last."""

import orjson

from controller.domain.pace.noted_progress import encode_progress
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.speed import Trail
from store.api import Claim, StateStore, Transition
from tests.page_desk import build, run_id

BEGIN = 1_700_000_000.0  # seconds since 1970, when the first run ended
EVERY = 1000.0  # seconds between two ends
_AT_ONCE = 500  # transitions and claims that are written at once


def version(number: int) -> str:
    return f"1.14.{number}"


def commit(number: int) -> str:
    return build(1_000_000 + number)[7:47]


def index(number: int) -> str:
    return build(2_000_000 + number)


def run_of(number: int) -> str:
    return f"{run_id(BEGIN + number * EVERY - 900, 0)[:-8]}{build(number)[7:15]}"


async def remember(store: StateStore, target: str, numbers: range, *, heavy: bool = True) -> None:
    """A passed run of each number, of a build of its own, with claim, look and three transitions.
    heavy: with the progress that a real run has.
    """
    claims, lines = [], list[Transition]()
    meta = await store.meta()
    assert meta is not None
    progress = _progress() if heavy else ""
    for number in numbers:
        run, ended = run_of(number), BEGIN + number * EVERY
        await store.put_run(target, run, _fields(number, ended) | {"progress": progress})
        await store.note_seen(target, build(number), at=ended - 1000)
        claims.append(Claim(target, build(number), run, "bootstrap/none"))
        for before, phase, at in (
            ("", "Starting", 900), ("Starting", "Bootstrapping", 800), ("Soaking", "Passed", 0)
        ):  # fmt: skip
            told = {"run": run, "phase": phase, "before": before, "build": build(number),
                    "deployment": "bootstrap/none"}  # fmt: skip
            identity = f"bootstrap.{target}.{run}.{phase}"
            lines.append(Transition(identity, target, ended - at, orjson.dumps(told)))
        if len(claims) == _AT_ONCE or number == numbers[-1]:
            await store.refill(meta, claims)
            await store.append(lines)
            claims, lines = [], []


def _fields(number: int, ended: float) -> dict[str, str]:
    return {
        "phase": "Passed", "reason": "Soaked", "build": build(number), "digest": index(number),
        "version": f"avalanchego/{version(number)}", "commit": commit(number),
        "tags": f"v{version(number)}", "deployment": "bootstrap/none", "took": "600",
        "observed": "700", "lasted": "650", "started": str(ended - 800),
        "bootstrapped": str(ended - 150), "ended": str(ended), "node": "ip-10-0-3-7",
        "instance_type": "i4i.xlarge", "zone": "eu-west-1a", "storage_class": "gp3",
        "image": f"avaplatform/avalanchego:latest@{index(number)}",
        "message": "it bootstrapped and was sound for long enough",
    }  # fmt: skip


def _progress() -> str:
    trail = Trail()
    for tenth in range(1, 10):
        trail = trail.then(60.0 * tenth, 4e5 * tenth)
    stages = {
        f"{chain}/{stage}": Stage(count=4.1e6, seconds=600.0, trail=trail)
        for chain in "PXC"
        for stage in ("fetched", "executed")
    }
    return encode_progress(Progress(stages=stages, doing="C/executed", moved=True))
