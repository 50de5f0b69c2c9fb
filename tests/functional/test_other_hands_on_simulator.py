"""What others do to pods and Deployments, and what the controller makes of it, on the whole
simulator: webhooks, deletions, a watch that tells nothing.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.domain.defaults import Rules
from controller.simulator.apiserver.resources import Object
from controller.simulator.faults import Answer
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.causes_world import LONG, QUICK, begin, bootstrapping, causes_world, ends, outcome
from tests.controlled_world import HOUR, REPOSITORY, SELDOM, ControlledWorld
from tests.fuji_world import status_of
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

RULES = Rules()
NEXT = SimulatedBuild("1.14.1", "b2" * 20, QUICK)
MIRROR = "mirror.example"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with causes_world(tmp_path) as found:
        yield found


def mirror_images(world: ControlledWorld, *kinds: str) -> None:
    """A webhook that has every image of these kinds pulled from a mirror, by the same digest."""

    def change(plural: str, obj: Object) -> None:
        if plural not in kinds:
            return
        spec = obj["spec"] if plural == "pods" else obj["spec"]["template"]["spec"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            if "image" in container and not container["image"].startswith(MIRROR):
                container["image"] = f"{MIRROR}/{container['image']}"

    world.world.api.objects.webhook = change


async def test_pods_that_pull_from_a_mirror_are_the_runs_own(world: ControlledWorld) -> None:
    """Does a run pass whose pods a webhook has pull its very digest by another name?"""
    mirror_images(world, "pods")
    begin(world, QUICK)
    found = await ends(world)
    assert (found.phase, found.reason) == ("Passed", "Soaked"), found.message
    assert MIRROR in status_of(world.world)["imageID"]


async def test_pods_of_which_nothing_is_heard_fail_nothing(world: ControlledWorld) -> None:
    """Does a run pass of whose pods the controller heard nothing for longer than a patience, where
    the last that it saw of them was that no machine had taken them?
    """
    world.world.cordon()
    begin(world, QUICK)
    await world.until(lambda: "Unschedulable" in world.notes("fuji"))
    api = world.world.api
    away = api.faults.add(Answer(503), path=r"/pods\?", method="GET", count=None)
    api.close_watches()
    world.world.cordon(False)
    await LoopClock().sleep(RULES.unschedulable_patience + HOUR)
    assert world.world.node_of("fuji") is not None
    assert outcome(world) is None
    api.faults.remove(away)
    found = await ends(world)
    assert (found.phase, found.reason) == ("Passed", "Soaked"), found.message


async def test_a_deployment_being_deleted_does_not_fail_and_frees_its_target(
    world: ControlledWorld,
) -> None:
    """Is the run of a Deployment that only a finalizer keeps over when its pod is gone, nothing
    started on it, and the next build tested by a sibling?
    """
    begin(world, LONG)
    await bootstrapping(world)
    world.deploy("second")
    await world.until(lambda: "is testing as run" in world.message("second"))
    keep_by_finalizer(world, "fuji")
    world.world.api.objects.delete(
        "deployments", NAMESPACE, "fuji", {"propagationPolicy": "Foreground"}
    )
    found = await ends(world)
    assert (found.phase, found.reason) == ("Aborted", "DeploymentGone"), found.message
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.passes("second")
    assert world.outcomes("fuji") == ["Aborted"]
    assert "being deleted" in world.message("fuji")


async def test_a_node_whose_deployment_is_being_deleted_may_pass(world: ControlledWorld) -> None:
    """Does a run go on, and pass, while its pod does?"""
    begin(world, QUICK)
    await bootstrapping(world)
    keep_by_finalizer(world, "fuji")
    world.world.api.objects.delete("deployments", NAMESPACE, "fuji")
    found = await ends(world)
    assert (found.phase, found.reason) == ("Passed", "Soaked"), found.message
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.until(lambda: "being deleted" in world.message("fuji"))
    await world.a_while()
    assert world.outcomes("fuji") == ["Passed"]


def keep_by_finalizer(world: ControlledWorld, name: str) -> None:
    """Somebody's controller wants to do something before the Deployment goes, and never does."""

    def change(deployment: Object) -> None:
        deployment["metadata"]["finalizers"] = ["example.com/keep"]

    world.world.change(name, change)


async def test_a_pin_that_a_webhook_renames_is_no_pin_taken_back(world: ControlledWorld) -> None:
    """Is nothing put back, and nobody suspected, where a webhook that comes in mid-run renames the
    image of the Deployment at our next write?
    """
    registries = [f"{host}={world.world.registry.url}" for host in ("docker.io", MIRROR)]
    begin(world, LONG, flags={**SELDOM, "registry": registries})
    node = await bootstrapping(world)
    mirror_images(world, "deployments")
    node.finish()
    found = await ends(world)
    assert (found.phase, found.reason) == ("Passed", "Soaked"), found.message
    record = world.record("fuji")
    assert record is not None
    assert len(record.outcomes) == 1
    deployment = world.world.api.storage.peek("deployments", NAMESPACE, "fuji")
    assert deployment is not None
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith(f"{MIRROR}/{REPOSITORY}:latest@sha256:")
