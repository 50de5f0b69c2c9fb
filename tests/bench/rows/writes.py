"""What is written and asked: Redis commands and patches of one run, and of an idle hour.

The real controller on the simulated world, whose clock jumps, with a real redis-server. A command
is what a client sends, as MONITOR tells it; a patch is what the API server is sent, the Lease's
apart. Counted, not timed: the machine does not matter.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.bench.counted_redis import RedisCount, counted_redis
from tests.bench.figure import Figure, Scale, at_most
from tests.controlled_world import HOUR, MINUTE, REPOSITORY, ControlledWorld, controlled_world
from tests.jumping_loop import JumpingLoop

NEXT = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=20 * MINUTE))
SHORT = SimulatedBuild("1.14.2", "c3" * 20, Plan(bootstrap_seconds=MINUTE))


_TELLING = 4  # commands: MULTI, DEL, HSET and EXEC


@dataclass(frozen=True)
class Counted:
    commands: Counter[str]
    patches: int
    renewals: int  # of Leases
    posts: int  # Kubernetes Events

    @property
    def beside_tag(self) -> int:
        """Commands of an idle hour, but for those by which the store is told of the tag: as polls
        fall, that is once more in an hour or once less.
        """
        return self.commands.total() - _TELLING * self.commands["MULTI"]


async def measure(scale: Scale) -> Sequence[Figure]:
    if not scale.redis:
        return ()
    logger.remove()
    few, many = scale.pick(10, 2), scale.pick(100, 6)
    run = await asyncio.to_thread(_in_jumps, scale.redis, 1, True)
    idle = await asyncio.to_thread(_in_jumps, scale.redis, few, False)
    crowd = await asyncio.to_thread(_in_jumps, scale.redis, many, False)
    more = crowd.beside_tag - idle.beside_tag
    return (
        Figure(
            "Redis commands of a run, new digest to Passed",
            run.commands.total(),
            "",
            note=f"30 minutes, 60 looks at the node: {_named(run.commands)}",
        ),
        Figure(
            "patches of a run, new digest to Passed",
            run.patches,
            "",
            note=f"and {run.posts} Kubernetes Events, {run.renewals} renewals of the Lease",
        ),
        Figure(
            f"Redis commands of an idle hour with {few} targets",
            idle.commands.total(),
            "",
            note=_named(idle.commands),
        ),
        Figure(
            f"more of them with {many} targets, but for the tag's",
            more,
            "",
            at_most(0),
            note=_named(crowd.commands),
        ),
        Figure(
            f"patches of an idle hour with {many} targets",
            crowd.patches,
            "",
            at_most(0),
            note=f"{crowd.renewals} renewals of the Lease are not counted",
        ),
    )


def _named(commands: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in commands.most_common())


def _in_jumps(url: str, targets: int, run: bool) -> Counted:
    """In a thread: its loop is another than that of the benchmark."""
    with counted_redis(url) as redis, asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(_counted(url, redis, targets, run))


async def _counted(url: str, redis: RedisCount, targets: int, run: bool) -> Counted:
    with tempfile.TemporaryDirectory() as folder:
        async with controlled_world(Path(folder)) as world:
            world.world.push(REPOSITORY, "latest", SHORT)
            for number in range(targets):
                written = {names.SERIES: f"s{number}", names.SOAK: "2m"}
                world.deploy(f"t{number}", annotations=written)
            world.start(store=url)
            for number in range(targets):
                await world.passes(f"t{number}")
            await asyncio.sleep(11 * MINUTE)  # the evidence is gathered, the last word kept
            redis.taken()
            world.world.api.requests.clear()
            if run:
                world.world.push(REPOSITORY, "latest", NEXT)
                await world.until(lambda: world.outcomes("t0").count("Passed") > 1)
                await asyncio.sleep(MINUTE)
            else:
                await asyncio.sleep(HOUR)
            return _asked(world, redis)


def _asked(world: ControlledWorld, redis: RedisCount) -> Counted:
    requests = world.world.api.requests
    writes = [each for each in requests if each.method in ("PATCH", "PUT", "POST")]
    return Counted(
        redis.taken(),
        sum(each.method == "PATCH" and "/deployments/" in each.path for each in writes),
        sum("/leases" in each.path for each in writes),
        sum("/events" in each.path for each in writes),
    )
