"""By which namespaces' uids a cluster is known to its store, and to those who share one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.server import ServerSettings
from tests.controlled_world import HOUR, SELDOM, ControlledWorld, controlled_world
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

CLOSED, WATCHED, OTHER, HOME = "apart", "bootstrap", "default", "home"
TOKEN = "secret-token"


def may(access: Access) -> bool:
    """Everything but reading the namespace `apart`."""
    return (access.verb, access.resource, access.namespace) != ("get", "namespaces", CLOSED)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    settings = ServerSettings(
        namespaces=(CLOSED, WATCHED, OTHER, HOME),
        tokens={TOKEN: "system:serviceaccount:bootstrap:controller"},
        rights=may,
    )
    async with controlled_world(tmp_path, settings=settings) as world:
        world.deploy("good", network="network-1337")
        yield world


def uid(world: ControlledWorld, namespace: str) -> str:
    (found,) = (
        each["metadata"]["uid"]
        for each in world.world.api.storage.objects("namespaces")
        if each["metadata"]["name"] == namespace
    )
    return str(found)


@pytest.mark.parametrize(("given", "meant"), [(None, WATCHED), (HOME, HOME), (WATCHED, WATCHED)])
async def test_the_uid_of_the_namespace_names_the_cluster(
    world: ControlledWorld, redis: RedisServer, given: str | None, meant: str
) -> None:
    """Is the store that of the namespace that was given, and else of the first by name?"""
    world.start(
        token=TOKEN, store=redis.url, namespace=[WATCHED, OTHER], cluster_namespace=given, **SELDOM
    )
    await world.passes("good")
    assert redis.admin.hget("bootstrap:meta", "cluster") == uid(world, meant)


async def has_met(world: ControlledWorld, redis: RedisServer, *watched: str) -> str:
    """Starts a controller of these namespaces, has it test one build, and stops it. Returns whose
    the store is then.
    """
    world.start(token=TOKEN, store=redis.url, namespace=list(watched), **SELDOM)
    where = watched[0]
    number = len(world.world.api.storage.objects("deployments"))
    world.deploy(name := f"of-{number}", network=f"network-{1400 + number}", namespace=where)
    await world.until(lambda: "Passed" in world.outcomes(name, where), within=3 * HOUR)
    await world.stop()
    return str(redis.admin.hget("bootstrap:meta", "cluster"))


@pytest.mark.parametrize(
    "then",
    [(OTHER, WATCHED), (WATCHED,), (HOME, OTHER, WATCHED), (OTHER, CLOSED, WATCHED)],
    ids=["swapped", "one less", "one more", "one that may not be read"],
)
async def test_the_order_of_the_namespaces_means_nothing(
    world: ControlledWorld, redis: RedisServer, then: tuple[str, ...]
) -> None:
    """Is it one cluster's store, in whichever order namespaces are given, and with one more?"""
    before = await has_met(world, redis, WATCHED, OTHER)
    assert await has_met(world, redis, *then) == before
    assert not world.has_said("another cluster")


@pytest.mark.parametrize("first", [WATCHED, OTHER, HOME])
async def test_a_store_that_was_named_by_another_of_its_namespaces(
    world: ControlledWorld, redis: RedisServer, first: str
) -> None:
    """Is a store believed that an earlier version named by the namespace that was given first, and
    keeps it that name, which others may know alone?
    """
    named = uid(world, first)
    redis.admin.hset(
        "bootstrap:meta", mapping={"schema": 1, "epoch": "e", "grants": 7, "cluster": named}
    )
    assert await has_met(world, redis, WATCHED, HOME, OTHER) == named
    assert redis.admin.hget("bootstrap:meta", "epoch") == "e"
    assert int(redis.admin.hget("bootstrap:meta", "grants")) > 7


async def test_a_namespace_of_another_cluster(world: ControlledWorld, redis: RedisServer) -> None:
    """Is a store that none of them names left alone?"""
    redis.admin.hset(
        "bootstrap:meta", mapping={"schema": 1, "epoch": "e", "grants": 7, "cluster": "uid-9"}
    )
    world.start(token=TOKEN, store=redis.url, namespace=[OTHER, WATCHED], **SELDOM)
    await world.until(lambda: world.has_said("the memory of another cluster (uid-9)"))
    assert redis.admin.hget("bootstrap:meta", "grants") == "7"


async def test_a_namespace_that_may_not_be_read(world: ControlledWorld, redis: RedisServer) -> None:
    """Does the store get the name of the next one, where the first by name may not be read?"""
    world.start(token=TOKEN, store=redis.url, namespace=[HOME, CLOSED], **SELDOM)
    await world.until(lambda: redis.admin.hget("bootstrap:meta", "cluster"))
    assert redis.admin.hget("bootstrap:meta", "cluster") == uid(world, HOME)


async def test_no_namespace_may_be_read(world: ControlledWorld) -> None:
    """Is it said what is missing, and nothing begun?"""
    world.start(token=TOKEN, namespace=[CLOSED], **SELDOM)
    await world.until(lambda: world.has_said("not allowed to get namespaces in namespace apart"))
    assert not world.has_said("controller leads")


async def test_users_of_one_store_watch_different_namespaces(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Do those that watch one namespace each, and name the same, share one memory?"""
    world.start(token=TOKEN, store=redis.url, namespace=[WATCHED], cluster_namespace=HOME, **SELDOM)
    await world.passes("good")
    before = redis.admin.hgetall("bootstrap:meta")
    await world.stop()
    world.deploy("late", namespace=OTHER)
    world.start(token=TOKEN, store=redis.url, namespace=[OTHER], cluster_namespace=HOME, **SELDOM)
    await world.passes("late", OTHER)
    after = redis.admin.hgetall("bootstrap:meta")
    assert (after["epoch"], after["cluster"]) == (before["epoch"], before["cluster"])
    assert int(after["grants"]) == int(before["grants"]) + 1
    assert world.phase("good") == "Idle"


@pytest.mark.parametrize(("given", "lacks"), [(HOME, False), (CLOSED, True)])
async def test_the_right_to_read_it_is_looked_at(
    world: ControlledWorld, given: str, lacks: bool
) -> None:
    """Is a start told that it may not read the namespace that it was given, and only then?"""
    world.start(token=TOKEN, namespace=[WATCHED, OTHER], cluster_namespace=given, **SELDOM)
    await world.until(lambda: world.phase("good") or world.has_said("cannot start yet"))
    assert world.has_said("missing right: get namespaces") is lacks
