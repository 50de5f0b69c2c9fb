"""status, explain and history: what a person sees of Deployments in every state."""

from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE, PERSON
from tests.commands import Finished, command
from tests.controlled_world import BUILD, REPOSITORY, SELDOM, ControlledWorld
from tests.redis_servers import redis_server

pytestmark = pytest.mark.jumping

WAITS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
NOBODY = "no controller is active: Lease bootstrap/bootstrap-controller is held by nobody"


@pytest.fixture
async def three(world: ControlledWorld) -> ControlledWorld:
    """One that has passed, one that is open, one that is blocked; the controller is gone."""
    world.deploy("passed")
    world.deploy("blocked", network="network-7", annotations={names.SOAK: "soon"})
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("passed"))
    world.world.push(REPOSITORY, "next", WAITS)
    world.deploy("open", network="mainnet", image=f"{REPOSITORY}:next")
    await world.until(lambda: world.phase("open") == "Bootstrapping")
    await world.until(lambda: world.phase("blocked") == "Blocked")
    await world.stop()
    return world


async def ask(world: ControlledWorld, *words: str) -> Finished:
    return await command(*words, "--kubeconfig", str(world.kubeconfig))


def line(done: Finished, name: str) -> str:
    return next(text for text in done.out.splitlines() if text.startswith(f"bootstrap/{name} "))


async def test_status_shows_each_deployment(three: ControlledWorld) -> None:
    """Does the table show target, build, phase, last outcome and message of each?"""
    done = await ask(three, "status")
    assert done.code == 0
    assert done.err == f"{NOBODY}\n"
    short = BUILD.digest().partition(":")[2][:12]
    for word in ("fuji-c-chain-state-sync", short, "Idle", "Passed (Soaked)", "tested already"):
        assert word in line(done, "passed"), word
    assert "Bootstrapping" in line(done, "open")
    assert "Blocked" in line(done, "blocked")
    assert "'soon' is not a duration" in done.out


async def test_status_as_json(three: ControlledWorld) -> None:
    """Is the same there for programs?"""
    rows = {row["deployment"]: row for row in (await ask(three, "status", "-o", "json")).json()}
    assert set(rows) == {"bootstrap/passed", "bootstrap/open", "bootstrap/blocked"}
    passed, run = rows["bootstrap/passed"], rows["bootstrap/open"]
    assert (passed["run"], passed["last"]["phase"]) == (None, "Passed")
    assert passed["last"]["build"] == BUILD.digest()
    assert (run["phase"], run["run"]["build"]) == ("Bootstrapping", WAITS.digest())
    for at in (passed["since"], passed["last"]["ended"], run["run"]["decided"]):
        assert datetime.fromisoformat(at).tzinfo == UTC
    assert rows["bootstrap/blocked"]["reason"] == "BadDuration"


async def test_status_of_some(three: ControlledWorld) -> None:
    """Are only the named ones shown, with or without their namespace, and an unknown one told with
    the nearest names?
    """
    done = await ask(three, "status", "bootstrap/open", "passed", "-o", "name")
    assert (done.code, done.out) == (0, "bootstrap/open\nbootstrap/passed\n")
    done = await ask(three, "status", "open", "pased", "-o", "name")
    assert (done.code, done.out) == (3, "bootstrap/open\n")
    assert "no labelled Deployment 'pased' is here: did you mean bootstrap/passed?" in done.err


@pytest.mark.parametrize(
    ("age", "said"),
    [
        pytest.param(5, "", id="renewed"),
        pytest.param(300, "bootstrap-controller stands still, another-pod", id="stands still"),
    ],
)
async def test_status_beside_a_lease(three: ControlledWorld, age: float, said: str) -> None:
    """Is nothing said of a controller that renews its Lease, and is one missed that died with it?

    age: seconds since it was renewed, by the clock of the command.
    """
    renewed = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    held = {"holderIdentity": "another-pod", "leaseDurationSeconds": 15, "renewTime": renewed}
    three.world.api.objects.update(
        "leases", NAMESPACE, names.FIELD_MANAGER, lambda lease: lease | {"spec": held}, PERSON
    )
    done = await ask(three, "status")
    assert (done.code, bool(done.err)) == (0, bool(said))
    assert said in done.err


async def test_nothing_labelled(world: ControlledWorld) -> None:
    """Do the commands say that nothing is here, and exit with 3?"""
    done = await ask(world, "status")
    assert (done.code, done.out) == (3, "")
    assert names.TEST in done.err
    done = await ask(world, "status", "--output", "json")
    assert (done.code, done.json()) == (3, [])
    done = await ask(world, "history")
    assert (done.code, done.out) == (3, "")
    done = await ask(world, "explain", "fuji")
    assert done.code == 3
    assert "no labelled Deployment 'fuji' is here" in done.err


async def test_status_before_any_controller(world: ControlledWorld) -> None:
    """Is a Deployment shown that no controller has seen, and said to be so?"""
    world.deploy("fuji")
    done = await ask(world, "status")
    assert done.code == 0
    assert "not seen by a controller yet" in line(done, "fuji")


