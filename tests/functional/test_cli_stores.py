"""Each command that needs the store, and each store that cannot be believed: one line on stderr,
and an honest exit code.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.domain import names
from tests.commands import Finished, command
from tests.controlled_world import SELDOM, ControlledWorld
from tests.redis_servers import RedisServer, free_port

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
SAYS = {
    "away": "cannot be used",
    "empty": "empty",
    "newer": "was written by a newer version (schema 99",
    "another's": "the memory of another cluster (another-cluster)",
}


@pytest.fixture
async def tested(world: ControlledWorld, redis: RedisServer) -> ControlledWorld:
    """A build has passed on fuji; the controller is gone, its store is there."""
    world.deploy("fuji")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    return world


def is_empty(redis: RedisServer, world: ControlledWorld) -> None:
    redis.admin.flushall()


def is_newer(redis: RedisServer, world: ControlledWorld) -> None:
    redis.admin.hset("bootstrap:meta", "schema", "99")


def is_anothers(redis: RedisServer, world: ControlledWorld) -> None:
    """One whose Deployments have the same names."""
    key, uid = "bootstrap:deployment:bootstrap/fuji", str(world.metadata("fuji")["uid"])
    copy = str(redis.admin.hget(key, "record"))
    assert uid in copy
    redis.admin.hset(key, "record", copy.replace(uid, uid[::-1]))
    redis.admin.hset("bootstrap:meta", "cluster", "another-cluster")


def is_away(redis: RedisServer, world: ControlledWorld) -> None:
    redis.stop()


MADE: dict[str, Callable[[RedisServer, ControlledWorld], None]] = {
    "away": is_away,
    "empty": is_empty,
    "newer": is_newer,
    "another's": is_anothers,
}

# What is typed, and the exit code: 0 where the records answer without the store, 1 where they
# cannot answer all, or none of it. RUN stands for the run's id.
COMMANDS = {
    "status": 0,
    "show fuji": 0,
    f"show {TARGET}/RUN": 0,
    "history": 1,
    "diff fuji fuji": 0,
    f"stats {TARGET}": 0,
    "builds": 0,
    "qualify v1.14.0": 0,
    "evidence fuji": 1,
    f"evidence {TARGET}/RUN --file -": 1,
    "report --output REPORT": 0,
    "store gc --yes": 1,
}


async def ask(world: ControlledWorld, redis: RedisServer, words: str, folder: Path) -> Finished:
    record = world.record("fuji")
    assert record is not None
    typed = words.replace("RUN", record.outcomes[-1].run)
    typed = typed.replace("REPORT", str(folder / "report.html"))
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    if words.startswith("qualify"):
        place += ("--registry", f"docker.io={world.world.registry.url}")
    return await command(*typed.split(), *place)


@pytest.mark.parametrize("condition", MADE)
async def test_a_store_that_cannot_be_believed(
    tested: ControlledWorld, redis: RedisServer, tmp_path: Path, condition: str
) -> None:
    """Does each command say why in one line, with the exit code that tells what it could do?"""
    MADE[condition](redis, tested)
    wrong = []
    for words, code in COMMANDS.items():
        if condition == "empty" and words.endswith("--file -"):
            code = 3  # nothing is kept, and nobody's memory is believed
        done = await ask(tested, redis, words, tmp_path)
        lines = [said for said in done.err.splitlines() if not said.startswith("no controller is")]
        told = [said for said in lines if SAYS[condition] in said]
        if (done.code, len(told), len(lines)) != (code, 1, 1):
            wrong.append((words, done.code, done.err))
    assert wrong == []


@pytest.mark.parametrize("condition", MADE)
async def test_explain_and_doctor_say_it_where_they_say_all(
    tested: ControlledWorld, redis: RedisServer, condition: str
) -> None:
    """Is it a line of `explain`, which goes on without, and a red or yellow one of `doctor`?"""
    MADE[condition](redis, tested)
    place = ("--kubeconfig", str(tested.kubeconfig), "--store", redis.url)
    done = await command("explain", "fuji", *place)
    assert (done.code, SAYS[condition] in done.out) == (0, True), done.out + done.err
    done = await command("doctor", *place, "-o", "json")
    lines = [each for each in done.json() if each["check"] == "store"]
    assert done.code == 1
    assert any(SAYS[condition] in each["found"] for each in lines), lines


async def test_commands_that_need_no_store(tested: ControlledWorld, redis: RedisServer) -> None:
    """Do those that only read or write the cluster say nothing of a store that is away?"""
    is_away(redis, tested)
    for words in ("wait fuji --for idle", "retest fuji", "test-build v1.14.0 fuji"):
        place = ("--kubeconfig", str(tested.kubeconfig))
        done = await command(
            *words.split(), *place, BOOTSTRAP_STORE=f"redis://127.0.0.1:{free_port()}"
        )
        assert (done.code, "redis" in done.err + done.out) == (0, False), (words, done)
    assert tested.annotation("fuji", names.RETEST)
