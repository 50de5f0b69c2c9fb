"""Coverage in status: what the store tells of it, and that no store can spoil the rest.

Not here: what status shows of the cluster, and explain (test_cli_looking.py).
"""

import asyncio
from pathlib import Path
from random import Random

import pytest

from controller.domain import names
from controller.inspection.coverage import PATIENCE, read_coverage
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from tests.commands import Finished, command
from tests.controlled_world import SELDOM, ControlledWorld
from tests.fakes import FakeClock
from tests.flaky_proxy import silent_server
from tests.redis_servers import RedisServer, free_port

pytestmark = pytest.mark.jumping

FUJI = "fuji-c-chain-state-sync"
MAINNET = "mainnet-c-chain-state-sync"
PASSED_BY = ("sha256:" + "0" * 64, "sha256:" + "1" * 64)
SECRET = "hunter2"
SAYS_WHY = "TESTED is empty where the store does not tell: "


@pytest.fixture
async def tested(world: ControlledWorld, redis: RedisServer) -> ControlledWorld:
    """Two Deployments of one target, one of another, one of none; the build is tested on both
    targets, and two more passed fuji by. The controller is gone, Redis is there.
    """
    world.deploy("fuji")
    world.deploy("fuji-too")
    world.deploy("main", network="mainnet")
    world.deploy("blocked", annotations={names.SOAK: "soon"})
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "tested already" in world.message("main"))
    pair = ("fuji", "fuji-too")  # one of them tests, whichever was first
    await world.until(lambda: any("tested already" in world.message(name) for name in pair))
    await world.until(lambda: any("has tested" in world.message(name) for name in pair))
    await world.until(lambda: world.phase("blocked") == "Blocked")
    await world.stop()
    redis.admin.zadd(f"bootstrap:seen:{FUJI}", dict.fromkeys(PASSED_BY, 1.0))
    return world


async def status(world: ControlledWorld, *words: str, **environ: str) -> Finished:
    return await command("status", "--kubeconfig", str(world.kubeconfig), *words, **environ)


async def counts(world: ControlledWorld, *words: str) -> dict[str, tuple[int | None, int | None]]:
    rows = (await status(world, "--output", "json", *words)).json()
    return {row["deployment"]: (row["tested"], row["seen"]) for row in rows}


def line(done: Finished, name: str) -> str:
    return next(text for text in done.out.splitlines() if text.startswith(f"bootstrap/{name} "))


def stands_alone(done: Finished, why: str) -> None:
    """The rest is shown, and one line on stderr says why there is no coverage."""
    assert (done.code, "TESTED" in done.out) == (0, False)
    assert "Passed (Soaked)" in line(done, "main")
    assert done.err.startswith(SAYS_WHY)
    assert why in done.err
    assert len(of_the_store(done)) == 1


def of_the_store(done: Finished) -> list[str]:
    """Complaints but for the one that the controller is gone."""
    return [said for said in done.err.splitlines() if not said.startswith("no controller")]


