"""builds, show, diff and stats: asked of records and of a store that remembers more."""

from collections.abc import AsyncIterator

import orjson
import pytest

from controller.views.paging import LOOKED_THROUGH, PAGE, PARTIAL
from store import StateStore, Transition, open_store
from tests.commands import Finished, command
from tests.controlled_world import BUILD, SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
OLD = f"sha256:{'0' * 63}1"
OLDER = f"sha256:{'0' * 63}2"


def run_id(day: int) -> str:
    return f"202601{day:02}t060000z-00000000"


@pytest.fixture
async def store(world: ControlledWorld, redis: RedisServer) -> AsyncIterator[StateStore]:
    """What a controller wrote of a pass, and of two runs long before."""
    world.deploy("fuji")
    world.start(**SELDOM, store=redis.url)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    opened = await open_store(redis.url)
    for day, (build, phase, took) in enumerate(
        ((OLDER, "Failed", "0"), (OLD, "Passed", "3600")), start=1
    ):
        fields = {"phase": phase, "reason": "Because", "build": build, "took": took,
                  "version": "avalanchego/1.13.0", "commit": f"{day}" * 40,
                  "deployment": "bootstrap/fuji", "ended": str(1_767_000_000 + day)}  # fmt: skip
        body = orjson.dumps({"phase": phase, "run": run_id(day)})
        at = 1_767_000_000.0 + day
        await opened.put_run(TARGET, run_id(day), fields)
        await opened.append([Transition(f"b.fuji.{run_id(day)}.1", TARGET, at, body)])
        await opened.note_seen(TARGET, build, at=at)
    yield opened
    await opened.close()


async def ask(world: ControlledWorld, redis: RedisServer | None, *words: str) -> Finished:
    place = ("--store", redis.url) if redis else ()
    return await command(*words, "--kubeconfig", str(world.kubeconfig), *place)


async def own_run(world: ControlledWorld) -> str:
    record = world.record("fuji")
    assert record is not None
    return record.outcomes[-1].run


async def test_show(world: ControlledWorld, redis: RedisServer, store: StateStore) -> None:
    """Is a run shown by its id, with its target, and by its Deployment's name, old ones too?"""
    run = await own_run(world)
    for name in (run, f"{TARGET}/{run}", "fuji", "bootstrap/fuji"):
        done = await ask(world, redis, "show", name)
        assert (done.code, done.err) == (0, "")
        assert f"{TARGET}/{run}" in done.out
    assert "avalanchego/1.14.0" in done.out
    assert (await ask(world, redis, "show", run_id(1), "-o", "json")).json()["phase"] == "Failed"


async def test_show_where_several_targets_have_it(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is it asked back with the choices, and the nearest offered for what is not known?"""
    run = run_id(1)
    await store.put_run("mainnet-full-sync", run, {"phase": "Passed"})
    await store.append([Transition(f"b.m.{run}.1", "mainnet-full-sync", 1_767_000_000.0, b"{}")])
    done = await ask(world, redis, "show", run)
    assert done.code == 2
    assert f"write one of {TARGET}/{run}, mainnet-full-sync/{run}" in done.err
    done = await ask(world, redis, "show", "20260103t060000z-00000000")
    assert (done.code, done.out) == (3, "")
    assert run_id(2) in done.err
    done = await ask(world, redis, "show", "fujj")
    assert (done.code, "there are fuji" in done.err) == (3, True)


async def test_show_without_a_store(world: ControlledWorld, store: StateStore) -> None:
    """Do the records answer, and is it said that no more is asked?"""
    done = await ask(world, None, "show", "fuji")
    assert (done.code, "Passed (Soaked)" in done.out) == (0, True)
    assert "none is named (--store)" in done.err


async def test_diff(world: ControlledWorld, redis: RedisServer, store: StateStore) -> None:
    """Are two runs side by side, differences marked, with the link between their commits?"""
    done = await ask(world, redis, "diff", run_id(1), run_id(2))
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[1]: line for line in done.out.splitlines() if line.startswith("*")}
    assert "Failed (Because)" in lines["outcome"]
    assert "Passed (Because)" in lines["outcome"]
    assert "version" not in lines
    assert f"compare/{'1' * 40}...{'2' * 40}" in done.out
    done = await ask(world, redis, "diff", run_id(2), "fuji", "-o", "json")
    assert {line["heading"] for line in done.json()["lines"] if line["differs"]} >= {"version"}


async def test_stats(world: ControlledWorld, redis: RedisServer, store: StateStore) -> None:
    """Are the runs of record and store counted together, as many as were asked for?"""
    found = (await ask(world, redis, "stats", TARGET, "-o", "json")).json()
    assert (found["passed"], found["failed"], found["timed"]) == (2, 1, 2)
    found = (await ask(world, redis, "stats", TARGET, "--last", "2", "-o", "json")).json()
    assert (found["passed"], found["failed"]) == (2, 0)
    done = await ask(world, redis, "stats", TARGET)
    assert done.code == 0
    assert "3: 2 passed, 1 failed, 0 aborted" in done.out
    assert "avalanchego/1.13.0" in done.out
    done = await ask(world, redis, "stats", "fuji-c-chain-state")
    assert (done.code, f"there are {TARGET}" in done.err) == (3, True)


async def test_stats_that_are_partial(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is it said, in JSON too, that the search for runs was given up?"""
    assert (await ask(world, redis, "stats", TARGET, "-o", "json")).json()["partial"] == ""
    more = LOOKED_THROUGH + PAGE  # a search may go a page further
    trouble = [Transition(f"c{n}", TARGET, 1_780_000_000.0 + n, b"{}") for n in range(more)]
    await store.append(trouble)
    done = await ask(world, redis, "stats", TARGET, "-o", "json")
    assert (done.code, done.json()["partial"]) == (0, PARTIAL)
    for words in (("stats", TARGET), ("qualify", BUILD.digest()), ("show", run_id(1))):
        done = await ask(world, redis, *words)
        assert PARTIAL in done.err, words


async def test_builds(world: ControlledWorld, redis: RedisServer, store: StateStore) -> None:
    """Are builds listed with what became of each, and sifted by tag and version?"""
    done = await ask(world, redis, "builds", "-o", "json")
    assert (done.code, done.err) == (0, "")
    states = {build["build"]: build["targets"][0]["state"] for build in done.json()}
    assert states == {BUILD.digest(): "passed", OLD: "passed by", OLDER: "passed by"}
    done = await ask(world, redis, "builds", "v1.14.0")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert f"passed: {TARGET}" in done.out
    assert len((await ask(world, redis, "builds", "latest", "-o", "json")).json()) == 3
    done = await ask(world, redis, "builds", "v1.14.0", "-o", "name")
    assert done.out == f"{BUILD.digest()}\n"
    done = await ask(world, redis, "builds", "--limit", "1")
    assert "2 older ones are not shown" in done.err
    last = (await ask(world, redis, "builds", "--limit", "1", "-o", "name")).out.strip()
    done = await ask(world, redis, "builds", "--before", last[:19], "-o", "name")
    assert (done.out, done.err) == (f"{OLD}\n{OLDER}\n", "")
    done = await ask(world, redis, "builds", "--before", "sha256:beef")
    assert (done.code, "no build that is known" in done.err) == (2, True)
    done = await ask(world, redis, "builds", "--since", "30d")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert (await ask(world, redis, "builds", "--since", "soon")).code == 2
    done = await ask(world, redis, "builds", "v2.0.0")
    assert (done.code, "no build of 'v2.0.0' is known" in done.err) == (3, True)
