"""What the evidence reader needs a right for, each by itself: logs, Events, machines and claims;
and that these are there to be read.
"""

from collections.abc import AsyncIterator, Iterable
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.auth import Access, Grant, rights_table
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import World
from tests.fuji_world import deploy, pod_name, start, state_of
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

PATHS = {
    ("get", "pods/log"): "/api/v1/namespaces/bootstrap/pods/{pod}/log",
    ("list", "events"): "/api/v1/namespaces/bootstrap/events",
    ("get", "nodes"): "/api/v1/nodes/simulated-node",
    ("get", "persistentvolumeclaims"): "/api/v1/namespaces/bootstrap/persistentvolumeclaims/fuji",
    ("get", "pods"): "/api/v1/namespaces/bootstrap/pods/{pod}",
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = ServerSettings(tokens={"t": "reader"})
    async with World(LoopClock(), Random(7), speed=REAL_SPEED, settings=settings) as world:
        yield world


async def get(world: World, path: str) -> tuple[int, str]:
    """Status, and the body or the failure's message."""
    headers = {"Authorization": "Bearer t"}
    url = world.api.url + path.format(pod=pod_name(world))
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        if answer.status == 200:
            return 200, await answer.text()
        return answer.status, (await answer.json())["message"]


def allow(world: World, *grants: Grant) -> None:
    world.api.gate.rights = rights_table({"reader": grants})


@pytest.mark.parametrize("missing", PATHS)
async def test_each_right_is_for_one_thing(world: World, missing: tuple[str, str]) -> None:
    """Is that alone refused whose right is missing, and the pod's right no right on its log?"""
    await start(world)
    allow(world, *(right for right in PATHS if right != missing))
    found = {right: (await get(world, path))[0] for right, path in PATHS.items()}
    assert found == {right: 403 if right == missing else 200 for right in PATHS}


async def test_refusals_name_what_was_asked_for(world: World) -> None:
    """Does the message name the subresource, and the scope of what has no namespace?"""
    name = await start(world)
    allow(world)
    assert await get(world, PATHS["get", "pods/log"]) == (
        403,
        f'pods "{name}" is forbidden: User "reader" cannot get resource "pods/log" in API group ""'
        ' in the namespace "bootstrap"',
    )
    assert await get(world, PATHS["get", "nodes"]) == (
        403,
        'nodes "simulated-node" is forbidden: User "reader" cannot get resource "nodes" in API'
        ' group "" at the cluster scope',
    )


@pytest.mark.parametrize(
    ("grants", "allowed"),
    [
        ([("get", "nodes", "bootstrap")], ()),
        ([("get", "nodes", "")], ("nodes",)),
        ([("get", "pods", "bootstrap")], ("pods",)),
        ([("get", "pods", "default")], ()),
        ([("*", "pods/log", "bootstrap")], ("pods/log",)),
        ([("get", "*/log")], ("pods/log",)),
        ([("get", "*", "bootstrap")], ("pods", "pods/log")),
        ([("get", "*")], ("nodes", "pods", "pods/log")),
        ([("list", "*")], ()),
    ],
)
def test_grants(grants: Iterable[Grant], allowed: tuple[str, ...]) -> None:
    """Does a Role of a namespace give nothing elsewhere, and nothing on what has no namespace?"""
    rights = rights_table({"u": grants})
    found = {
        resource
        for resource in ("nodes", "pods", "pods/log")
        if rights(Access("u", "get", "", resource, "" if resource == "nodes" else "bootstrap"))
    }
    assert found == set(allowed)
    assert rights(Access("another", "get", "", "nodes")), "who is not in the table may do all"


async def test_reviews_of_these_rights(world: World) -> None:
    """Does a review of access answer for a subresource and for the cluster's scope?"""
    allow(world, ("get", "pods/log", "bootstrap"), ("create", "selfsubjectaccessreviews"))
    asked: list[dict[str, str]] = [
        {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "bootstrap"},
        {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "default"},
        {"verb": "get", "resource": "nodes"},
    ]
    url = f"{world.api.url}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answers = []
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as session:
        for each in asked:
            body: Any = {"spec": {"resourceAttributes": each}}
            async with session.post(url, json=body) as answer:
                answers.append((await answer.json())["status"]["allowed"])
    assert answers == [True, False, False]


async def test_where_a_pod_runs(world: World) -> None:
    """Are the machine's type and zone, and the claim's class, where the reader looks for them?"""
    deploy(world, storage_class="local-nvme")
    await world.until(lambda: "running" in state_of(world))
    pod = world.pod_of("fuji")
    assert pod is not None
    node = world.api.objects.get("nodes", "", pod["spec"]["nodeName"])
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "i4i.4xlarge"
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "zone-a"
    claim = world.api.objects.get("persistentvolumeclaims", "bootstrap", "fuji")
    assert claim["spec"]["storageClassName"] == "local-nvme"


async def test_the_default_class(world: World) -> None:
    """Has a claim the class `fast`, and none where the manifest leaves it to the cluster?"""
    assert world.deploy("fuji").claim()["spec"]["storageClassName"] == "fast"
    assert "storageClassName" not in world.deploy("other", storage_class="").claim()["spec"]
