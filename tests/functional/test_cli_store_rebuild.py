"""`store rebuild`: what the records prove is in the store again, and nothing in it is replaced."""

import pytest
from msgspec.structs import replace

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import encode_record
from tests.commands import Finished, command
from tests.controlled_world import BUILD, SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
CLAIMS, COPY = f"bootstrap:claims:{TARGET}", "bootstrap:deployment:bootstrap/fuji"


@pytest.fixture
async def tested(world: ControlledWorld, redis: RedisServer) -> ControlledWorld:
    """A build has passed on fuji; the controller is gone, its store is there."""
    world.deploy("fuji")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    return world


async def ask(world: ControlledWorld, redis: RedisServer, *words: str) -> Finished:
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    return await command(*words, *place)


async def brought(world: ControlledWorld, redis: RedisServer, *words: str) -> tuple[int, ...]:
    """Claims, copies and runs."""
    done = await ask(world, redis, "store", "rebuild", *words, "-o", "json")
    assert done.code == 0, done.err
    return tuple(done.json()[kind] for kind in ("claims", "copies", "runs"))


async def test_an_empty_store_is_filled(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are claim, copy and run what they were, is it said what cannot come, and does it all once?"""
    db = redis.admin
    claims, run = db.hgetall(CLAIMS), str(db.keys("bootstrap:run:*")[0])
    before = db.hgetall(COPY), db.hgetall(run)
    db.flushall()
    done = await ask(tested, redis, "store", "rebuild")
    assert done.code == 0
    assert [row.split()[-2:] for row in done.out.splitlines()[1:4]] == [["1", "1"]] * 3
    assert "not brought back, for no record has it: transitions that were told" in done.err
    assert db.hgetall(CLAIMS) == claims
    record = tested.record("fuji")
    assert record is not None
    assert db.hgetall(COPY) == {**before[0], "told": str(record.told)}
    found = db.hgetall(run)
    assert (found["phase"], found["reason"]) == ("Passed", "Soaked")
    assert {name: before[1][name] for name in found} == found
    assert await brought(tested, redis) == (0, 0, 0)


async def test_commands_answer_at_once(tested: ControlledWorld, redis: RedisServer) -> None:
    """Is the store believed by the others before any controller has seen it?"""
    redis.admin.flushall()
    assert "empty" in (await ask(tested, redis, "builds")).err
    await ask(tested, redis, "store", "rebuild")
    done = await ask(tested, redis, "builds")
    assert (done.code, done.err) == (0, "")
    assert f"passed: {TARGET}" in done.out


async def test_a_controller_makes_it_its_own(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does one that starts then take the store for its cluster's, and test nothing again, though
    the Deployment that tested it has gone since?
    """
    redis.admin.flushall()
    await ask(tested, redis, "store", "rebuild")
    assert redis.admin.hget("bootstrap:meta", "cluster") == ""
    tested.world.api.objects.delete("deployments", "bootstrap", "fuji")
    tested.deploy("second")
    tested.start(store=redis.url, **SELDOM)
    await tested.until(lambda: "whose run" in tested.message("second"))
    await tested.stop()
    assert redis.admin.hget("bootstrap:meta", "cluster") == tested.cluster_id()
    assert tested.outcomes("second") == []


async def test_only_what_is_missing_is_brought(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does all that stands stay as it is, epoch and grants too, where a part was lost?"""
    db = redis.admin
    db.hset(CLAIMS, "sha256:other", '{"run":"x","owner":"y"}')
    db.hdel(CLAIMS, BUILD.digest())
    meta, copy = db.hgetall("bootstrap:meta"), db.hgetall(COPY)
    assert await brought(tested, redis) == (1, 0, 0)
    assert db.hget(CLAIMS, "sha256:other") == '{"run":"x","owner":"y"}'
    assert (db.hgetall("bootstrap:meta"), db.hgetall(COPY)) == (meta, copy)
    db.delete(COPY)
    assert await brought(tested, redis) == (0, 1, 0)


async def test_a_claim_of_another_is_not_replaced(
    tested: ControlledWorld, redis: RedisServer
) -> None:
    """Does a claim stand that somebody took meanwhile?"""
    redis.admin.hset(CLAIMS, BUILD.digest(), '{"run":"x","owner":"y"}')
    assert await brought(tested, redis) == (0, 0, 0)
    assert redis.admin.hget(CLAIMS, BUILD.digest()) == '{"run":"x","owner":"y"}'


async def test_a_dry_run_writes_nothing(tested: ControlledWorld, redis: RedisServer) -> None:
    """Is it told what would be brought, and nothing written?"""
    redis.admin.flushall()
    assert await brought(tested, redis, "--dry-run") == (1, 1, 1)
    assert redis.admin.dbsize() == 0


async def test_nothing_is_done_beside_a_controller(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is a controller that is active left to do it, with one line and exit code 1?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    done = await ask(world, redis, "store", "rebuild")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "nothing was written: the controller controller-0 is active" in done.err
    assert redis.admin.dbsize() == 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cluster", "another-cluster", "is left alone: it has no copy of these Deployments' rec"),
        ("schema", "99", "was written by a newer version (schema 99"),
    ],
)
async def test_a_store_that_is_not_ours(
    tested: ControlledWorld, redis: RedisServer, field: str, value: str, said: str
) -> None:
    """Is it one line and exit code 1, and nothing written?"""
    redis.admin.flushall()
    meta = {"schema": "1", "epoch": "e", "grants": "0", "cluster": tested.cluster_id()}
    redis.admin.hset("bootstrap:meta", mapping=meta | {field: value})
    done = await ask(tested, redis, "store", "rebuild")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert said in done.err
    assert redis.admin.keys() == ["bootstrap:meta"]


async def test_a_record_of_another_hand(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does a record that somebody wrote onto another Deployment bring no claim, and a copied one
    neither, and are both told?
    """
    record = tested.record("fuji")
    assert record is not None
    told = replace(
        record, name="forged", tested={"mainnet-c-chain-state-sync": ("sha256:" + "0" * 64,)}
    )
    redis.admin.flushall()
    for name, text in (
        ("forged", encode_record(told, Rules())),
        ("copied", tested.annotation("fuji", names.RECORD)),
    ):
        tested.deploy(name, network="mainnet", annotations={names.RECORD: text})
    done = await ask(tested, redis, "store", "rebuild", "-o", "json")
    assert done.json()["deployments"] == ["bootstrap/fuji"]
    said = done.json()["said"]
    assert "the record of bootstrap/forged is another hand's: nothing is taken from it" in said
    assert any(each.startswith("the record of bootstrap/copied cannot be read") for each in said)
    assert redis.admin.keys("bootstrap:claims:*") == [CLAIMS]
