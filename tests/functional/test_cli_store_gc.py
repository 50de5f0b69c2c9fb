"""`store gc`: what nobody needs goes, and nothing else, while a controller works."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import OpenRun, decode_record, encode_record
from controller.domain.run import Phase
from store import Claim, Meta, Sweeper, Transition, open_store
from tests.commands import LIMIT, ROOT, Finished, command, without_server
from tests.controlled_world import BUILD, SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
OLD = (datetime.now(UTC) - timedelta(days=31)).isoformat()
NEW = (datetime.now(UTC) - timedelta(days=29)).isoformat()
RUN = "20260101t060000z-aaaaaaaa"
GONE = "bootstrap:deployment:bootstrap/gone"


@pytest.fixture
async def swept(world: ControlledWorld, redis: RedisServer) -> ControlledWorld:
    """One Deployment is there and one was deleted, both with a run that is over; and of all that
    may be left over there is one. The controller is gone.
    """
    world.deploy("fuji")
    world.deploy("gone", network="mainnet")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.until(lambda: "tested already" in world.message("gone"))
    await world.stop()
    world.world.api.objects.delete("deployments", "bootstrap", "gone")
    db = redis.admin
    db.hset("bootstrap:tag:docker.io/a/b:old", mapping={"digest": "d", "at": OLD})
    db.hset("bootstrap:tag:docker.io/a/b:new", mapping={"digest": "d", "at": NEW})
    db.hset("bootstrap:tag:docker.io/a/b:never", mapping={"error": "no such tag"})
    db.hset("bootstrap:transition:stray", mapping={"target": TARGET, "body": "{}"})
    db.hset(f"bootstrap:run:{TARGET}:{RUN}", "phase", "Passed")
    db.hset(f"bootstrap:evidence:{TARGET}:{RUN}", "node.log", "x")
    db.sadd("bootstrap:deployments", "bootstrap/name-alone")
    return world


LEFT_OVER = {
    "copy/bootstrap/gone",
    "copy/bootstrap/name-alone",
    "tag/docker.io/a/b:old",
    "transition/stray",
    f"run/{TARGET}/{RUN}",
    f"evidence/{TARGET}/{RUN}",
}
REMOVED = {GONE, "bootstrap:tag:docker.io/a/b:old", "bootstrap:transition:stray"}


async def ask(world: ControlledWorld, redis: RedisServer, *words: str) -> Finished:
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    return await command("store", "gc", *words, *place)


def everything(redis: RedisServer) -> dict[str, bytes | None]:
    """All keys and what they hold, whatever their time."""
    return {
        str(key): redis.admin.type(key) and _dump(redis, str(key))
        for key in redis.admin.scan_iter()
    }


def _dump(redis: RedisServer, key: str) -> bytes:
    kind = redis.admin.type(key)
    if kind == "hash":
        return repr(sorted(redis.admin.hgetall(key).items())).encode()
    if kind == "zset":
        return repr(redis.admin.zrange(key, 0, -1, withscores=True)).encode()
    return repr(sorted(redis.admin.smembers(key))).encode()


async def test_a_dry_run_changes_nothing(swept: ControlledWorld, redis: RedisServer) -> None:
    """Is everything that is left over named, and nothing else, with nothing changed?"""
    before = everything(redis)
    done = await ask(swept, redis, "--dry-run", "-o", "name")
    assert (done.code, done.err) == (0, "")
    assert set(done.out.splitlines()) == LEFT_OVER
    done = await ask(swept, redis, "--dry-run")
    assert [row.split()[:2] for row in done.out.splitlines()[1:]] == [
        ["copy", "2"], ["tag", "1"], ["transition", "1"], ["run", "1"], ["evidence", "1"],
    ]  # fmt: skip
    assert "bootstrap/gone, bootstrap/name-alone" in done.out
    assert everything(redis) == before
    assert redis.admin.ttl(f"bootstrap:run:{TARGET}:{RUN}") == -1


async def test_only_what_is_left_over_goes(swept: ControlledWorld, redis: RedisServer) -> None:
    """Do claims, history, builds and what is followed stay, and is there nothing to do then?"""
    before = everything(redis)
    done = await ask(swept, redis, "--yes", "-o", "json")
    assert (done.code, done.err) == (0, "")
    told = {each["kind"]: (each["cleared"], each["becomes"]) for each in done.json()["found"]}
    assert told == {
        "copy": (2, "removed"), "tag": (1, "removed"), "transition": (1, "removed"),
        "run": (1, "expiring"), "evidence": (1, "expiring"),
    }  # fmt: skip
    after = everything(redis)
    assert set(before) - set(after) == REMOVED
    changed = {key for key in after if before[key] != after[key]}
    assert changed == {"bootstrap:deployments"}
    assert redis.admin.smembers("bootstrap:deployments") == {"bootstrap/fuji"}
    assert 0 < int(redis.admin.ttl(f"bootstrap:run:{TARGET}:{RUN}")) <= 400 * 86400
    assert 0 < int(redis.admin.ttl(f"bootstrap:evidence:{TARGET}:{RUN}")) <= 30 * 86400
    done = await ask(swept, redis, "--yes")
    assert (done.code, done.out.startswith("nothing is left over")) == (0, True)


async def test_no_build_is_tested_twice(swept: ControlledWorld, redis: RedisServer) -> None:
    """Is a build that the Deployment that is gone has tested not tested again, when it is made
    anew after its copy was removed, before the eyes of a controller?
    """
    swept.start(store=redis.url, **SELDOM)
    await swept.until(lambda: swept.has_said("controller leads"))
    assert (await ask(swept, redis, "--yes")).code == 0
    assert not redis.admin.exists(GONE)
    swept.deploy("gone", service=None, network="mainnet")
    await swept.until(lambda: "is bootstrap/gone's" in swept.message("gone"))
    assert swept.outcomes("gone") == []


@pytest.mark.parametrize("why", ["open", "pending", "claim", "unlabelled", "forbidden-name"])
async def test_a_copy_that_may_be_needed_stays(
    swept: ControlledWorld, redis: RedisServer, why: str
) -> None:
    """Is the copy kept while its run is open, a claim of its Deployment waits, a build of it has no
    claim, the Deployment is only not labelled, or it is named as none can be?
    """
    kept, db = GONE, redis.admin
    if why == "open":
        record = decode_record(str(db.hget(GONE, "record")), "bootstrap", "gone")
        run = OpenRun(
            id="20270101t060000z-aaaaaaaa", build="sha256:b", image="a", target="x", network="fuji",
            mode="full-sync", config="c", phase=Phase.STARTING, reason="NewBuild", decided=1,
            since=1,
        )  # fmt: skip
        db.hset(GONE, "record", encode_record(replace(record, run=run), Rules()))
    elif why == "pending":
        claim = Claim("x", "sha256:b", "20270101t060000z-aaaaaaaa", "bootstrap/gone")
        meta = db.hgetall("bootstrap:meta")
        store = await open_store(redis.url)
        await store.claim(claim, epoch=meta["epoch"], seen_grants=0)
        await store.close()
    elif why == "claim":
        db.hdel("bootstrap:claims:mainnet-c-chain-state-sync", BUILD.digest())
    elif why == "unlabelled":
        swept.deploy("gone", lambda d: d["metadata"]["labels"].pop(names.TEST), service=None)
    else:
        kept = "bootstrap:deployment:../../version"
        db.rename(GONE, kept)
    done = await ask(swept, redis, "--yes")
    assert done.code == 0
    assert db.exists(kept)
    if why == "open":
        assert "has run 20270101t060000z-aaaaaaaa open, which a controller ends first" in done.err
    if why in ("pending", "claim"):
        assert "1 stay" in done.err


async def test_what_changes_meanwhile_stays(redis: RedisServer) -> None:
    """Is nothing removed that is not as it was found?"""
    store = await open_store(redis.url)
    assert isinstance(store, Sweeper)
    db = redis.admin
    db.hset("bootstrap:tag:a/b:c", mapping={"digest": "d", "at": OLD})
    db.hset("bootstrap:transition:late", mapping={"target": TARGET, "body": "{}"})
    await store.mirror("bootstrap/gone", {"seq": "1", "record": "one"})
    db.hset(f"bootstrap:run:{TARGET}:{RUN}", "phase", "Passed")
    now = datetime.now(UTC).timestamp()
    found = [each async for some in store.leftovers(now=now) for each in some]
    assert len(found) == 4
    await store.put_tag("a/b", "c", {"digest": "d", "at": NEW})
    await store.mirror("bootstrap/gone", {"seq": "2", "record": "two"})
    await store.put_run(TARGET, RUN, {"phase": "Failed"})
    db.zadd(f"bootstrap:history:{TARGET}", {"late": 1.0})
    before = everything(redis)
    assert await store.clear(found, evidence_seconds=60) == []
    assert everything(redis) == before
    await store.close()


async def test_a_neighbour_whose_prefix_begins_as_ours_is_left_alone(redis: RedisServer) -> None:
    """Is nothing of another store touched, whatever the words of its prefix?"""
    ours = await open_store(redis.url)
    assert isinstance(ours, Sweeper)
    for word in ("deployment", "tag", "transition", "run", "evidence", "two"):
        other = await open_store(redis.url, prefix=f"bootstrap:{word}")
        claim = Claim(TARGET, "sha256:b", RUN, "a/b")
        await other.refill(Meta(1, "e", 0, "c"), [claim])
        await other.note_seen(TARGET, "sha256:b", at=1.0)
        await other.append([Transition("a.b.1", TARGET, 1.0, b"{}")])
        await other.close()
    before = everything(redis)
    found = [each async for some in ours.leftovers(now=2e9) for each in some]
    await ours.clear([each for each in found if each.kind != "copy"], evidence_seconds=60)
    assert everything(redis) == before
    assert all(redis.admin.ttl(key) == -1 for key in redis.admin.scan_iter())
    await ours.close()


async def test_a_person_is_asked(swept: ControlledWorld, redis: RedisServer) -> None:
    """Is it asked at a terminal, and nothing removed where the answer is no?"""
    for answer, code, left in (("n\n", 1, 1), ("y\n", 0, 0)):
        done = await at_a_terminal(swept, redis, answer)
        assert (done.code, redis.admin.exists(GONE)) == (code, left), done
        assert "Clear these 6? [y/N]" in done.out


async def at_a_terminal(world: ControlledWorld, redis: RedisServer, typed: str) -> Finished:
    ours, theirs = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "controller", "store", "gc",
            "--kubeconfig", str(world.kubeconfig), "--store", redis.url,
            stdin=theirs, stdout=PIPE, stderr=PIPE, cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
        )  # fmt: skip
        os.write(ours, typed.encode())
        async with asyncio.timeout(LIMIT):
            out, err = await process.communicate()
    finally:
        os.close(theirs)
        os.close(ours)
    return Finished(process.returncode or 0, out.decode(), *without_server(err.decode()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nobody can be asked here: write --yes, or --dry-run to see what would go"),
        (("-o", "json"), "nobody can be asked here"),
        (("--yes", "--store", "memory://"), "a memory:// store ends with its process"),
    ],
)
async def test_what_cannot_be_asked(words: tuple[str, ...], said: str) -> None:
    """Is it one sentence and exit code 2, before the cluster is asked?"""
    done = await command("store", "gc", *words)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert said in done.err
