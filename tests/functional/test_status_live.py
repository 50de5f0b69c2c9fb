"""`status` beside a controller that works with a store: what goes wrong is seen in the table."""

from collections.abc import Callable
from math import inf

import pytest

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.commands import command
from tests.controlled_world import REPOSITORY, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

FLAGS = {"poll_interval": "30m", "probe_interval": "1m", "resync_interval": "1h"}
CRASHES = Plan(bootstrap_seconds=inf, crash_after=120.0, crash_line="")
STALLS = Plan(bootstrap_seconds=inf, stall_after=60.0)
WAITS = Plan(bootstrap_seconds=inf)
REFUSES = Plan(refuses="unknown flag: --x")
NEXT = SimulatedBuild("1.14.2", "c3" * 20, WAITS)


async def shown(
    world: ControlledWorld, redis: RedisServer, width: str
) -> tuple[dict[str, object], str]:
    """The row as JSON, and the table's text in a terminal of that width."""
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    [row] = (await command("status", *place, "-o", "json")).json()
    table = await command("status", *place, COLUMNS=width)
    assert (table.code, table.err) == (0, "")
    return row, table.out


def begin(world: ControlledWorld, redis: RedisServer, plan: Plan, **annotations: str) -> None:
    world.world.push(REPOSITORY, "latest", SimulatedBuild("1.14.1", "b2" * 20, plan))
    world.deploy("fuji", annotations=annotations)
    world.start(store=redis.url, **FLAGS)


def in_trouble(world: ControlledWorld, kind: str) -> Callable[[], bool]:
    def look() -> bool:
        record = world.record("fuji")
        run = record.run if record else None
        return run is not None and kind in {*run.trouble, *(c.type for c in run.conditions)}

    return look


@pytest.mark.parametrize("width", ["80", "200"])
@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        pytest.param(CRASHES, "NodeEnded", id="crash loop"),
        pytest.param(STALLS, "NotMoving", id="stall"),
    ],
)
async def test_an_open_run_in_trouble(
    world: ControlledWorld, redis: RedisServer, plan: Plan, kind: str, width: str
) -> None:
    """Does the row of a run that crashes or stands still say so, and not only the sentence?"""
    begin(world, redis, plan)
    await world.until(in_trouble(world, kind))
    row, table = await shown(world, redis, width)
    assert kind in str(row["wrong"])
    assert kind in next(line for line in table.splitlines() if "fuji" in line)


@pytest.mark.parametrize("width", ["80", "200"])
async def test_a_hold(world: ControlledWorld, redis: RedisServer, width: str) -> None:
    """Does a Deployment that is held after a failure say Held, and what failed?"""
    begin(world, redis, WAITS, **{names.TIMEOUT: "1h"})
    await world.until(lambda: "Failed" in world.outcomes("fuji"))
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.until(lambda: world.phase("fuji") == "Held")
    row, table = await shown(world, redis, width)
    assert (row["phase"], row["run"]) == ("Held", None)
    line = next(line for line in table.splitlines() if "fuji" in line)
    assert "Held" in line
    assert "Failed (Timeout)" in line


@pytest.mark.parametrize("width", ["80", "200"])
async def test_a_queue(world: ControlledWorld, redis: RedisServer, width: str) -> None:
    """Is a build that a person asked for, and that waits for the open run, named as queued?"""
    begin(world, redis, WAITS)
    world.world.push(REPOSITORY, "v1.14.2", NEXT)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    done = await command("test-build", "v1.14.2", "fuji", "--kubeconfig", str(world.kubeconfig))
    assert done.code == 0, done.err
    row, table = await shown(world, redis, width)
    assert row["queued"] == "v1.14.2"
    assert row["phase"] == "Bootstrapping"
    assert "queued v1.14.2" in next(line for line in table.splitlines() if "fuji" in line)
