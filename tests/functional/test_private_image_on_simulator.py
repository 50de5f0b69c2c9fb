"""A private image: what the kubelet pulls it with, and what is said where the controller has no
login of its own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.resources import Object
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

HINT = (
    "; its pods pull with team-pull (imagePullSecrets), which is not read from here: mount it, see"
    " k8s/components/registry-credentials"
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path) as world:
        world.world.registry.rules.private.add(REPOSITORY)
        yield world


def pulls_with_a_secret(deployment: Object) -> None:
    deployment["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "team-pull"}]


async def test_the_kubelet_has_a_login_that_we_have_not(world: ControlledWorld) -> None:
    """Is the Secret named that the pods pull with, and what to do, after what the registry said?"""
    world.deploy("node", pulls_with_a_secret)
    world.start(**SELDOM)
    await world.until(lambda: "is unknown" in world.message("node"))

    said = world.message("node")
    assert said.endswith(HINT)
    assert "no access, or no such repository; no login was sent" in said


async def test_nobody_has_a_login(world: ControlledWorld) -> None:
    """Is nothing said of Secrets where the pods have none?"""
    world.deploy("node")
    world.start(**SELDOM)
    await world.until(lambda: "is unknown" in world.message("node"))

    assert "imagePullSecrets" not in world.message("node")


async def test_another_trouble(world: ControlledWorld) -> None:
    """Is nothing said of Secrets where a login would not help?"""
    world.world.registry.rules.private.clear()
    world.deploy("node", pulls_with_a_secret, image=f"{REPOSITORY}:nosuch")
    world.start(**SELDOM)
    await world.until(lambda: "is unknown" in world.message("node"))

    assert "no tag nosuch" in world.message("node")
    assert "imagePullSecrets" not in world.message("node")


async def test_the_same_secret_mounted(world: ControlledWorld, tmp_path: Path) -> None:
    """Does the build pass once the controller has that login too?"""
    registry = world.world.registry
    registry.rules.users["team"] = "horse"
    host = registry.url.partition("://")[2]
    login = tmp_path / ".dockerconfigjson"
    login.write_text(f'{{"auths":{{"{host}":{{"username":"team","password":"horse"}}}}}}')
    world.deploy("node", pulls_with_a_secret)
    world.start(registry_auth=str(login), **SELDOM)
    await world.passes("node")
