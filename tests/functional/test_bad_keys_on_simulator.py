"""A key of the store that somebody else has written: it is told with the line that mends it, it
stops only what it is of, and nothing is tried again and again.
"""

from collections.abc import Callable

import pytest

from controller.simulator.registry import SimulatedBuild
from tests.commands import command
from tests.controlled_world import BUILD, HOUR, REPOSITORY, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"  # of `bad`
CLAIMS = f"bootstrap:claims:{TARGET}"
OTHER = SimulatedBuild("1.14.7", "d7" * 20, BUILD.plan)
# A reconcile that fails is left alone for a minute, and one more with each failure.
FEW = 30

Spoil = Callable[[RedisServer], object]


def string_at(key: str) -> Spoil:
    return lambda redis: redis.admin.set(key, "somebody else's")


def field_at(key: str, field: str, value: str) -> Spoil:
    return lambda redis: redis.admin.hset(key, field, value)


# What is spoilt, and the line that is told.
STOPS_BAD: dict[str, tuple[Spoil, str]] = {
    "claims-string": (string_at(CLAIMS), f"`redis-cli DEL {CLAIMS} bootstrap:meta`"),
    "claim-garbled": (
        field_at(CLAIMS, BUILD.digest(), "bert"),
        f"`redis-cli HDEL {CLAIMS} {BUILD.digest()}`",
    ),
    "pending-garbled": (
        field_at("bootstrap:pending", "bootstrap/bad", "{"),
        "`redis-cli HDEL bootstrap:pending bootstrap/bad`",
    ),
}
# Each of a kind of its own: all of them are spoilt at once.
STOPS_NOBODY: tuple[tuple[Spoil, str], ...] = (
    (
        string_at("bootstrap:deployment:bootstrap/bad"),
        "`redis-cli DEL bootstrap:deployment:bootstrap/bad`",
    ),
    (
        field_at("bootstrap:deployment:bootstrap/good", "record", "{"),
        "field record of its hash (`deployment:bootstrap/good` below the prefix)",
    ),
    (string_at("bootstrap:deployments"), "`redis-cli DEL bootstrap:deployments`"),
    (string_at("bootstrap:history"), "`redis-cli DEL bootstrap:history`"),
    (
        string_at(f"bootstrap:history:{TARGET}"),
        f"`redis-cli DEL bootstrap:history:{TARGET}`",
    ),
    (string_at(f"bootstrap:seen:{TARGET}"), f"`redis-cli DEL bootstrap:seen:{TARGET}`"),
    (
        string_at(f"bootstrap:tag:docker.io/{REPOSITORY}:latest"),
        f"`redis-cli DEL bootstrap:tag:docker.io/{REPOSITORY}:latest`",
    ),
)


async def hours_failures(world: ControlledWorld) -> int:
    before = len(world.said)
    await LoopClock().sleep(HOUR)
    return sum("reconcile failed" in line for line in world.said[before:])


@pytest.mark.parametrize(("spoil", "line"), STOPS_BAD.values(), ids=STOPS_BAD.keys())
async def test_a_key_that_stops_one_deployment(
    world: ControlledWorld, redis: RedisServer, spoil: Spoil, line: str
) -> None:
    """Is the Deployment whose claim cannot be told held up alone, with what to do in its message,
    with few tries in an hour, until somebody has done that?
    """
    spoil(redis)
    world.deploy("good", network="network-1337")
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await world.passes("good")
    await world.until(lambda: line in world.message("bad"))
    assert world.has_said(line)
    assert line in world.notes("bad")
    assert await hours_failures(world) <= FEW
    assert world.outcomes("bad") == []
    redis.admin.execute_command(*line.strip("`").split()[1:])
    await world.passes("bad")


async def test_a_claim_that_cannot_be_read_is_of_its_build_alone(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is the next build tested where the claim of one cannot be read, and that one never?"""
    redis.admin.hset(CLAIMS, BUILD.digest(), "bert")
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "counts as tested" in world.message("bad"))
    world.world.push(REPOSITORY, "latest", OTHER)
    await world.passes("bad")
    record = world.record("bad")
    assert record is not None
    assert record.tested == {TARGET: (OTHER.digest(),)}
    assert redis.admin.hget(CLAIMS, BUILD.digest()) == "bert"


async def test_keys_that_stop_nobody(world: ControlledWorld, redis: RedisServer) -> None:
    """Is what has no part in who tests what told, each with its line, and do all Deployments pass
    all the same, with few tries in an hour?
    """
    for spoil, _ in STOPS_NOBODY:
        spoil(redis)
    world.deploy("good", network="network-1337")
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await world.passes("good")
    await world.passes("bad")
    for _, line in STOPS_NOBODY:
        assert world.has_said(line)
    assert "`redis-cli DEL" in world.notes("bad")
    assert await hours_failures(world) <= FEW


@pytest.mark.parametrize(
    "spoil",
    [string_at("bootstrap:meta"), field_at("bootstrap:meta", "grants", "many")],
    ids=["string", "garbled"],
)
async def test_the_key_that_all_stand_on(
    world: ControlledWorld, redis: RedisServer, spoil: Spoil
) -> None:
    """Is a memory of which nobody can tell whose it is told with what to do, once and not each
    second, and does all start when that is done?
    """
    spoil(redis)
    world.deploy("bad")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "`redis-cli DEL bootstrap:meta`" in world.message("bad"))
    assert await hours_failures(world) <= FEW
    assert sum("StoreUnreachable" in line for line in world.said) < FEW
    redis.admin.delete("bootstrap:meta")
    await world.passes("bad")


async def test_commands_beside_a_copy_that_cannot_be_read(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is the store still known as ours by the copies of other Deployments, and is all told?"""
    world.deploy("bad")
    world.deploy("good", network="network-1337")
    world.start(store=redis.url, **SELDOM)
    await world.passes("good")
    await world.passes("bad")
    await world.stop()
    key = "bootstrap:deployment:bootstrap/bad"
    redis.admin.delete(key)
    redis.admin.set(key, "somebody else's")
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    for words in ("history", "builds", "status"):
        done = await command(words, *place)
        assert done.code == 0, done
        assert "bad" in done.out or words == "builds"
    done = await command("doctor", *place)
    assert f"redis-cli DEL {key}" in " ".join(done.out.split())
