"""What an event costs among few and among many Deployments, and what the start costs: the real
engine in this process, each Deployment with a target of its own, and one tag for ten of them.

An event is a change of one Deployment that is of no concern: from the cache's word to the end of
its look. All sizes stand beside each other and have their events in turn, one by one: as in life,
something else has run before each, and what the machine does meanwhile is shared by all. The start
ends when nothing is left in the queue. CPU time of both.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from statistics import median

from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.population import population
from tests.bench.resting_engine import Resting, log_as_in_production, resting
from tests.fakes import EPOCH

EVENTS = 300
ROUNDS = 7


async def measure(scale: Scale) -> Sequence[Figure]:
    log_as_in_production()
    figures: list[Figure] = []
    events: dict[int, float] = {}
    starts: dict[int, float] = {}
    engines: dict[int, Resting] = {}
    async with AsyncExitStack() as stack:
        for count in (10, 100, 300) if scale.quick else (10, 100, 1000, 10_000):
            people = await population(count, "at rest", EPOCH, tags=max(1, count // 10))
            it = engines[count] = await stack.enter_async_context(resting(people))
            starts[count] = 1e3 * it.start / count
        rounds = [await _round(engines) for _ in range(ROUNDS)]
    for count in engines:
        found = [1e3 * each[count] for each in rounds]
        figures.append(of_rounds(f"an event, {count:,} targets", found, "ms"))
        events[count] = median(found)
    few, *_, fewer, most = events
    figures += [
        Figure(
            f"an event, {most:,} targets to {few:,}", events[most] / events[few], "", at_most(1.2)
        ),
        *(Figure(f"start, {n:,} targets, of each", ms, "ms") for n, ms in starts.items()),
        Figure(
            f"start of each, {most:,} targets to {fewer:,}",
            starts[most] / starts[fewer],
            "",
            at_most(1.3, "linear"),
        ),
    ]
    return figures


async def _round(engines: Mapping[int, Resting]) -> dict[int, float]:
    """CPU seconds an event, by the number of targets."""
    took = dict.fromkeys(engines, 0.0)
    some = {count: cycle(_spread(it.crowd.keys())) for count, it in engines.items()}
    for _ in range(EVENTS):
        for count, it in engines.items():
            took[count] += await it.changed([next(some[count])]) / EVENTS
    return took


def _spread(keys: Sequence[str]) -> Sequence[str]:
    return keys[:: max(1, len(keys) // EVENTS)]
