"""history: what is asked for is found however much lies before it, and whatever else lies there.

From a real Redis, by a process of its own.
"""

from collections.abc import AsyncIterator

import orjson
import pytest

from controller.domain.record.record import Record, Step
from controller.engine.telling.notices import transition_id
from controller.views.history import read_history
from controller.views.paging import LOOKED_THROUGH
from store import Claim, Meta, StateStore, Transition, open_store
from tests.commands import Finished, command
from tests.controlled_world import SELDOM, ControlledWorld
from tests.redis_servers import RedisServer, free_port

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


def of_build(identity: str, at: float, phase: str, build: str) -> Transition:
    body = {"deployment": "bootstrap/fuji", "run": f"run-{identity}", "build": build}
    return Transition(identity, TARGET, at, orjson.dumps({**body, "phase": phase}))


OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
DAYS = 86400.0


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--build", OLD), ["old-end", "old-start"]),
        (("--build", "bbbbbb"), ["new-end"]),
        (("--version", "v1.14.1", "--target", TARGET), ["new-end"]),
        (("--version", "1.14.0", "--target", TARGET, "--outcome", "passed"), ["old-end"]),
        (("--outcome", "failed"), ["new-end"]),
        (("--since", "2026-11-23"), ["new-end", "old-end"]),
        (("--since", "2026-11-23", "--until", "2026-11-24T00:00:00Z"), ["old-end"]),
        (("--until", "3650d"), []),
        (("--deployment", "fuji", "--limit", "1"), []),
    ],
)
async def test_what_is_asked_for(
    world: ControlledWorld,
    redis: RedisServer,
    store: StateStore,
    words: tuple[str, ...],
    ids: list[str],
) -> None:
    """Is only that found which is asked for: by build, version, outcome and time?"""
    await store.append(
        [
            of_build("old-start", NOON - DAYS, "Bootstrapping", OLD),
            of_build("old-end", NOON, "Passed", OLD),
            of_build("new-end", NOON + DAYS, "Failed", NEW),
        ]
    )
    claims = [Claim(TARGET, OLD, "run-old-end", "d"), Claim(TARGET, NEW, "run-new-end", "d")]
    await store.refill(Meta(1, "e", 0, world.cluster_id()), claims)
    for run, build, version in (("old", OLD, "1.14.0"), ("new", NEW, "1.14.1")):
        fields = {"phase": "Passed", "build": build, "version": f"avalanchego/{version}"}
        await store.put_run(TARGET, f"run-{run}-end", fields)
    done = await ask(world, redis, *words, "-o", "json")
    assert [found["id"] for found in done.json()] == ids
    assert done.code == (0 if ids else 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "soon"), "--since: 'soon' is no time: write such as 12h or 7d"),
        (("--until", "2026-13-01"), "--until: '2026-13-01' is no time"),
        (("--build", "v1.14.1"), "--build: 'v1.14.1' is no digest"),
        (("--outcome", "great"), "'great' is not one of"),
    ],
)
async def test_what_cannot_be_asked(
    world: ControlledWorld, redis: RedisServer, words: tuple[str, ...], said: str
) -> None:
    """Is a time or digest that is none told in a sentence, with what to write instead?"""
    done = await ask(world, redis, *words)
    assert done.code == 2
    assert said in done.err


async def test_more_than_was_asked_for(
    world: ControlledWorld, redis: RedisServer, store: StateStore
) -> None:
    """Is it said that there is more, and how to see it; and not where there is no more?"""
    await store.append(conditions(3, NOON))
    done = await ask(world, redis, "--limit", "2")
    assert (done.code, len(done.out.splitlines())) == (0, 3)
    assert "there is more: --limit shows more of it, --until 2026-11-23T12:00:01Z" in done.err
    assert (await ask(world, redis, "--limit", "3")).err == ""


async def test_a_store_that_is_away(world: ControlledWorld) -> None:
    """Are the records' lines shown all the same, with why it is partial, and exit code 1?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    place = ("--kubeconfig", str(world.kubeconfig), "--store", f"redis://127.0.0.1:{free_port()}")
    done = await command("history", *place)
    assert done.code == 1
    assert "Passed" in done.out
    assert "only what the records remember is shown: " in done.err
    assert len(done.err.splitlines()) == 1
