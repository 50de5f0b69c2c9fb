"""What is read past a watch that is deaf or away: siblings before a claim, and a cluster whose
memory was put back to an earlier day.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from controller.domain.run import Phase
from controller.simulator.faults import Refuse, StreamFault
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.controlled_world import (
    HOUR,
    MINUTE,
    REPOSITORY,
    ControlledWorld,
    controlled_world,
)
from tests.jumping_loop import LoopClock
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

NEXT = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
PINS = ("fuji-a", "fuji-b")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path) as world:
        yield world


def those_that_test(world: ControlledWorld, build: SimulatedBuild) -> list[str]:
    """Deployments that test or have tested it."""
    digest, found = build.digest(), []
    for name in PINS:
        record = world.record(name)
        builds = {b for builds in record.tested.values() for b in builds} if record else set()
        if record and ((record.run and record.run.build == digest) or digest in builds):
            found.append(name)
    return found


async def test_a_watch_that_is_deaf_and_a_store_that_is_empty_start_nothing_twice(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is a build that one of two Deployments began to test unheard not begun by the other, when
    Redis has forgotten whose it is?
    """
    for name in PINS:
        world.deploy(name, network="network-1337")
    world.start(store=redis.url)
    await world.until(lambda: any("Passed" in world.outcomes(name) for name in PINS))
    await world.until(lambda: {world.phase(name) for name in PINS} == {Phase.IDLE})
    faults, api = world.world.api.faults, world.world.api
    faults.add(StreamFault("silent"), path=r"/deployments\?", is_watch=True, count=None)
    api.close_watches()
    await LoopClock().sleep(1)
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.until(lambda: those_that_test(world, NEXT))
    redis.admin.flushall()
    await LoopClock().sleep(HOUR)
    assert len(those_that_test(world, NEXT)) == 1
    claims = {key: redis.admin.hgetall(key) for key in redis.admin.keys("bootstrap:claims:*")}
    assert NEXT.digest() in str(claims)


async def test_nothing_is_begun_while_neither_watch_nor_list_tells_what_others_test(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is a new build left alone until the records of siblings can be read, and then begun?"""
    for name in PINS:
        world.deploy(name, network="network-1337")
    world.start(store=redis.url)
    await world.until(lambda: any("Passed" in world.outcomes(name) for name in PINS))
    rule = world.world.api.faults.add(Refuse(), path=r"/deployments\?", count=None)
    world.world.api.close_watches()
    await LoopClock().sleep(MINUTE)
    world.world.push(REPOSITORY, "latest", NEXT)
    await LoopClock().sleep(30 * MINUTE)
    assert those_that_test(world, NEXT) == []
    world.world.api.faults.remove(rule)
    await world.until(lambda: those_that_test(world, NEXT))


async def test_a_cluster_that_was_restored_is_believed_and_its_run_taken_up_again(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Does a run go on under its id, with few writes, and are people heard again in minutes, when
    etcd was put back to before it began?
    """
    plan = replace(NEXT.plan, bootstrap_seconds=2 * HOUR)
    build = replace(NEXT, plan=plan)
    world.deploy("fuji-a", network="network-1337")
    world.start(store=redis.url)
    await world.passes("fuji-a")
    await world.until(lambda: world.phase("fuji-a") == Phase.IDLE)
    storage = world.world.api.storage
    saved = storage.saved("deployments")
    storage.version += 100_000  # the cluster has seen much else since
    world.world.push(REPOSITORY, "latest", build)
    await world.until(lambda: world.phase("fuji-a") == Phase.BOOTSTRAPPING)
    record = world.record("fuji-a")
    assert record is not None
    assert record.run is not None
    await LoopClock().sleep(10 * MINUTE)

    storage.put_back(saved)
    assert world.phase("fuji-a") == Phase.IDLE
    world.world.api.requests.clear()
    await LoopClock().sleep(10 * MINUTE)
    again = world.record("fuji-a")
    assert again is not None
    assert again.run is not None
    assert again.run.id == record.run.id
    patches = [r for r in world.world.api.requests if r.method == "PATCH"]
    assert len(patches) < 12
    world.world.annotate("fuji-a", abort_requested_at="now")
    await world.until(lambda: "Aborted" in world.outcomes("fuji-a"), within=MINUTE)
    assert those_that_test(world, build) == ["fuji-a"]


async def test_a_write_that_a_restored_cluster_contradicts_is_no_futile_loop(
    world: ControlledWorld,
) -> None:
    """Is everything listed anew at the first contradiction, and the verdict written soon after?"""
    world.deploy("fuji-a", network="network-1337")
    world.start()
    await world.until(lambda: world.phase("fuji-a") == Phase.BOOTSTRAPPING)
    storage = world.world.api.storage
    saved = storage.saved("deployments")
    storage.version += 100_000  # the cluster has seen much else since
    await world.until(lambda: world.phase("fuji-a") == Phase.SOAKING)
    await LoopClock().sleep(9.3 * MINUTE)
    assert world.phase("fuji-a") == Phase.SOAKING

    storage.put_back(saved)
    world.world.api.requests.clear()
    await LoopClock().sleep(3 * MINUTE)
    assert world.outcomes("fuji-a") == ["Passed"]
    assert world.has_said("all is listed anew")
    patches = [r for r in world.world.api.requests if r.method == "PATCH"]
    assert len(patches) <= 6
