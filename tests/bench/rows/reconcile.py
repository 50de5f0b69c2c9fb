"""A look at a Deployment in which nothing changed: the real engine in this process, its key put
into the queue as the resync does, till a worker is done with it. CPU time of all that runs for it.
"""

from collections.abc import Sequence

from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.population import population
from tests.bench.resting_engine import Resting, log_as_in_production, resting
from tests.fakes import EPOCH

ROUNDS = 5
RESYNC = 300.0  # seconds, the default
EACH = at_most(0.2)


async def measure(scale: Scale) -> Sequence[Figure]:
    log_as_in_production()
    count = scale.pick(1000, 100)
    rest = await population(count, "at rest", EPOCH)
    open_ = await population(count, "open run", EPOCH, first=count)
    numbers = f"{count:,}"
    async with resting(rest) as it:
        figures = [of_rounds(f"of {numbers} at rest", await _rounds(it), "ms", EACH)]
    async with resting(open_) as it:
        figures.append(of_rounds(f"of {numbers} with open runs", await _rounds(it), "ms", EACH))
    figures.append(await _share(scale.pick(10_000, 200)))
    return figures


async def _share(count: int) -> Figure:
    """Of a core, which looking at all of them takes once in each resync."""
    people = await population(count, "at rest", EPOCH, tags=count // 10)
    async with resting(people) as it:
        percent = [100.0 * ms / 1e3 * count / RESYNC for ms in await _rounds(it)]
    what = f"{count:,} at rest, at the default resync"
    return of_rounds(what, percent, "% of a core", at_most(2.0))


async def _rounds(it: Resting) -> list[float]:
    """Milliseconds a look, one for each round."""
    keys = it.crowd.keys()
    return [1e3 * await it.resynced(keys) for _ in range(ROUNDS)]
