"""The work queue: keys that come back later.

Included: delays, backoff by key. Excluded: see test_workqueue.py.
"""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from controller.base.backoff import BackoffPolicy
from controller.engine.queue.work_queue import KEY_BACKOFF, WorkQueue
from tests.fakes import FakeClock

PLAIN = BackoffPolicy(first=1.0, cap=300.0, jitter=0.0, reset_after=float("inf"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def queue(clock: FakeClock) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue(clock, Random(1), PLAIN)
    timer = asyncio.create_task(queue.run_timer())
    yield queue
    queue.shut_down()
    await timer


async def came(queue: WorkQueue) -> list[str]:
    keys = []
    while queue.depth:
        keys.append(await queue.get())
        queue.done(keys[-1])
    return keys


async def test_comes_when_due_and_not_before(queue: WorkQueue, clock: FakeClock) -> None:
    """Does a delayed key come at its moment, and once?"""
    queue.add_after("a", 10)
    await clock.advance(9.9)
    assert await came(queue) == []
    await clock.advance(0.1)
    assert await came(queue) == ["a"]
    await clock.advance(1000)
    assert await came(queue) == []


async def test_comes_in_the_order_of_moments(queue: WorkQueue, clock: FakeClock) -> None:
    """Does a shorter delay that was asked for later come first?"""
    queue.add_after("slow", 20)
    await clock.advance(1)
    queue.add_after("quick", 5)
    await clock.advance(5)
    assert await came(queue) == ["quick"]
    await clock.advance(14)
    assert await came(queue) == ["slow"]


@pytest.mark.parametrize("delays", [(5, 20), (20, 5)])
async def test_the_earlier_of_two_wins(
    queue: WorkQueue, clock: FakeClock, delays: tuple[int, int]
) -> None:
    """Do two delays of one key make one add, at the earlier moment?"""
    for delay in delays:
        queue.add_after("a", delay)
    await clock.advance(5)
    assert await came(queue) == ["a"]
    await clock.advance(100)
    assert await came(queue) == []


@pytest.mark.parametrize("seconds", [0, -3])
async def test_no_delay_is_now(queue: WorkQueue, seconds: float) -> None:
    """Is a key whose moment has passed added at once?"""
    queue.add_after("a", seconds)
    assert queue.depth == 1


async def test_an_add_does_not_wait_for_a_delay(queue: WorkQueue, clock: FakeClock) -> None:
    """Does a change bring a key at once that has failed and would come later?"""
    queue.add_failed("a", 60)
    queue.add("a")
    assert await came(queue) == ["a"]
    await clock.advance(60)
    assert await came(queue) == ["a"]


async def test_due_while_processed_comes_after(queue: WorkQueue, clock: FakeClock) -> None:
    """Is a key that comes due in its worker's hands given out again, and only afterwards?"""
    queue.add("a")
    assert await queue.get() == "a"
    queue.add_after("a", 5)
    await clock.advance(5)
    other = asyncio.ensure_future(queue.get())
    await FakeClock.settle()
    assert not other.done()
    queue.done("a")
    assert await other == "a"
    queue.done("a")


async def test_failures_come_slower_and_slower(queue: WorkQueue) -> None:
    """Does the delay grow with each failure, up to the cap, whatever else fails?"""
    delays = [queue.add_failed("a") for _ in range(11)]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert queue.add_failed("b") == 1


async def test_quiet_does_not_forget_failures(queue: WorkQueue, clock: FakeClock) -> None:
    """Does a key that fails again after an hour go on where it was?"""
    assert [queue.add_failed("a"), queue.add_failed("a")] == [1, 2]
    await clock.advance(3600)
    assert queue.add_failed("a") == 4


async def test_forget_begins_anew(queue: WorkQueue, clock: FakeClock) -> None:
    """Are failures forgotten, while what is delayed stays?"""
    for _ in range(5):
        queue.add_failed("a")
    queue.forget("a")
    assert queue.add_failed("a") == 1
    await clock.advance(1)
    assert await came(queue) == ["a"]


async def test_never_sooner_than_asked(queue: WorkQueue, clock: FakeClock) -> None:
    """Is a wait that the other side asked for longer than the backoff, if it is longer?"""
    assert queue.add_failed("a", 30) == 30
    await clock.advance(29)
    assert await came(queue) == []
    await clock.advance(1)
    assert await came(queue) == ["a"]


async def test_keys_that_failed_together_come_back_apart(clock: FakeClock) -> None:
    """Does the usual backoff spread keys?"""
    queue = WorkQueue(clock, Random(1), KEY_BACKOFF)
    delays = {queue.add_failed(str(number)) for number in range(20)}
    assert len(delays) == 20
    assert all(1.0 <= delay <= 1.5 for delay in delays)


async def test_one_sleeper_for_all_delays(queue: WorkQueue, clock: FakeClock) -> None:
    """Do a thousand delayed keys cost one timer?"""
    before = len(asyncio.all_tasks())
    for number in range(1000):
        queue.add_after(str(number), 60 + number)
    await FakeClock.settle()
    assert clock.sleepers == 1
    assert len(asyncio.all_tasks()) - before <= 2  # what one wait on the fake clock is made of
    await clock.advance(60)
    assert queue.depth == 1


async def test_the_end_ends_the_timer(clock: FakeClock) -> None:
    """Does the timer end with the queue, and bring nothing that was delayed?"""
    queue = WorkQueue(clock, Random(1))
    queue.add_after("a", 5)
    timer = asyncio.create_task(queue.run_timer())
    await FakeClock.settle()
    queue.shut_down()
    queue.add_after("b", 1)
    await timer
    await clock.advance(10)
    assert queue.depth == 0
