"""A controller at rest: the whole process (`process/app.py`) with its default intervals, for an
hour of simulated time, beside HTTP servers in the same process on an event loop whose clock jumps.

Counted is the CPU of callbacks that our side began, as Redis's client, heartbeat and metrics; the
servers' callbacks are not, and neither is the loop's own bookkeeping, most of which is the jumping
clock's. Its whole process, servers and jumps included, is stated beside.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from loguru import logger

from controller.kube.watch.listing import PAGE
from controller.process.app import App
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from store import open_store
from tests.bench.figure import Figure, Scale, at_most
from tests.bench.old_store import emptied
from tests.bench.population import Population, population
from tests.bench.quiet_world import QuietWorld
from tests.bench.sides import Sides, theirs
from tests.jumping_loop import JumpingLoop, LoopClock

HOUR = 3600.0
WARM = 1200.0  # seconds before the hour: the start, the settle time, the first lists


@dataclass(frozen=True)
class Mix:
    """Of Deployments, each with a target of its own."""

    resting: int
    tags: int  # that those at rest follow
    running: int  # bootstrap; each follows a tag of its own

    def __str__(self) -> str:
        return (
            f"{self.resting + self.running:,} targets on {self.tags + self.running} distinct tags,"
            f" {self.running} of them bootstrapping"
        )


async def measure(scale: Scale) -> Sequence[Figure]:
    """Of a fleet, in which many follow a tag and few bootstrap; and of one that is hardly idle."""
    fleet = Mix(48, 4, 2) if scale.quick else Mix(980, 80, 20)
    figures = await asyncio.to_thread(_measure, scale, fleet)
    if scale.quick:
        return figures
    if scale.redis:
        await emptied(scale.redis)
    busy, *requests = await asyncio.to_thread(_measure, scale, Mix(900, 610, 100))
    every = sum(each.value for each in requests)
    return [*figures, replace(busy, goal=None, note=f"{every:,.0f} requests an hour")]


def _measure(scale: Scale, mix: Mix) -> Sequence[Figure]:
    logger.remove()
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(_hour(scale, mix))


async def _hour(scale: Scale, mix: Mix) -> Sequence[Figure]:
    clock = LoopClock()
    seconds = HOUR if not scale.quick else 600.0
    people = await _people(clock, mix)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with theirs():
            world = QuietWorld(people, clock)
            await world.start()
        url = scale.redis or "memory://"
        if scale.redis:
            store = await open_store(url)
            await people.fill(store)
            await store.close()
        settings = load_settings(
            {
                "kubeconfig": str(world.kubeconfig(Path(folder) / "kubeconfig")),
                "registry": [f"docker.io={world.url}"],
                "node_url": world.url + "/nodes/{pod}",
                "store": url,
                "listen": "127.0.0.1:0",
            },
            {},
        )
        app = App(settings, Surroundings(clock, Random(1), {"POD_NAME": "bench-0"}))
        life = asyncio.create_task(app.run())
        await clock.sleep(WARM)
        before, sides = world.counts.copy(), Sides()
        whole = time.process_time()
        with sides.measured():
            await clock.sleep(seconds)
        whole = time.process_time() - whole
        counts = world.counts - before
        app.stop()
        await life
        with theirs():
            await world.stop()
    note = f"the store is {'Redis' if scale.redis else 'in memory'}"
    share = 100 * sides.ours / seconds
    beside = {"with servers, loop and jumps": 100 * whole / seconds}
    cpu = Figure(f"CPU, {mix}", share, "% of a core", at_most(1), beside, note=note)
    return [cpu, *_requests(counts, seconds, mix)]


async def _people(clock: LoopClock, mix: Mix) -> Population:
    now = clock.now()
    found = await population(
        mix.resting, "at rest", now, tags=mix.tags, prefix="rest", keep_raw=True
    )
    more = await population(
        mix.running, "open run", now, prefix="open-run", first=10_000, keep_raw=True
    )
    return found.add(more)


def _requests(counts: Counter[str], seconds: float, mix: Mix) -> list[Figure]:
    """Each kind of request, an hour, beside what it is by the intervals."""
    tags, running = mix.tags + mix.running, mix.running
    pages = -(-(mix.resting + running) // PAGE)  # of a list
    hour = HOUR / seconds
    watches = 3 * HOUR / 300  # of three collections; each ends after five to ten minutes
    lists = 3 * pages * HOUR / 960  # each is taken anew after sixteen minutes or more
    looks = 1.02 * running * HOUR / 30  # the interval is drawn, 10 % more or less
    expected = {
        "HEAD tag": 1.02 * tags * HOUR / 60,
        "watch": watches,
        "list": lists,
        # What the build of a run is: this registry does not say, and is asked thrice, an hour apart
        "GET build": running + 1,
        "read lease": HOUR / 5,
        "write lease": HOUR / 5,
        "node /ext/health/readiness": looks,
        "node /ext/health": looks,
        "node /ext/metrics": looks,
        "node /ext/info": 2 * looks,
    }
    found = Counter[str]()
    for what, count in counts.items():
        found[what.split()[0] if what.startswith(("watch", "list")) else what] += count
    figures = [
        Figure(f"requests: {what}", found.pop(what, 0) * hour, "an hour", at_most(most))
        for what, most in expected.items()
    ]
    others = ", ".join(f"{what}: {count}" for what, count in sorted(found.items()))
    count = sum(found.values()) * hour
    return [*figures, Figure("all other requests", count, "an hour", at_most(0), note=others[:600])]
