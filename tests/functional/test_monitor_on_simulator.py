"""The monitor through whole runs: in its node's pod, which it ends with each pin."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.controlled_world import BUILD, HOUR, MINUTE, REPOSITORY, SELDOM
from tests.monitored_world import MonitoredWorld, monitored_world

pytestmark = pytest.mark.jumping

NEXT = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=20 * MINUTE))
CRASHES = replace(NEXT, plan=Plan(bootstrap_seconds=HOUR, crash_after=MINUTE))
PASSING = ["NewBuild", "NodeStarted", "Bootstrapped", "Soaked"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MonitoredWorld]:
    async with monitored_world(tmp_path, **SELDOM) as made:
        yield made


async def test_the_first_pod_pins_itself(world: MonitoredWorld) -> None:
    """Does the monitor pin the first build from a pod whose prepare-data waits for it, and pass it
    from the pod that the pin made?
    """
    world.deploy_monitored("fuji")
    first = await world.until(lambda: world.pod("fuji"))
    await world.until(lambda: "Soaked" in world.reasons("fuji"))
    assert world.pod("fuji") != first
    assert len(world.monitors.lives) == 2
    assert world.monitors.refused == []
    assert world.outcomes("fuji") == ["Passed"]
    assert world.reasons("fuji") == PASSING


async def test_a_tag_that_moves(world: MonitoredWorld) -> None:
    """Is the next build tested when the first has passed, in a pod of its own?"""
    world.deploy_monitored("fuji")
    await world.passes("fuji")
    pod = world.pod("fuji")
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.until(lambda: world.outcomes("fuji") == ["Passed", "Passed"])
    assert world.pod("fuji") != pod
    record = world.record("fuji")
    assert record is not None
    tested = [build for builds in record.tested.values() for build in builds]
    assert {BUILD.digest(), NEXT.digest()} == set(tested)
    await world.until(lambda: world.reasons("fuji") == PASSING * 2)


async def test_a_build_that_crashes(world: MonitoredWorld) -> None:
    """Is a crash loop told as failed, by a monitor that lives on in the failed run's pod, and does
    the next build take that pod's place when its data was kept long enough?
    """
    world.world.push(REPOSITORY, "latest", CRASHES)
    world.deploy_monitored("fuji", annotations={names.KEEP_FAILED_DATA: "1h"})
    await world.until(lambda: world.outcomes("fuji") == ["Failed"])
    failed = world.pod("fuji")
    lives = len(world.monitors.lives)
    world.world.push(REPOSITORY, "latest", BUILD)
    await world.a_while(3)
    assert world.phase("fuji") == "Held"
    assert (world.pod("fuji"), len(world.monitors.lives)) == (failed, lives)
    await world.passes("fuji")
    assert world.pod("fuji") != failed
    assert world.outcomes("fuji") == ["Failed", "Passed"]


async def test_a_pod_that_is_away_for_hours(world: MonitoredWorld) -> None:
    """With no machine to be on for ten hours, and so with no monitor, does the run go on where it
    was, and pass?
    """
    world.deploy_monitored("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    record = world.record("fuji")
    assert record is not None
    assert record.run is not None
    world.world.cordon()
    world.world.api.objects.delete("pods", NAMESPACE, world.pod("fuji"))
    lives = len(world.monitors.lives)
    await world.clock.sleep(10 * HOUR)
    assert world.phase("fuji") == "Bootstrapping"
    assert len(world.monitors.lives) == lives
    world.world.cordon(False)
    await world.passes("fuji")
    found = world.record("fuji")
    assert found is not None
    assert found.outcomes[-1].run == record.run.id
    assert found.outcomes[-1].resumes == 1
    assert found.outcomes[-1].observed < HOUR


async def test_a_tag_that_moves_while_the_pod_is_away(world: MonitoredWorld) -> None:
    """Is it seen when the pod is back?"""
    world.deploy_monitored("fuji")
    await world.passes("fuji")
    world.world.cordon()
    world.world.api.objects.delete("pods", NAMESPACE, world.pod("fuji"))
    await world.clock.sleep(HOUR)
    world.world.push(REPOSITORY, "latest", NEXT)
    await world.clock.sleep(10 * HOUR)
    assert world.outcomes("fuji") == ["Passed"]
    world.world.cordon(False)
    await world.until(lambda: world.outcomes("fuji") == ["Passed", "Passed"])


async def test_a_machine_that_restarts(world: MonitoredWorld) -> None:
    """Does the same pod's monitor go on with the run after a restart of its machine?"""
    world.deploy_monitored("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    pod = world.pod("fuji")
    world.world.reboot("fuji")
    await world.passes("fuji")
    assert world.pod("fuji") == pod
    assert len(world.monitors.lives) == 3


async def test_killed_again_and_again(world: MonitoredWorld) -> None:
    """Does a monitor that is killed each few minutes, and waits for its restarts, come to the
    verdict, and tell each step once?
    """
    world.deploy_monitored("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    pod = world.pod("fuji")
    for _ in range(8):
        await world.until(lambda: world.monitor_runs("fuji"))
        await world.clock.sleep(4 * MINUTE)
        world.world.workloads.kill(NAMESPACE, pod, "monitor")
        await world.until(lambda: not world.monitor_runs("fuji"))
    await world.passes("fuji")
    await world.until(lambda: "Soaked" in world.reasons("fuji"))
    assert world.pod("fuji") == pod
    assert world.reasons("fuji") == PASSING