async def test_coverage_is_a_column(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does each Deployment's row show its target's coverage, before the last outcome?"""
    done = await status(tested, "--store", redis.url)
    assert (done.code, of_the_store(done)) == (0, [])
    headings = done.out.splitlines()[0]
    assert headings.index("SINCE") < headings.index("TESTED") < headings.index("LAST OUTCOME")
    at = headings.index("TESTED")
    shown = {name: line(done, name)[at:].split(" ")[0] for name in ("fuji", "fuji-too", "main")}
    assert shown == {"fuji": "1/3", "fuji-too": "1/3", "main": "1/1"}


async def test_coverage_as_json(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are both numbers there for programs, and null where a Deployment has no target?"""
    assert await counts(tested, "--store", redis.url) == {
        "bootstrap/fuji": (1, 3),
        "bootstrap/fuji-too": (1, 3),
        "bootstrap/main": (1, 1),
        "bootstrap/blocked": (None, None),
    }


async def test_explain_tells_the_same(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does explain count as status does?"""
    done = await command(
        "explain", "fuji", "--kubeconfig", str(tested.kubeconfig), "--store", redis.url
    )
    assert "tested 1 of 3 builds" in done.out


async def test_each_target_is_asked_once(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are three readings made for each target, and two to know the store, however many Deployments
    there are?
    """
    redis.admin.config_resetstat()
    await status(tested, "--store", redis.url)
    asked = {
        name.removeprefix("cmdstat_"): told["calls"]
        for name, told in redis.admin.info("commandstats").items()  # type: ignore[union-attr]
        if "get" in name or "range" in name
    }
    # hgetall: whose memory it is, one copy of a record, the claims of two targets; hmget: a run of
    # each
    assert asked == {"zrevrange": 2, "hgetall": 4, "hmget": 2}


async def test_the_environment_names_the_store(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are the store's variables read, its password file and prefix too?"""
    redis.admin.rename("bootstrap:seen:" + FUJI, "bootstrap:kept")
    done = await status(tested, BOOTSTRAP_STORE=redis.url)
    assert "0/0" in line(done, "fuji")
    done = await status(tested, BOOTSTRAP_STORE=redis.url, BOOTSTRAP_STORE_PREFIX="elsewhere")
    stands_alone(done, "it is empty: is it the controller's, and the prefix too?")


@pytest.mark.parametrize("words", [(), ("--store", "memory://")], ids=["none", "memory"])
async def test_without_a_store(tested: ControlledWorld, words: tuple[str, ...]) -> None:
    """Is the column left out, the numbers null, and nothing said, where no store was given?"""
    done = await status(tested, *words)
    assert (done.code, of_the_store(done), "TESTED" in done.out) == (0, [], False)
    assert set((await counts(tested, *words)).values()) == {(None, None)}


async def test_a_store_that_is_away(tested: ControlledWorld) -> None:
    """Does the rest stand, with one sentence about the store, where nobody listens?"""
    stands_alone(
        await status(tested, "--store", f"redis://127.0.0.1:{free_port()}"), "cannot be used"
    )


async def test_a_store_that_hangs(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does status end with all that the cluster tells, where the store takes connections and
    answers nothing, or has ceased to answer?
    """
    async with silent_server() as port:
        done = await status(tested, "--store", f"redis://127.0.0.1:{port}")
    stands_alone(done, f"within {PATIENCE:g}s")
    with redis.standing_still():
        done = await status(tested, "--store", redis.url)
    stands_alone(done, f"within {PATIENCE:g}s")


async def test_all_questions_have_one_limit() -> None:
    """Is the time for the store bounded by the clock that was passed in, and not call by call?"""
    clock = FakeClock()
    async with silent_server() as port:
        settings = load_settings({"store": f"redis://127.0.0.1:{port}"}, {})
        asking = asyncio.create_task(
            read_coverage(settings, Surroundings(clock, Random(1), {}), [], [FUJI])
        )
        await clock.advance(PATIENCE)
        coverage = await asking
    assert coverage.by_target == {}
    assert coverage.trouble == f"it did not tell all within {PATIENCE:g}s"


async def test_a_store_that_wants_a_password(
    tested: ControlledWorld, redis: RedisServer, tmp_path: Path
) -> None:
    """Is a password that is missing or wrong told and not shown, and the right one taken?"""
    redis.admin.config_set("requirepass", SECRET)
    file = tmp_path / "password"
    words = ("--store", redis.url, "--store-password-file", str(file))
    stands_alone(await status(tested, "--store", redis.url), "wants a password")
    file.write_text(f"not-{SECRET}")
    done = await status(tested, *words)
    stands_alone(done, "refuses the user or password")
    assert SECRET not in done.err
    file.write_text(f"{SECRET}\n")
    assert "1/3" in line(await status(tested, *words), "fuji")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1", "a store's URL starts with memory://, redis://"),
        ("redis://127.0.0.1/zero", "the number of a database"),
    ],
)
async def test_a_store_that_cannot_be_opened(tested: ControlledWorld, url: str, why: str) -> None:
    """Does a URL that is no store's leave the rest of status as it is?"""
    stands_alone(await status(tested, "--store", url), why)


async def test_a_store_of_another_cluster(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are the numbers of a cluster whose Deployments have the same names, but are others, not shown
    as ours?
    """
    for key in redis.admin.scan_iter("bootstrap:deployment:*"):
        name = str(key).rpartition("/")[2]
        uid = str(tested.metadata(name)["uid"])
        copy = str(redis.admin.hget(key, "record"))
        assert uid in copy
        redis.admin.hset(key, "record", copy.replace(uid, uid[::-1]))
    redis.admin.hset("bootstrap:meta", "cluster", "another-cluster")
    done = await status(tested, "--store", redis.url)
    stands_alone(done, "it is the memory of another cluster (another-cluster)")
    assert set((await counts(tested, "--store", redis.url)).values()) == {(None, None)}
    told = await command(
        "explain", "fuji", "--kubeconfig", str(tested.kubeconfig), "--store", redis.url
    )
    assert "not believed: it has no copy of these Deployments' records" in told.out
    assert "tested" not in told.out.partition("coverage:")[2]


async def test_a_copy_that_cannot_be_read(tested: ControlledWorld, redis: RedisServer) -> None:
    """Is a store believed by the copy of one record, where others are gone or bad?"""
    redis.admin.hset("bootstrap:deployment:bootstrap/blocked", "record", "{")
    redis.admin.delete("bootstrap:deployment:bootstrap/fuji")
    assert (await counts(tested, "--store", redis.url))["bootstrap/fuji"] == (1, 3)


async def test_a_claim_that_cannot_be_read(tested: ControlledWorld, redis: RedisServer) -> None:
    """Does one claim that was spoilt cost its own build alone? `doctor` names it."""
    redis.admin.hset(f"bootstrap:claims:{FUJI}", PASSED_BY[0], "mine")
    done = await status(tested, "--store", redis.url)
    assert done.code == 0
    assert "1/1" in line(done, "main")
    assert "2/3" in line(done, "fuji")


async def test_a_target_that_cannot_be_read(tested: ControlledWorld, redis: RedisServer) -> None:
    """Are the other targets told, and the fault once, where one target's claims were spoilt?"""
    redis.admin.set(f"bootstrap:claims:{FUJI}", "mine")
    done = await status(tested, "--store", redis.url)
    assert done.code == 0
    assert "1/1" in line(done, "main")
    assert "/3" not in line(done, "fuji")
    assert done.err.startswith(SAYS_WHY)
    assert len(of_the_store(done)) == 1
    assert f"DEL bootstrap:claims:{FUJI}" in done.err


async def test_nothing_labelled(world: ControlledWorld) -> None:
    """Is a store not asked where there is nothing to ask it for, and the exit code still 3?"""
    done = await status(world, "--store", f"redis://127.0.0.1:{free_port()}")
    assert done.code == 3
    assert SAYS_WHY not in done.err
