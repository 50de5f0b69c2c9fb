"""qualify: the release manager's question, asked of a world in which a build has passed."""

import orjson
import pytest

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from store import Transition, open_store
from tests.commands import Finished, command
from tests.controlled_world import BUILD, DAY, REPOSITORY, SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
AWAY = ("--store", "redis://127.0.0.1:1")
REBUILT = SimulatedBuild(
    "1.14.0", "a1" * 20, Plan(bootstrap_seconds=DAY), created="2026-01-01T00:00:00Z"
)
OTHER = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=DAY))


async def ask(world: ControlledWorld, *words: str) -> Finished:
    registry = f"docker.io={world.world.registry.url}"
    return await command(
        "qualify", *words, "--kubeconfig", str(world.kubeconfig), "--registry", registry
    )


async def passed(world: ControlledWorld, **flags: object) -> str:
    """A build passes on fuji; the digest of the index that its tag points to."""
    index = world.world.push(REPOSITORY, "v1.14.0", BUILD)
    world.deploy("fuji")
    world.start(**SELDOM, **flags)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    return index


async def test_a_build_by_all_its_names(world: ControlledWorld) -> None:
    """Is it found by tag, version, commit, digest and index, and 0 the answer where it passed?"""
    index = await passed(world)
    digest = BUILD.digest()
    words = ("latest", "v1.14.0", "1.14.0", "avalanchego/1.14.0", "a1a1a1a1", digest, index)
    for word in words:
        done = await ask(world, word)
        assert (done.code, "passed everywhere" in done.out) == (0, True), (word, done)
        assert f"{word} is {digest}" in done.out
        assert "none is named (--store)" in done.err


async def test_a_target_more_on_which_it_is_open(world: ControlledWorld) -> None:
    """Is it not passed while one target still tests it, and passed where it is not asked?"""
    await passed(world)
    world.world.push(REPOSITORY, "latest", REBUILT)
    world.deploy("mainnet", network="mainnet")
    world.start(**SELDOM)
    await world.until(lambda: "a1a1" in world.annotation("mainnet", names.RECORD))
    await world.stop()
    done = await ask(world, BUILD.digest(), "-o", "json")
    assert done.code == 1
    states = {each["target"]: each["state"] for each in done.json()["targets"]}
    assert states == {TARGET: "passed", "mainnet-c-chain-state-sync": "open"}
    assert done.json()["targets"][1]["other_build"] is True
    assert (await ask(world, BUILD.digest(), "--require", TARGET)).code == 0
    done = await ask(world, REBUILT.digest(), "--require", TARGET, "-o", "markdown")
    assert done.code == 0
    assert "| ✅ passed |" in done.out
    assert "by another build of the same commit" in done.out


async def test_a_deployment_that_cannot_be_read_is_not_passed(world: ControlledWorld) -> None:
    """Is the answer no where the record is spoilt, gone, or written by another hand?"""
    await passed(world)
    record = world.annotation("fuji", names.RECORD)
    world.world.annotate("fuji", record="{")
    done = await ask(world, "latest")
    assert (done.code, "cannot be read" in done.out) == (1, True)
    world.world.annotate("fuji", record=None)
    assert (await ask(world, "latest")).code == 1
    world.deploy("mainnet", network="mainnet", annotations={})
    forged = record.replace('"fuji"', '"mainnet"').replace(TARGET, "mainnet-c-chain-state-sync")
    world.world.annotate("mainnet", record=forged)
    done = await ask(world, "latest", "--require", "mainnet-c-chain-state-sync")
    assert done.code == 1
    assert "by another hand" in done.out


async def test_another_build_is_not_it(world: ControlledWorld) -> None:
    """Is a tag that has moved on not passed, though the build before it did?"""
    await passed(world)
    world.world.push(REPOSITORY, "latest", OTHER)
    done = await ask(world, "latest")
    assert (done.code, "not tested" in done.out) == (1, True)
    assert (await ask(world, "v1.14.0")).code == 0


async def test_a_manifest_with_a_fault_is_a_target_too(world: ControlledWorld) -> None:
    """Is a Deployment counted whose target nobody can tell?"""
    await passed(world)
    world.deploy("odd", annotations={names.SOAK: "soon"})
    done = await ask(world, "latest")
    assert (done.code, "bootstrap/odd" in done.out) == (1, True)


async def test_names_that_nobody_knows(world: ControlledWorld) -> None:
    """Are the nearest names offered, and 3 the answer?"""
    await passed(world)
    done = await ask(world, "v1.14.9")
    assert (done.code, done.out) == (3, "")
    assert "nothing is known of 'v1.14.9': there are v1.14.0" in done.err
    done = await ask(world, "latest", "--require", "fuji-full")
    assert (done.code, TARGET in done.err) == (3, True)
    assert (await ask(world, "latest", "--timeout", "5m")).code == 2


async def test_the_store_is_away(world: ControlledWorld) -> None:
    """Do the records answer, and is it said why there is no more?"""
    await passed(world)
    done = await ask(world, "latest", *AWAY)
    assert done.code == 0
    assert "the store tells less: " in done.err


async def test_a_store_remembers_a_failure_of_a_deployment_that_is_gone(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Does a newer failure count that only the store knows?"""
    await passed(world, store=redis.url)
    assert (await ask(world, "latest", "--store", redis.url)).code == 0
    run = f"20990101t000000z-{BUILD.digest()[7:15]}"
    fields = {"phase": "Failed", "reason": "BadBlock", "build": BUILD.digest(), "ended": "4e9"}
    store = await open_store(redis.url)
    await store.put_run(TARGET, run, fields)
    body = orjson.dumps({"phase": "Failed", "run": run})
    await store.append([Transition("other.end", TARGET, 4e9, body)])
    await store.close()
    done = await ask(world, "latest", "--store", redis.url)
    assert (done.code, "(BadBlock)" in done.out) == (1, True)
    assert "before, run" in done.out
