"""While our clock is known to be wrong, or not known to be right, nothing is destroyed (I10)."""

import pytest

from controller.domain import names
from controller.domain.defaults import HOUR
from controller.domain.run import Phase
from tests.machine_objects import BUSY, build, deployment, pod, with_annotations, word
from tests.machine_world import World

THREE_DAYS = 72 * HOUR
DOUBTED = [61.0, -61.0, THREE_DAYS + HOUR, None]


def begin() -> tuple[World, str, str]:
    """An open run, and the next build behind its tag."""
    world = World()
    key = world.add(deployment())
    run = world.start_run(key)
    world.tags["latest"] = "b"
    return world, key, run


def fail(world: World, key: str, run: str) -> None:
    """By what is counted, which needs no clock."""
    for restarts in (0, 0, 6):
        made = pod(run, world.image(key), said=word(run, "fresh"), restarts=restarts)
        world.pods[key] = (made,)
        world.probe(key, BUSY)
        world.settle(key)
    assert world.record(key).phase is Phase.HELD


def steps(world: World, key: str) -> list[str]:
    return [step.reason for step in world.record(key).steps]


def jump(world: World, seconds: float) -> None:
    """Our clock alone."""
    world.pass_time(seconds)
    world.skew = (world.skew or 0.0) + seconds


def test_a_clock_that_jumps_ends_no_hold() -> None:
    """Is failed data kept, and nobody warned, while our clock is three days ahead of the API
    server's; and does the hold last as long as it should when the clock is right again?
    """
    world, key, run = begin()
    fail(world, key, run)
    for seconds in (THREE_DAYS - HOUR / 2, HOUR):
        jump(world, seconds)
        decision = world.settle(key)
        assert decision.phase is Phase.HELD
        assert decision.again_in is not None
        assert "differ" in decision.why[0]
    jump(world, -THREE_DAYS - HOUR / 2)
    world.pass_time(THREE_DAYS - 2 * HOUR)
    assert world.settle(key).phase is Phase.HELD
    assert "HoldEnding" not in steps(world, key)
    world.pass_time(2 * HOUR)
    assert world.start_run(key) > run


@pytest.mark.parametrize("skew", DOUBTED)
def test_a_hold_whose_time_has_come_waits_for_the_clock(skew: float | None) -> None:
    """Is the pin that would delete failed data not made by a clock that is doubted?"""
    world, key, run = begin()
    fail(world, key, run)
    world.pass_time(THREE_DAYS - HOUR / 2)
    world.skew = skew
    assert world.settle(key).phase is Phase.HELD
    world.pass_time(HOUR)
    text = world.deployments[key].metadata.annotation(names.RECORD)
    assert world.settle(key).phase is Phase.HELD
    assert "HoldEnding" not in steps(world, key)
    assert world.deployments[key].metadata.annotation(names.RECORD) == text
    world.skew = 59.0
    assert world.start_run(key) > run


@pytest.mark.parametrize("skew", DOUBTED)
@pytest.mark.parametrize("wish", [None, "retest_requested_at"])
def test_nothing_is_started_by_a_clock_that_is_doubted(
    skew: float | None, wish: str | None
) -> None:
    """Is a build that is due not pinned, whoever wishes it, for its pod deletes older data?"""
    world = World()
    key = world.add(deployment())
    run = world.pass_run(key)
    world.tags["latest"] = "b"
    world.skew = skew
    if wish is not None:
        world.change(key, with_annotations(world.deployments[key], **{wish: "1"}))
    decision = world.settle(key)
    assert (decision.phase, decision.reason) == (Phase.IDLE, "Waiting")
    assert "clock" in decision.message
    assert decision.again_in is not None
    assert world.image(key).endswith(build("a"))
    world.skew = 0.0
    assert world.start_run(key) > run


def test_a_failure_seen_by_a_clock_that_is_late_is_kept_as_long() -> None:
    """Is a hold that began while our clock was three days behind still there when it is right?"""
    world, key, run = begin()
    jump(world, -THREE_DAYS)
    fail(world, key, run)
    jump(world, THREE_DAYS)
    world.pass_time(THREE_DAYS - 2 * HOUR)
    assert world.settle(key).phase is Phase.HELD
    world.pass_time(2 * HOUR)
    assert world.start_run(key) > run


def test_a_person_may_end_a_hold_by_any_clock() -> None:
    """Does a wish end the hold at once, though the start itself waits?"""
    world, key, run = begin()
    fail(world, key, run)
    world.skew = None
    world.change(key, with_annotations(world.deployments[key], end_hold_requested_at="1"))
    assert world.settle(key).phase is Phase.IDLE
    world.skew = 0.0
    assert world.start_run(key) > run
