"""What an event costs among few and among many Deployments, and what the start costs: the real
engine in this process, each Deployment with a target of its own, and one tag for ten of them.

An event is a change of one Deployment that is of no concern: from the cache's word to the end of
its look. The start ends when nothing is left in the queue. CPU time of both.
"""

from collections.abc import Sequence
from itertools import cycle, islice
from statistics import median

from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.population import population
from tests.bench.resting_engine import log_as_in_production, resting
from tests.fakes import EPOCH

EVENTS = 300
ROUNDS = 7


async def measure(scale: Scale) -> Sequence[Figure]:
    log_as_in_production()
    figures: list[Figure] = []
    events: dict[int, float] = {}
    starts: dict[int, float] = {}
    for count in (10, 100, 300) if scale.quick else (10, 100, 1000, 10_000):
        people = await population(count, "at rest", EPOCH, tags=max(1, count // 10))
        async with resting(people) as it:
            keys = it.crowd.keys()
            some = list(islice(cycle(keys[:: max(1, count // EVENTS)]), EVENTS))
            rounds = [1e3 * await it.changed(some) for _ in range(ROUNDS)]
        figures.append(of_rounds(f"an event, {count:,} targets", rounds, "ms"))
        events[count], starts[count] = median(rounds), 1e3 * it.start / count
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
