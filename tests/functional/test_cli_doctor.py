"""`doctor`: what is set up wrong is named, red or yellow, with what to do about it."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import ServerSettings
from tests.commands import Finished, command
from tests.controlled_world import (
    NAMESPACE,
    PERSON,
    REPOSITORY,
    SELDOM,
    ControlledWorld,
    controlled_world,
    todays_clock,
)
from tests.redis_servers import RedisServer, free_port

pytestmark = pytest.mark.jumping


class Rights:
    """All but those that are missing, (verb, resource)."""

    def __init__(self) -> None:
        self.missing: set[tuple[str, str]] = set()

    def __call__(self, access: Access) -> bool:
        return (access.verb, access.resource) not in self.missing


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def world(tmp_path: Path, rights: Rights) -> AsyncIterator[ControlledWorld]:
    settings = ServerSettings(rights=rights)
    async with controlled_world(tmp_path, settings=settings, clock=todays_clock()) as world:
        yield world


async def ask(world: ControlledWorld, *words: str) -> Finished:
    return await command(
        "doctor",
        "--kubeconfig", str(world.kubeconfig),
        "--registry", f"docker.io={world.world.registry.url}",
        *words,
    )  # fmt: skip


async def found(world: ControlledWorld, check: str, *words: str) -> list[tuple[str, str, str]]:
    """Level, finding and what to do, of each line of that check."""
    lines = (await ask(world, *words, "-o", "json")).json()
    return [
        (each["level"], each["found"], each["todo"]) for each in lines if each["check"] == check
    ]


async def test_all_is_well(world: ControlledWorld, redis: RedisServer) -> None:
    """Is everything green, with exit code 0, where a controller works and its store is kept?"""
    world.deploy("fuji")
    redis.admin.config_set("appendonly", "yes")
    world.start(store=redis.url, **SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    done = await ask(world, "--store", redis.url)
    assert done.code == 0, done.out
    assert {line.split()[0] for line in done.out.splitlines()[1:]} == {"green"}, done.out
    for words in (
        "(context simulated) answers; Kubernetes v1",
        f"{names.DEFAULT_SELECTOR} finds 1 Deployments",
        "target fuji-c-chain-state-sync, follows docker.io/avaplatform/avalanchego:latest",
        "has the copies of these Deployments",
        "held by controller-0",
        "no sign of it",
        "off: no agent is set",
    ):
        assert words in done.out, words


async def test_a_cluster_that_is_away(world: ControlledWorld, tmp_path: Path) -> None:
    """Is it red, named with server and context, and is the rest looked at all the same?"""
    away = world.world.api.kubeconfig(tmp_path / "away")
    text = away.read_text().replace(world.world.api.url, f"http://127.0.0.1:{free_port()}")
    away.write_text(text)
    done = await command("doctor", "--kubeconfig", str(away), "-o", "json")
    assert done.code == 1
    lines = {(each["check"], each["level"]) for each in done.json()}
    assert {("cluster", "red"), ("store", "yellow"), ("datadog", "green")} <= lines


async def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """Is that one red line, and no end of everything?"""
    done = await command("doctor", "--kubeconfig", str(tmp_path / "none"), "-o", "json")
    assert done.code == 1
    assert "does not exist" in done.json()[0]["found"]
    assert "datadog" in {each["check"] for each in done.json()}


async def test_rights_that_are_missing(world: ControlledWorld, rights: Rights) -> None:
    """Is each missing verb named: red where it is needed, yellow where it only tells more?"""
    world.deploy("fuji")
    rights.missing = {("patch", "deployments"), ("get", "pods/log")}
    lines = await found(world, "rights")
    reds = [text for level, text, _ in lines if level == "red"]
    yellows = [text for level, text, _ in lines if level == "yellow"]
    assert ["patch deployments.apps" in text for text in reds] == [True]
    assert ["get pods/log" in text for text in yellows] == [True]
    assert (await ask(world)).code == 1


async def test_nothing_is_labelled(world: ControlledWorld) -> None:
    """Is it red, with those that are there without the label?"""
    world.deploy("fuji", lambda d: d["metadata"]["labels"].pop(names.TEST))
    [(level, text, todo)] = await found(world, "selector")
    assert level == "red"
    assert "there are bootstrap/fuji" in text
    assert f"kubectl label deployment NAME {names.TEST}=true" in todo


async def test_a_deployment_with_faults(world: ControlledWorld) -> None:
    """Is each fault a red line, of manifest and Service alike?"""
    world.deploy("fuji", service=None, annotations={names.SOAK: "soon"})
    lines = await found(world, "deployment")
    assert [level for level, _, _ in lines] == ["red", "red"]
    assert "BadDuration" in lines[0][1]
    assert "NoService" in lines[1][1]


async def test_nobody_leads(world: ControlledWorld) -> None:
    """Is a Lease that nobody holds red?"""
    world.deploy("fuji")
    [(level, text, _)] = await found(world, "lease")
    assert level == "red"
    assert "held by nobody: no controller is active" in text


@pytest.mark.parametrize(
    ("age", "level", "said"),
    [
        (5, "green", "held by another-pod, renewed 5s ago"),
        (3600, "red", "it has run out after 15s, and no controller is active"),
        (None, "yellow", "does not say since when"),
    ],
)
async def test_a_lease_that_is_held(
    world: ControlledWorld, age: float | None, level: str, said: str
) -> None:
    """Is one that is renewed green, one that died with its holder red, and one that does not say
    yellow? age: seconds; None: it has no time.
    """
    world.deploy("fuji")
    spec: Object = {"holderIdentity": "another-pod", "leaseDurationSeconds": 15}
    if age is not None:
        renewed = datetime.now(UTC) - timedelta(seconds=age)
        spec["renewTime"] = renewed.isoformat()
    metadata = {"name": names.FIELD_MANAGER, "namespace": NAMESPACE}
    lease: Object = {"metadata": metadata, "spec": spec}
    world.world.api.objects.create("leases", lease, PERSON)
    [(found_level, text, _)] = await found(world, "lease")
    assert found_level == level
    assert said.removesuffix("5s ago") in text


async def test_a_record_that_cannot_be_read(world: ControlledWorld) -> None:
    """Is it a red line of its Deployment?"""
    world.deploy("fuji", annotations={names.RECORD: "junk"})
    [(level, text, _)] = await found(world, "deployment")
    assert (level, text.partition(":")[0]) == ("red", "RecordUnreadable")


async def test_stores(world: ControlledWorld, redis: RedisServer) -> None:
    """Is one that is not named yellow, one that is away red, one that may forget red too, and
    another controller's?
    """
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.record("fuji") is not None)
    assert [level for level, _, _ in await found(world, "store")] == ["yellow"]
    away = f"redis://127.0.0.1:{free_port()}"
    assert [level for level, _, _ in await found(world, "store", "--store", away)] == ["red"]
    lines = await found(world, "store", "--store", redis.url)
    assert lines[0][0] == "red"
    assert "it is empty" in lines[0][1]
    redis.admin.config_set("maxmemory-policy", "allkeys-lru")
    lines = await found(world, "store", "--store", redis.url)
    assert any("CONFIG SET maxmemory-policy noeviction" in text for _, text, _ in lines)


@pytest.mark.parametrize(("remaining", "level"), [(90, "green"), (5, "yellow"), (0, "red")])
async def test_the_pull_limit(world: ControlledWorld, remaining: int, level: str) -> None:
    """Is what is left of it told, and does little or nothing left show?"""
    world.deploy("fuji")
    quota = world.world.registry.quota
    quota.limit, quota.remaining = 100, remaining
    lines = await found(world, "registry")
    assert [line[0] for line in lines] == [level], lines


async def test_a_tag_that_is_not_there(world: ControlledWorld) -> None:
    """Is it red, and named?"""
    world.deploy("fuji", image=f"{REPOSITORY}:no-such")
    [(level, text, _)] = await found(world, "registry")
    assert level == "red"
    assert "from here" in text


async def test_the_agents_socket(world: ControlledWorld, tmp_path: Path) -> None:
    """Is a socket at which somebody listens green, and one that is not there red, by UDP too?"""
    path = tmp_path / "dsd.socket"
    url = f"unix://{path}"
    assert [level for level, _, _ in await found(world, "datadog", "--dogstatsd", url)] == ["red"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.bind(str(path))
        lines = await found(world, "datadog", "--dogstatsd", url)
    assert [level for level, _, _ in lines] == ["green"]
    closed = f"udp://127.0.0.1:{free_port()}"
    lines = await found(world, "datadog", "--dogstatsd", closed)
    assert [level for level, _, _ in lines] == ["red"]


async def test_argo_cd_without_its_application(world: ControlledWorld) -> None:
    """Is it yellow, and honest, where Argo CD looks after it and its Application is not read?"""

    def track(deployment: Object) -> None:
        deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = (
            "targets:apps/Deployment:bootstrap/fuji"
        )

    world.deploy("fuji", track)
    [(level, text, todo)] = await found(world, "argocd")
    assert level == "yellow"
    assert "cannot tell what Application targets ignores" in text
    assert "k8s/argocd/targets.yaml" in todo
