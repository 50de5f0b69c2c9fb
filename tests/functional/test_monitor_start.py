"""The monitor finds its Deployment by its own pod, or says in one sentence why it cannot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from controller.base.errors import SettingsFault
from controller.domain import names
from controller.kube.api.client import KubeClient
from controller.kube.own_deployment import own_deployment
from controller.process.app import App
from controller.process.scope import own_pod, own_pod_scope
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.world import NAMESPACE, PERSON
from tests.commands import command
from tests.controlled_world import ControlledWorld
from tests.jumping_loop import LoopClock
from tests.kube_samples.credentials import GivenCredentials

pytestmark = pytest.mark.jumping

Change = Callable[[dict[str, Any]], object]


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": {"containers": [{"name": "node", "image": "example/node:1"}]},
    }


def owner(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}


@asynccontextmanager
async def client_of(world: ControlledWorld) -> AsyncIterator[KubeClient]:
    credentials = GivenCredentials(world.world.api.url)
    async with KubeClient(credentials, LoopClock()) as client:
        yield client


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({}, "belongs to nothing"),
        (
            {"ownerReferences": [owner("StatefulSet", "nodes")]},
            "belongs to the StatefulSet nodes, which is no Deployment",
        ),
        (
            {"ownerReferences": [owner("ReplicaSet", "handmade")]},
            "belongs to the ReplicaSet handmade, which no Deployment made",
        ),
        (
            {
                "ownerReferences": [owner("ReplicaSet", "fuji-abc")],
                "labels": {"pod-template-hash": "abc"},
            },
            "the Deployment bootstrap/fuji of pod bootstrap/lonely is not there any more",
        ),
    ],
)
async def test_a_pod_of_no_deployment_is_told_whose_it_is(
    world: ControlledWorld, metadata: dict[str, Any], sentence: str
) -> None:
    """Is the owner named that is no Deployment?"""
    world.world.api.objects.create("pods", pod("lonely", **metadata), PERSON)
    async with client_of(world) as client:
        with pytest.raises(SettingsFault, match=sentence):
            await own_deployment(client, NAMESPACE, "lonely")


async def test_a_pod_that_is_not_there_is_told(world: ControlledWorld) -> None:
    """Is a POD_NAME that names no pod told, with where it should come from?"""
    async with client_of(world) as client:
        with pytest.raises(SettingsFault, match=r"no pod bootstrap/typo.*downward API"):
            await own_deployment(client, NAMESPACE, "typo")


async def test_a_deployment_without_the_label_is_told_which(world: ControlledWorld) -> None:
    """Is the label named that a Deployment of the monitor lacks?"""
    world.deploy("fuji", lambda d: d["metadata"]["labels"].pop(names.TEST))
    name = await world.until(lambda: pod_name(world))
    async with client_of(world) as client:
        with pytest.raises(SettingsFault, match=f'no label {names.TEST}: "true"'):
            await own_deployment(client, NAMESPACE, name)


async def test_the_deployment_of_its_pod_is_found(world: ControlledWorld) -> None:
    """Is it the one whose ReplicaSet made the pod, of two?"""
    world.deploy("fuji")
    name = await world.until(lambda: pod_name(world))
    world.deploy("fuji-2")
    async with client_of(world) as client:
        found = await own_deployment(client, NAMESPACE, name)
    assert found.metadata.key == "bootstrap/fuji"


@pytest.mark.parametrize("given", [{}, {"POD_NAME": "a"}, {"POD_NAMESPACE": "b"}])
def test_without_the_downward_api_it_says_so(given: dict[str, str]) -> None:
    """Is it told that it must run in the pod, and how to get it there?"""
    with pytest.raises(SettingsFault, match="k8s/targets/components/monitor"):
        own_pod(given)


async def test_the_command_says_so_too() -> None:
    """Does `monitor` outside a pod end with 2 and that sentence, before it looks for a cluster?"""
    done = await command("monitor")
    assert done.code == 2
    assert done.err.startswith("bootstrap-controller: POD_NAME and POD_NAMESPACE are not both set")


async def test_it_watches_and_pins_its_own_deployment_alone(world: ControlledWorld) -> None:
    """With two labelled Deployments, is only the one whose pod it runs in taken up?"""
    world.deploy("fuji")
    name = await world.until(lambda: pod_name(world))
    world.deploy("other")
    async with monitor(world, name):
        await world.until(lambda: world.phase("fuji") == "Starting")
        await world.a_while()
    assert world.phase("other") == ""
    lease = world.world.api.storage.peek("leases", NAMESPACE, "fuji")
    assert lease is not None
    assert world.world.api.storage.peek("leases", NAMESPACE, names.FIELD_MANAGER) is None


@asynccontextmanager
async def monitor(world: ControlledWorld, pod: str, **flags: object) -> AsyncIterator[App]:
    environ = {"POD_NAME": pod, "POD_NAMESPACE": NAMESPACE}
    given: dict[str, object] = {
        "kubeconfig": str(world.kubeconfig),
        "registry": [f"docker.io={world.world.registry.url}"],
        "listen": "127.0.0.1:0",
        **flags,
    }
    around = Surroundings(LoopClock(), Random(5), environ)
    app = App(load_settings(given, environ), around, own_pod_scope)
    running = asyncio.create_task(app.run(), name="monitor")
    try:
        yield app
    finally:
        app.stop()
        await running


def pod_name(world: ControlledWorld) -> str:
    found = world.world.api.storage.objects("pods", NAMESPACE)
    return str(found[0]["metadata"]["name"]) if found else ""
