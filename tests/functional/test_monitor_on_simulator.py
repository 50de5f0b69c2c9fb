"""The monitor through whole runs: in its node's pod, which it ends with each pin."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.controlled_world import MINUTE
from tests.monitored_world import MonitoredWorld, monitored_world

pytestmark = pytest.mark.jumping

NEXT = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=20 * MINUTE))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MonitoredWorld]:
    async with monitored_world(tmp_path) as made:
        yield made


async def test_the_first_pod_pins_itself(world: MonitoredWorld) -> None:
    """Does the monitor pin the first build from a pod whose prepare-data waits for it, and pass it
    from the pod that the pin made?
    """
    world.deploy_monitored("fuji")
    first = await world.until(lambda: world.pod("fuji"))
    await world.passes("fuji")
    assert world.pod("fuji") != first
    assert len(world.monitors.lives) == 2
    assert world.monitors.refused == []
    await world.until(lambda: "Soaked" in world.reasons("fuji"))
    assert world.reasons("fuji") == ["NewBuild", "NodeStarted", "Bootstrapped", "Soaked"]
