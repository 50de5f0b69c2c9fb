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
from pathlib import Path
from random import Random

from loguru import logger

from controller.kube.watch.listing import PAGE
from controller.process.app import App
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from store import open_store
from tests.bench.figure import Figure, Scale, at_most
from tests.bench.population import Population, population
from tests.bench.quiet_world import QuietWorld
from tests.bench.sides import Sides, theirs
from tests.jumping_loop import JumpingLoop, LoopClock

HOUR = 3600.0
WARM = 1200.0  # seconds before the hour: the start, the settle time, the first lists


async def measure(scale: Scale) -> Sequence[Figure]:
    return await asyncio.to_thread(_measure, scale)


def _measure(scale: Scale) -> Sequence[Figure]:
    logger.remove()
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(_hour(scale))


async def _hour(scale: Scale) -> Sequence[Figure]:
    clock = LoopClock()
    resting, running = scale.pick(900, 45), scale.pick(100, 5)
    seconds = HOUR if not scale.quick else 600.0
    people = await _people(clock, resting, running)
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
    note = (
        f"{resting} Deployments at rest and {running} with open runs, {len(people.tags)} distinct"
        f" tags; the store is {'Redis' if scale.redis else 'in memory'}"
    )
    share = 100 * sides.ours / seconds
    beside = {"with servers, loop and jumps": 100 * whole / seconds}
    cpu = Figure("CPU", share, "% of a core", at_most(1), beside, note=note)
    pages = -(-(resting + running) // PAGE)
    return [cpu, *_requests(counts, seconds, len(people.tags), running, pages)]


async def _people(clock: LoopClock, resting: int, running: int) -> Population:
    """A third of those at rest share ten tags; all others have one of their own."""
    now = clock.now()
    shared = resting // 3
    found = await population(
        resting - shared, "at rest", now, per_target=1, prefix="rest", keep_raw=True
    )
    for count, state, tags in ((shared, "at rest", 10), (running, "open run", 0)):
        first = 10_000 + len(found.deployments)
        more = await population(
            count, state, now, tags=tags, prefix=state.replace(" ", "-"), first=first, keep_raw=True
        )
        found.add(more)
    return found


def _requests(
    counts: Counter[str], seconds: float, tags: int, running: int, pages: int
) -> list[Figure]:
    """Each kind of request, an hour, beside what it is by the intervals. pages: of a list."""
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
