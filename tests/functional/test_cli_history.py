"""history: what is asked for is found however much lies before it, and whatever else lies there.

From a real Redis, by a process of its own.
"""

from collections.abc import AsyncIterator

import orjson
import pytest

from controller.domain.record.record import Record, Step
from controller.engine.telling.notices import transition_id
from controller.views.history import LOOKED_THROUGH, read_history
from store import StateStore, Transition, open_store
from tests.commands import Finished, command
from tests.controlled_world import SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
NOON = 1795435200.0
NEVER = "nothing has been tested here yet"
UNREADABLE = {
    "cut": b'{"phase":"Pas',
    "no-text": b"\xff\xfe",
    "list": b"[1]",
    "number": b"7",
    "odd-fields": orjson.dumps({"deployment": ["a"], "phase": 7, "before": None, "message": {}}),
}


@pytest.fixture
async def store(redis: RedisServer) -> AsyncIterator[StateStore]:
    opened = await open_store(redis.url)
    yield opened
    await opened.close()


async def ask(world: ControlledWorld, redis: RedisServer, *words: str) -> Finished:
    place = ("--kubeconfig", str(world.kubeconfig), "--store", redis.url)
    return await command("history", *words, *place)


def line(identity: str, at: float, phase: str, name: str = "fuji") -> Transition:
    body = {
        "deployment": f"bootstrap/{name}",
        "target": TARGET,
        "run": f"run-{identity}",
        "before": "Soaking",
        "phase": phase,
        "reason": "Soaked",
        "message": f"message {identity}",
    }
    return Transition(identity, TARGET, at, orjson.dumps(body))


def conditions(count: int, at: float, step: float = 1.0) -> list[Transition]:
    return [line(f"c{n:05}-{at:.0f}", at + n * step, "Bootstrapping") for n in range(count)]


async def test_outcomes_with_much_between_them(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Are the newest outcomes shown, as many as were asked for, though restarts lie between?"""
    for number in range(5):
        at = NOON + 1000 * number
        await store.append([line(f"end-{number}", at, "Passed"), *conditions(20, at + 1)])
    done = await ask(world, redis, "--outcomes", "--limit", "4", "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert [found["id"] for found in done.json()] == ["end-4", "end-3", "end-2", "end-1"]


async def test_one_deployment_behind_pages_of_another(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is each of its lines found once, though thousands of one second lie between them?"""
    await store.append([line(f"b{n}", NOON - n, "Passed", "mainnet") for n in range(3)])
    await store.append(conditions(2500, NOON, step=0.0))
    await store.append([line("z-newest", NOON, "Passed", "mainnet")])
    done = await ask(world, redis, "--deployment", "bootstrap/mainnet", "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert [found["id"] for found in done.json()] == ["z-newest", "b0", "b1", "b2"]


@pytest.mark.parametrize(
    "words", [("--outcomes",), ("--deployment", "bootstrap/other"), ("--target", "other")]
)
async def test_nothing_matches(
    world: ControlledWorld, redis: RedisServer, store: StateStore, words: tuple[str, ...]
) -> None:
    """Is a search without a find told apart from a store without a history?"""
    await store.append(conditions(3, NOON))
    done = await ask(world, redis, *words)
    assert (done.code, done.out, done.err) == (3, "", "nothing matches\n")


async def test_nothing_is_there(world: ControlledWorld, redis: RedisServer) -> None:
    """Is it said that nothing was tested, where nothing was asked for in particular?"""
    done = await ask(world, redis)
    assert (done.code, done.out, done.err) == (3, "", f"{NEVER}\n")


async def test_a_search_has_an_end(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is it said that older ones were not looked through, and not said where there are none?"""
    await store.append(conditions(LOOKED_THROUGH - 1, NOON))
    await store.append([line("oldest", NOON - 1, "Passed")])
    done = await ask(world, redis, "--outcomes")
    assert (done.code, done.err) == (0, "")
    assert "message oldest" in done.out
    await store.append([line("newest", NOON + LOOKED_THROUGH, "Soaking")])
    done = await ask(world, redis, "--outcomes")
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines() == [
        "nothing matches",
        f"only the newest {LOOKED_THROUGH} transitions were looked through:"
        " --target looks through one target's alone",
    ]


async def test_unreadable_lines_hide_nothing(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is a line that cannot be read there with time, id and target, and are the others whole?"""
    await store.append([Transition(name, TARGET, NOON, body) for name, body in UNREADABLE.items()])
    await store.append([line("good", NOON + 1, "Passed")])
    done = await ask(world, redis, "--output", "json")
    assert (done.code, done.err) == (0, "")
    good, *others = done.json()
    assert (good["id"], good["phase"]) == ("good", "Passed")
    assert {found["id"] for found in others} == set(UNREADABLE)
    for found in others:
        told = {name: value for name, value in found.items() if value and name != "id"}
        assert told == {"at": "2026-11-23T12:00:00Z", "target": TARGET}
    rows = (await ask(world, redis)).out.splitlines()
    assert [row.split() for row in rows if "cut" in row] == [
        ["2026-11-23T12:00:00Z", TARGET, "cut"]
    ]


async def test_a_time_that_is_none(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Are lines shown whose times no calendar has, such as milliseconds by another hand?"""
    await store.append([line("far", 1795435200000.0 * 1000, "Passed")])
    redis.admin.zadd("bootstrap:history", {"endless": "inf"})
    redis.admin.hset("bootstrap:transition:endless", mapping={"target": TARGET, "body": "{"})
    for form in ("table", "json"):
        done = await ask(world, redis, "--output", form)
        assert (done.code, done.err) == (0, "")
        assert "message far" in done.out
        assert "endless" in done.out


async def test_a_run_goes_on_beside_unreadable_history(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Does a run of the target pass, and does its outcome say what the store's own line cannot?"""
    await store.append([Transition(name, TARGET, NOON, body) for name, body in UNREADABLE.items()])
    world.deploy("fuji")
    world.start(store=redis.url, **SELDOM)
    await world.passes("fuji")
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    found = (await ask(world, redis, "--outcomes", "-o", "json")).json()
    [end] = [each for each in found if each["deployment"] == "bootstrap/fuji"]
    redis.admin.hset(f"bootstrap:transition:{end['id']}", "body", "{")
    again = (await ask(world, redis, "--outcomes", "-o", "json")).json()
    assert [(each["run"], each["phase"]) for each in again] == [(end["run"], "Passed")]


async def test_a_step_says_what_the_store_cannot(redis: RedisServer, store: StateStore) -> None:
    """Is a transition whole that the record still has, though the store's line of it is cut?"""
    step = Step(
        seq=4, before="Starting", phase="Bootstrapping", reason="NodeStarted", at=5, message="it is"
    )
    record = Record(schema=1, namespace="bootstrap", name="fuji", uid="u", steps=(step,))
    await store.append([Transition(transition_id(record, step), "", 5.0, b"{")])
    [found] = await read_history(store, [record], target=None, deployment=record.key, limit=5)
    assert (found.phase, found.reason, found.message) == ("Bootstrapping", "NodeStarted", "it is")
