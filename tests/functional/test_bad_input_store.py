"""A store that cannot be used: nothing new is started, open runs are judged, owners are told."""

from collections.abc import AsyncIterator
from math import inf
from pathlib import Path

import pytest

from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from store import open_store
from store.api import SCHEMA, Meta
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld, controlled_world
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

WAITS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
NOTHING_NEW = "nothing new is started while the store is away: "


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    """Its build waits for a test to let it bootstrap."""
    async with controlled_world(tmp_path) as world:
        world.world.push(REPOSITORY, "latest", WAITS)
        yield world


async def open_run(world: ControlledWorld) -> None:
    world.deploy("good", network="network-1337")
    await world.until(lambda: world.phase("good") == "Bootstrapping")


def finish(world: ControlledWorld, name: str) -> None:
    node = world.world.node_of(name)
    assert node is not None
    node.finish()


async def is_told(world: ControlledWorld, name: str, sentence: str) -> None:
    """On the Deployment, and in a Kubernetes Event."""
    await world.until(lambda: sentence in world.message(name))
    await world.until(lambda: sentence in world.notes(name))
    assert NOTHING_NEW in world.message(name)
    assert world.outcomes(name) == []


async def starts_and_passes(world: ControlledWorld, name: str) -> None:
    await world.until(lambda: world.phase(name) == "Bootstrapping")
    finish(world, name)
    await world.passes(name)


async def test_a_store_that_goes_away(world: ControlledWorld, redis: RedisServer) -> None:
    """Is a Deployment that waits told so, does the open run pass meanwhile, and does the other one
    start when the store is back?
    """
    world.start(store=redis.url, **SELDOM)
    await open_run(world)
    redis.stop(kill=True)
    world.deploy("bad")
    await is_told(world, "bad", f"redis at redis://127.0.0.1:{redis.port} cannot be used")
    finish(world, "good")
    await world.passes("good")
    redis.start()
    await starts_and_passes(world, "bad")
    assert "StoreTroubleEnded" in [told for told, _ in world.events("bad")]


async def test_a_store_that_is_away_at_the_start(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Does a controller whose store is away at its start say so, and work when it comes?"""
    redis.stop()
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await is_told(world, "bad", f"redis at redis://127.0.0.1:{redis.port} cannot be used")
    assert world.has_said("StoreUnreachable")
    redis.start()
    await starts_and_passes(world, "bad")
    await world.until(lambda: world.has_said("StoreReached"))


async def test_a_store_that_is_full(world: ControlledWorld, redis: RedisServer) -> None:
    """Is a Deployment that waits told that the store is full, does the open run pass meanwhile, and
    does the other one start when there is room?
    """
    world.start(store=redis.url, **SELDOM)
    await open_run(world)
    redis.admin.config_set("maxmemory", "1")
    world.deploy("bad")
    await is_told(world, "bad", "is out of memory (maxmemory is reached): give it more")
    finish(world, "good")
    await world.passes("good")
    redis.admin.config_set("maxmemory", "0")
    await starts_and_passes(world, "bad")


async def test_a_store_of_another_cluster(world: ControlledWorld, redis: RedisServer) -> None:
    """Is a store that another cluster uses left alone and named, does an open run pass all the
    same, and does the rest start when a person says that the store is ours?
    """
    store = await open_store(redis.url)
    await store.refill(Meta(SCHEMA, "0123", 0, "another-cluster"), [])
    await store.close()
    world.start(**SELDOM)
    await open_run(world)
    await world.stop()
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await is_told(
        world,
        "bad",
        "the store is the memory of another cluster (another-cluster): give this one its own"
        " --store-prefix, or HDEL <prefix>:meta cluster to adopt it",
    )
    finish(world, "good")
    await world.passes("good")
    assert set(redis.admin.keys()) == {"bootstrap:meta"}
    redis.admin.hdel("bootstrap:meta", "cluster")
    await starts_and_passes(world, "bad")
