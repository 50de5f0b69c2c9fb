"""The hold after a failure, for its three days, with the whole controller: until when the next
build waits, and when people are warned.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.domain import names
from controller.domain.run import run_time
from controller.simulator.node import Pace
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.speed import REAL_SPEED
from tests.causes_world import LONG, QUICK, begin, ends, hears, told
from tests.controlled_world import HOUR, REPOSITORY, ControlledWorld, controlled_world
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

# Nobody asks the node of a run that is over: it need not look at itself, nor the kubelet at it.
CALM = replace(REAL_SPEED, probe=HOUR, node=Pace(HOUR, HOUR))
RARELY = {"poll_interval": "1h", "probe_interval": "5m", "resync_interval": "6h"}
NEXT = SimulatedBuild("1.14.1", "b2" * 20, QUICK)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path, speed=CALM) as found:
        yield found


async def fails(world: ControlledWorld) -> datetime:
    """A run has failed, and the next build is there; returns when that was."""
    begin(world, LONG, flags=RARELY, annotations={names.TIMEOUT: "1h"})
    failed = await ends(world)
    assert failed.reason == "Timeout"
    world.world.push(REPOSITORY, "latest", NEXT)
    return datetime.fromtimestamp(failed.at, UTC)


async def at(moment: datetime) -> None:
    clock = LoopClock()
    await clock.sleep((moment - clock.now()).total_seconds())


def is_held(world: ControlledWorld) -> bool:
    record = world.record("fuji")
    assert record is not None
    return world.phase("fuji") == "Held" and record.run is None


async def starts(world: ControlledWorld) -> datetime:
    """Until the next run is open; returns when it began."""

    def run_id() -> str:
        record = world.record("fuji")
        return record.run.id if record and record.run else ""

    found = await world.until(run_id)
    assert found.endswith(NEXT.digest().partition(":")[2][:8])
    return run_time(found)


async def ending(world: ControlledWorld, failed: datetime) -> None:
    """The last two hours of a hold: the warning at 71 hours, the next build at 72."""
    await at(failed + timedelta(hours=70, minutes=59))
    assert told(world, "HoldEnding") == []
    await at(failed + timedelta(hours=71, seconds=5))
    (warning,) = told(world, "HoldEnding")
    assert f"is kept until {failed + timedelta(hours=72):%Y-%m-%d %H:%M} UTC" in warning
    await at(failed + timedelta(hours=71, minutes=59))
    assert is_held(world)
    began = await starts(world)
    assert timedelta() <= began - failed - timedelta(hours=72) < timedelta(seconds=5)
    assert told(world, "HoldEnding") == [warning]


async def test_the_next_build_waits_for_three_days(world: ControlledWorld) -> None:
    """Does the next build wait for 71 hours and 59 minutes and start at 72 hours, and are people
    warned once, at 71 hours?
    """
    await ending(world, await fails(world))


async def test_the_days_without_a_controller_count(world: ControlledWorld) -> None:
    """Are warning and start at the same hours when nobody was there for most of the hold?"""
    failed = await fails(world)
    await world.stop()
    await at(failed + timedelta(hours=70))
    world.start(**RARELY)
    await ending(world, failed)


async def test_a_clock_that_is_three_days_ahead_ends_nothing(world: ControlledWorld) -> None:
    """Is the hold neither ended nor said to end by a controller whose clock is wrong, and does it
    last as long as it should for one whose clock is right?
    """
    failed = await fails(world)
    await world.stop()
    ahead = timedelta(hours=73)
    world.start(clock=LoopClock(ahead.total_seconds()), **RARELY)
    await at(failed + timedelta(hours=12))
    assert is_held(world)
    assert told(world, "HoldEnding") == []
    await world.stop()
    world.start(**RARELY)
    await ending(world, failed)


async def test_a_start_in_the_last_hour_warns_at_once(world: ControlledWorld) -> None:
    """Does a controller that comes back half an hour before the end warn at once, and does the next
    build start on time?
    """
    failed = await fails(world)
    await world.stop()
    await at(failed + timedelta(hours=71, minutes=30))
    world.start(**RARELY)
    await hears(world, "HoldEnding")
    assert LoopClock().now() < failed + timedelta(hours=71, minutes=32)
    began = await starts(world)
    assert timedelta() <= began - failed - timedelta(hours=72) < timedelta(seconds=5)