async def test_explain_a_blocked_one(three: ControlledWorld) -> None:
    """Is the fault the first thing said, with what to write instead?"""
    done = await ask(three, "explain", "blocked")
    assert done.code == 0
    assert "Blocked (BadDuration)" in done.out
    assert "write such as 30s, 5m, 12h or 7d" in done.out
    assert "nobody: no controller is active here" in done.out


async def test_explain_an_open_run(three: ControlledWorld) -> None:
    """Does it say why the run has not passed yet, and ask node, pod and registry itself?"""
    done = await ask(
        three, "explain", "bootstrap/open", "--registry", f"docker.io={three.world.registry.url}"
    )
    assert done.code == 0
    record = three.record("open")
    assert record is not None
    assert record.run is not None
    for words in (
        record.run.id,
        "it cannot pass yet: the node has not bootstrapped",
        "target mainnet-c-chain-state-sync, tag next of docker.io/avaplatform/avalanchego",
        f"next is {WAITS.digest()}",
        f"the init container says fresh for run {record.run.id}",
        "check bootstrapped has not run yet",
        "5 peers",
        "none is named (--store): what only it knows is not told here",
        "not known: only the store knows it",
    ):
        assert words in done.out, words


async def test_explain_an_idle_one(three: ControlledWorld) -> None:
    """Does it say why nothing is happening now?"""
    done = await ask(
        three, "explain", "passed", "--registry", f"docker.io={three.world.registry.url}"
    )
    assert done.code == 0
    assert "Idle (UpToDate)" in done.out
    assert "nothing is to be done now" in done.out
    told = await ask(
        three,
        "explain", "passed", "-o", "json",
        "--registry", f"docker.io={three.world.registry.url}",
    )  # fmt: skip
    found = told.json()
    assert found["deployment"]["deployment"] == "bootstrap/passed"
    decided = found["decision"]
    assert (decided["phase"], decided["reason"], decided["writes"]) == ("Idle", "UpToDate", False)
    assert found["asked"]["soak"] > 0
    assert found["choices"][0]["build"] == BUILD.digest()
    assert found["deployment"]["last"]["ended"].endswith("Z")
    assert "Idle (UpToDate)" in found["told"]["decision"][0]


async def test_explain_writes_nothing(three: ControlledWorld) -> None:
    """Does explaining leave the Deployment as it is?"""
    before = three.metadata("open")["resourceVersion"]
    await ask(three, "explain", "open")
    assert three.metadata("open")["resourceVersion"] == before


async def test_history_from_the_records(three: ControlledWorld) -> None:
    """Is what the records remember there without a store?"""
    done = await ask(three, "history", "--outcomes")
    assert done.code == 0
    assert "Passed" in done.out
    lines = (await ask(three, "history", "--output", "json")).json()
    ends = [line for line in lines if line["phase"] == "Passed"]
    assert [(end["deployment"], end["build"]) for end in ends] == [
        ("bootstrap/passed", BUILD.digest())
    ]


async def test_history_from_redis(world: ControlledWorld, tmp_path: Path) -> None:
    """Does the store's history outlive the Deployment, each transition once and newest first?"""
    with redis_server(tmp_path) as redis:
        world.deploy("fuji")
        world.start(store=redis.url, **SELDOM)
        await world.until(lambda: "tested already" in world.message("fuji"))
        await world.stop()
        world.world.delete("fuji")
        done = await ask(world, "history", "--store", redis.url, "--output", "json")
    assert done.code == 0
    lines = [line for line in done.json() if line["run"]]
    assert [line["phase"] for line in lines] == ["Passed", "Soaking", "Bootstrapping", "Starting"]
    assert len({line["id"] for line in lines}) == 4
    assert {line["target"] for line in lines} == {"fuji-c-chain-state-sync"}


async def test_explain_tells_the_controllers_eyes_from_ours(three: ControlledWorld) -> None:
    """Is what the controller saw last told as its own, and is a network of this machine's that does
    not reach the node no word against the node?
    """
    away = "http://node.invalid/{pod}"
    found = (await ask(three, "explain", "open", "-o", "json", "--node-url", away)).json()
    assert found["node"]["reached"] is False
    told = found["told"]
    assert told["it saw last"][0].startswith("Bootstrapping (")
    assert told["node"][0].startswith("not reached from here, which says nothing about the node")
    here = (await ask(three, "explain", "open", "-o", "json")).json()
    assert here["node"]["reached"] is True
    assert here["told"]["node"][0].startswith("asked from here, answered")


@pytest.mark.parametrize("words", [("explain", "plain"), ("suspend", "plain")])
async def test_one_without_the_label(world: ControlledWorld, words: tuple[str, ...]) -> None:
    """Is a Deployment that is there told to lack the label, and where?"""
    world.deploy("plain", lambda d: d["metadata"]["labels"].pop(names.TEST))
    done = await ask(world, *words)
    assert done.code == 3
    assert f'bootstrap/plain is there without the label {names.TEST}: "true"' in done.err
    assert "metadata.labels of the Deployment" in done.err
