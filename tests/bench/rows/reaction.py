"""From what happens outside to the accepted patch, wall clock, with 1,000 targets present.

The controller runs in a process of its own; API server (the simulator's, without its workloads),
registry and nodes in this one, which notes each moment. Half of the targets have an open run, half
are at rest. Beside it the same with a tenth of them: what the others do meanwhile is the rest.

* One pod after the other becomes ready, and its node with it: from the moment at which the event's
  bytes are sent to the accepted patch that says Soaking.
* One tag after the other moves, at the HEAD that asks for it: from that answer to the accepted pin.
  The GET of the index is in it.

What the servers take themselves is taken off: a patch and its dry run from their arrival on, and
the making of answers. Beside stands the same with their share.
"""

import asyncio
from collections.abc import Sequence
from statistics import median, quantiles

from tests.bench.controller_process import controller_process
from tests.bench.figure import Figure, Goal, Scale, at_most
from tests.bench.moments import Moments
from tests.bench.reacting_world import ReactingWorld

# Seconds between two of them: what follows from one (people are told, the node is looked at again)
# is over before the next.
_GAP = 0.1


async def measure(scale: Scale) -> Sequence[Figure]:
    figures: list[Figure] = []
    count = scale.pick(1000, 24)
    other = scale.redis.removesuffix("/0")
    stores = (
        ("Redis", scale.redis, f"{other}/2", 30.0),
        ("memory", "memory://", "memory://", 15.0),
    )
    for kind, url, apart, goal in stores:
        if not url:
            continue
        few, poll = count // 10, "1s" if scale.quick else "30s"
        ready, pins = await _one_by_one(url, count, poll)
        ready_of_few, pins_of_few = ([], []) if scale.quick else await _one_by_one(apart, few, "5s")
        for what, found, of_few in (
            ("pod ready to patch", ready, ready_of_few),
            ("new digest to pin", pins, pins_of_few),
        ):
            figures.append(_figure(f"{what}, {kind}", found, of_few, at_most(goal)))
    if scale.redis:
        seconds = await _all_at_once(f"{other}/1", count)
        figures.append(Figure(f"one new digest until all {count} are pinned, Redis", seconds, "s"))
    return figures


def _figure(what: str, found: Sequence[Moments], of_few: Sequence[Moments], goal: Goal) -> Figure:
    """of_few: the same, with a tenth of the targets."""
    ours = _ours(found)
    beside = {"with a tenth of the targets": _last_percent(_ours(of_few))} if of_few else {}
    whole = [1000 * each.whole for each in found]
    shares = [1000 * each.share for each in found]
    return Figure(
        f"{what}, 99th percentile",
        _last_percent(ours),
        "ms",
        goal,
        {"with the simulator's share": _last_percent(whole), **beside},
        note=(
            f"{len(found)} of them; median {median(ours):.1f} ms, and"
            f" {median(shares):.1f} ms more in the simulator"
        ),
    )


def _ours(found: Sequence[Moments]) -> list[float]:
    return [1000 * (each.whole - each.share) for each in found]


def _last_percent(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]


async def _one_by_one(store: str, count: int, poll: str) -> tuple[list[Moments], list[Moments]]:
    world = ReactingWorld()
    running = [f"run-{number}" for number in range(count // 2)]
    resting = [f"rest-{number}" for number in range(count // 2)]
    for name in running:
        world.target(name, name, tested=False)
    for name in resting:
        world.target(name, name, tested=True)
    async with world, controller_process(world.flags(store, poll)):
        await world.until(lambda: all(world.phases[n] == "Bootstrapping" for n in running))
        await world.until(lambda: all(world.phases[n] for n in resting))
        await asyncio.sleep(count / 300)  # what follows from the start is over
        ready = []
        for name in running[: len(running) * 3 // 5]:
            found = await world.becomes_ready(name)
            await world.until(lambda found=found: bool(found.accepted))
            ready.append(found)
            await asyncio.sleep(_GAP)
        return ready, await _moved(world, set(resting))


async def _moved(world: ReactingWorld, resting: set[str]) -> list[Moments]:
    """One tag at a time, as the controller comes to ask for it."""
    pins: list[Moments] = []
    quiet = asyncio.Event()
    quiet.set()
    left = set(resting)

    def moves(tag: str) -> bool:
        if tag not in left or not quiet.is_set():
            return False
        left.discard(tag)
        quiet.clear()
        return True

    world.told.on_head = moves
    enough = len(resting) * 3 // 5
    while len(pins) < enough:
        before = set(world.moments)
        await asyncio.sleep(0.001)
        if quiet.is_set():
            continue
        name = next((n for n in world.moments if n not in before), "") or _open(world)
        found = world.moments[name]
        await world.until(lambda found=found: bool(found.accepted))
        pins.append(found)
        await asyncio.sleep(_GAP)
        quiet.set()
    world.told.on_head = lambda _tag: False
    return pins


def _open(world: ReactingWorld) -> str:
    return next(name for name, found in world.moments.items() if not found.accepted)


async def _all_at_once(store: str, count: int) -> float:
    world = ReactingWorld()
    every = [f"all-{number}" for number in range(count)]
    for name in every:
        world.target(name, "latest", tested=True)
    moved: list[float] = []

    def moves(_tag: str) -> bool:
        if moved or not wanted:
            return False
        moved.append(asyncio.get_running_loop().time())
        return True

    wanted: list[bool] = []
    world.told.on_head = moves
    async with world, controller_process(world.flags(store, "1s")):
        await world.until(lambda: all(world.phases[n] for n in every))
        await asyncio.sleep(1.0)
        wanted.append(True)
        await world.until(lambda: all(world.pinned.get(n) for n in every))
        return asyncio.get_running_loop().time() - moved[0]
