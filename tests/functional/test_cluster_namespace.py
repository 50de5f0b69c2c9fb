"""`--cluster-namespace`: by which namespace's uid those who share a store know each other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.server import ServerSettings
from tests.controlled_world import SELDOM, ControlledWorld, controlled_world
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

WATCHED, OTHER, HOME = "bootstrap", "default", "home"
TOKEN = "secret-token"


def may(access: Access) -> bool:
    """Everything but reading the namespace `default`."""
    return (access.verb, access.resource, access.namespace) != ("get", "namespaces", OTHER)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    settings = ServerSettings(
        namespaces=(WATCHED, OTHER, HOME),
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
    """Is the store that of the namespace that was given, and else of the first that is watched?"""
    world.start(
        token=TOKEN, store=redis.url, namespace=[WATCHED, OTHER], cluster_namespace=given, **SELDOM
    )
    await world.passes("good")
    assert redis.admin.hget("bootstrap:meta", "cluster") == uid(world, meant)


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


@pytest.mark.parametrize(("given", "lacks"), [(HOME, False), (OTHER, True)])
async def test_the_right_to_read_it_is_looked_at(
    world: ControlledWorld, given: str, lacks: bool
) -> None:
    """Is a start told that it may not read the namespace that it was given, and only then?"""
    world.start(token=TOKEN, namespace=[WATCHED, OTHER], cluster_namespace=given, **SELDOM)
    await world.until(lambda: world.phase("good") or world.has_said("cannot start yet"))
    assert world.has_said("missing right: get namespaces") is lacks
