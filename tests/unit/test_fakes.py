"""The fake clock: the promises of the real one, and time that moves only when it is told to."""

import asyncio
from datetime import timedelta

import pytest

from tests.fakes import EPOCH, FakeClock


async def test_sleepers_wake_in_order_each_at_its_own_time() -> None:
    """Does everybody see the time at which they should have woken, however far time moves?"""
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic() - 1000.0))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("second", 20.0))
        group.create_task(sleeper("first", 10.0))
        group.create_task(sleeper("third", 20.0))
        await clock.advance(60.0)
    assert woken == [("first", 10.0), ("second", 20.0), ("third", 20.0)]
    assert clock.monotonic() == 1060.0


async def test_a_loop_that_sleeps_goes_round_in_one_advance() -> None:
    """Does a sleeper that sleeps again within the same stretch of time wake again?"""
    clock = FakeClock()
    seen: list[float] = []

    async def loop() -> None:
        while True:
            await clock.sleep(30.0)
            seen.append(clock.monotonic())

    task = asyncio.create_task(loop())
    await clock.advance(95.0)
    task.cancel()
    assert seen == [1030.0, 1060.0, 1090.0]


async def test_nobody_wakes_before_their_time() -> None:
    """Does time stand still on its own, and does a sleep end at its moment and not before?"""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(10.0))
    await clock.advance(9.999)
    assert not task.done()
    assert clock.sleepers == 1
    await clock.advance(0.001)
    assert task.done()
    assert clock.sleepers == 0


async def test_no_time_at_all_only_yields() -> None:
    """Does sleeping for nothing end without anybody moving time?"""
    clock = FakeClock()
    await clock.sleep(0.0)
    await clock.sleep(-1.0)
    assert clock.monotonic() == 1000.0


async def test_the_wall_clock_jumps_and_durations_do_not() -> None:
    """If a person sets the clock, do only the readings for people change?"""
    clock = FakeClock()
    clock.jump(-3600.0)
    await clock.advance(5.0)
    assert clock.now() == EPOCH + timedelta(seconds=5 - 3600)
    assert clock.monotonic() == 1005.0


async def test_what_is_in_time_is_returned() -> None:
    """Does `within` hand on what the work gives or raises, and leave nobody asleep?"""
    clock = FakeClock()

    async def work(fails: bool) -> str:
        await clock.sleep(1.0)
        if fails:
            raise KeyError("x")
        return "done"

    well = asyncio.create_task(clock.within(2.0, work(False)))
    badly = asyncio.create_task(clock.within(2.0, work(True)))
    await clock.advance(1.0)
    assert await well == "done"
    with pytest.raises(KeyError):
        await badly
    assert clock.sleepers == 0


async def test_what_is_late_is_cancelled() -> None:
    """Is work that takes too long cancelled before TimeoutError is raised?"""
    clock = FakeClock()
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await clock.sleep(10.0)
        finally:
            cancelled.set()

    late = asyncio.create_task(clock.within(2.0, work()))
    await clock.advance(2.0)
    with pytest.raises(TimeoutError):
        await late
    assert cancelled.is_set()
    assert clock.sleepers == 0


async def test_cancelling_from_outside_reaches_the_work() -> None:
    """If the one who waits is cancelled, is the work too?"""
    clock = FakeClock()
    work = asyncio.ensure_future(clock.sleep(10.0))
    waiting = asyncio.create_task(clock.within(20.0, work))
    await clock.settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.cancelled()
