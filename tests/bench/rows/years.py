"""A Redis that has been written for years: what of it costs more the more it holds?

The past is that of fifty targets: at the whole 100,000 claims and 1,000,000 transitions, and beside
it a tenth and a hundredth. It is written by scripts of its own (`tests.bench.old_store`). At each:

* start: the process beside a simulated cluster, from its start to its first granted claim;
* `history`: the whole command, and its reading alone, of all and of one target;
* a claim: the ledger's asking, of a build that nobody has tested.

A refill is of an empty store with the claims that 1,000 records prove, a hundred each, which is as
many as a record remembers, while the loop is looked at each millisecond.
"""

import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from statistics import median

from controller.base.clock import SystemClock
from controller.domain.decide.observation import TakeClaim
from controller.domain.record.record import Record
from controller.engine.claims.ledger import Ledger
from controller.engine.probing.earlier_runs import passed_runs
from controller.views.history import read_history
from controller.views.reading import Reading
from store import StateStore, open_store
from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.held_loop import held_loop
from tests.bench.old_store import Past, emptied, fill
from tests.bench.started_on_store import beside

TARGETS = tuple(f"fuji-full-sync-{number}" for number in range(50))
WHOLE = 2000  # runs of each target
PARTS = {"1/100": 100, "1/10": 10, "whole": 1}
_CLAIMS = 100  # that one round asks for
_FLAT = 1.2
_COMPARED = "reading what a run is compared with"
_MS = 1000.0


@dataclass
class Taken:
    """What one size took, a value for each round."""

    start: list[float] = field(default_factory=list)  # seconds
    # What else, to milliseconds
    reading: dict[str, list[float]] = field(default_factory=dict)


async def measure(scale: Scale) -> Sequence[Figure]:
    if not scale.redis:
        return ()
    taken: dict[str, Taken] = {}
    for name, divisor in PARTS.items():
        past = Past(TARGETS, scale.pick(WHOLE, WHOLE // 100) // divisor or 1)
        taken[name] = await _at(past, scale)
    await emptied(scale.redis)
    refills, blocks = await _refills(scale)
    whole = taken["whole"]
    return [
        of_rounds(
            "start to the first claim, --settle 0s",
            whole.start,
            "s",
            at_most(5.0),
            {name: median(each.start) for name, each in taken.items() if name != "whole"},
        ),
        of_rounds("refill of 100,000 claims from 1,000 records", refills, "s"),
        of_rounds("the loop, blocked at the longest meanwhile", blocks, "ms", at_most(50.0)),
        *(_ratio(what, taken) for what in whole.reading),
    ]


def _ratio(what: str, taken: dict[str, Taken]) -> Figure:
    """How much longer the whole takes than a hundredth of it."""
    medians = {f"ms at {name}": median(each.reading[what]) for name, each in taken.items()}
    small, large = median(taken["1/100"].reading[what]), median(taken["whole"].reading[what])
    if what == _COMPARED:
        note = "it looks through 600 transitions, and at 1/100 a target has 200"
        return Figure(f"{what}, whole", large, "ms", None, medians, note=note)
    goal = at_most(_FLAT, "independent of size")
    return Figure(f"{what}, whole : 1/100", large / small, "", goal, medians)


async def _at(past: Past, scale: Scale) -> Taken:
    await emptied(scale.redis)
    await fill(scale.redis, past)
    taken, rounds = Taken(), scale.pick(5, 1)
    for _ in range(scale.pick(3, 1)):
        async with beside(scale.redis) as here:
            taken.start.append(await here.first_claim())
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(beside(scale.redis))
        store = await open_store(scale.redis)
        stack.push_async_callback(store.close)
        for _ in range(rounds):
            for what, ask in _questions(store, past).items():
                taken.reading.setdefault(what, []).append(await _timed(ask) * _MS)
            command = await here.command("history") * _MS
            taken.reading.setdefault("the command `history`", []).append(command)
        ledger = _ledger(store, [])
        stands = await store.meta()
        await ledger.open(stands.cluster if stands else "")
        claims = taken.reading.setdefault("a claim", [])
        for number in range(rounds * _CLAIMS):
            owner, run = f"bootstrap/asks-{number % 50}", past.run(-1 - number)
            take = TakeClaim(TARGETS[number % 50], past.build(-1 - number), run)
            begin = time.perf_counter()
            await ledger.claim(take, owner)
            claims.append((time.perf_counter() - begin) * _MS)
    return taken


def _questions(store: StateStore, past: Past) -> dict[str, Callable[[], Awaitable[object]]]:
    """Each with what it reads of the store."""
    target = TARGETS[7]

    def lines(of: str | None) -> Callable[[], Awaitable[object]]:
        return lambda: read_history(store, [], target=of, deployment=None, limit=51)

    return {
        "reading `history`": lines(None),
        "reading `history --target`": lines(target),
        _COMPARED: lambda: passed_runs(store, target, before=""),
        "reading the last runs of a target": lambda: Reading(store, []).ended(target, limit=1),
    }


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    """Seconds; of several times the quickest, for other programs of the machine only add."""
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - begin)
    return min(taken)


async def _refills(scale: Scale) -> tuple[list[float], list[float]]:
    """Seconds of each, and milliseconds for which the loop was held at the longest."""
    records, past = _records(scale.pick(1000, 10)), list[float]()
    blocks = list[float]()
    for _ in range(scale.pick(5, 1)):
        await emptied(scale.redis)
        store = await open_store(scale.redis)
        ledger = _ledger(store, records)
        gc.collect()  # what was made to measure with is looked through now, and not meanwhile
        async with held_loop() as held:
            begin = time.perf_counter()
            await ledger.open("bench")
            past.append(time.perf_counter() - begin)
        blocks.append(held.longest_wall * _MS)
        await store.close()
    return past, blocks


def _records(count: int) -> list[Record]:
    build = Past((), 0).build
    return [
        Record(
            schema=1,
            namespace="bootstrap",
            name=f"node-{number}",
            uid="u",
            tested={TARGETS[number % 50]: tuple(build(100 * number + n) for n in range(100))},
        )
        for number in range(count)
    ]


def _ledger(store: StateStore, records: Sequence[Record]) -> Ledger:
    return Ledger(
        store, SystemClock(), Random(1), settle=0.0, patience=60.0, records=lambda: records
    )
