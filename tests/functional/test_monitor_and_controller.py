"""A controller beside real monitors: who decides about their Deployments, and who takes over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.resources import Object
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.controlled_world import HOUR, MINUTE, REPOSITORY, SELDOM
from tests.monitored_world import MonitoredWorld, monitored_world

pytestmark = pytest.mark.jumping

NEXT = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=20 * MINUTE))
PASSING = ["NewBuild", "NodeStarted", "Bootstrapped", "Soaked"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MonitoredWorld]:
    async with monitored_world(tmp_path, **SELDOM) as made:
        yield made


def holder(world: MonitoredWorld, name: str) -> str:
    lease = world.world.api.storage.peek("leases", NAMESPACE, name)
    return str(((lease or {}).get("spec") or {}).get("holderIdentity", ""))


async def test_each_looks_after_its_own(world: MonitoredWorld) -> None:
    """With a target that has a monitor and one that has none, does each pass, and is the first told
    by one hand alone?
    """
    world.start(**SELDOM)
    world.deploy_monitored("fuji")
    world.deploy("other", network="network-1337")
    await world.passes("fuji")
    await world.passes("other")
    await world.until(lambda: "Soaked" in world.reasons("fuji"))
    assert world.reasons("fuji") == PASSING
    assert holder(world, "fuji") in {world.pod("fuji"), "controller-0"}


async def test_a_pod_that_is_away(world: MonitoredWorld) -> None:
    """While the pod cannot be and its monitor with it, does the controller see that a tag has
    moved, and the run pass when there is a machine again?
    """
    world.deploy_monitored("fuji")
    await world.passes("fuji")
    world.start(**SELDOM)
    world.world.cordon()
    world.world.api.objects.delete("pods", NAMESPACE, world.pod("fuji"))
    await world.until(lambda: holder(world, "fuji") == "controller-0")
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.until(lambda: world.phase("fuji") == "Starting")
    await world.clock.sleep(3 * HOUR)
    world.world.cordon(False)
    await world.until(lambda: world.outcomes("fuji") == ["Passed", "Passed"])
    assert holder(world, "fuji") == "controller-0"
    away = ["NewBuild", "Unschedulable", "NodeStarted", "UnschedulableEnded"]
    await world.until(lambda: world.reasons("fuji") == [*PASSING, *away, "Bootstrapped", "Soaked"])


async def test_a_monitor_that_is_taken_out(world: MonitoredWorld) -> None:
    """Does the controller go on with an open run of a Deployment that has a monitor no more?"""

    def without(deployment: Object) -> None:
        inits = deployment["spec"]["template"]["spec"]["initContainers"]
        inits[:] = [each for each in inits if each["name"] != "monitor"]

    world.start(**SELDOM)
    world.deploy_monitored("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    record = world.record("fuji")
    assert record is not None
    assert record.run is not None
    world.world.change("fuji", without)
    await world.passes("fuji")
    found = world.record("fuji")
    assert found is not None
    assert found.outcomes[-1].run == record.run.id


async def test_a_monitor_that_is_killed(world: MonitoredWorld) -> None:
    """Does a monitor that was killed and restarted have its Deployment again, whoever had it?"""
    world.start(**SELDOM)
    world.deploy_monitored("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    world.world.workloads.kill(NAMESPACE, world.pod("fuji"), "monitor")
    await world.passes("fuji")
    await world.until(lambda: "Soaked" in world.reasons("fuji"))
    assert world.reasons("fuji") == PASSING
