"""The work queue: which key is given to whom, and when.

Included: order, duplicates, one worker a key, ages, the end. Excluded: delays and failures
(test_workqueue_delays.py), what workers make of outcomes (test_worker.py).
"""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.engine.queue.work_queue import Closed, WorkQueue
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue:
    return WorkQueue(clock, Random(1))


async def drain(queue: WorkQueue) -> list[str]:
    keys = []
    while queue.depth:
        keys.append(await queue.get())
        queue.done(keys[-1])
    return keys


async def test_first_in_first_out(queue: WorkQueue) -> None:
    """Are keys given out in the order in which they came?"""
    for key in "bca":
        queue.add(key)
    assert await drain(queue) == ["b", "c", "a"]


async def test_many_adds_are_one(queue: WorkQueue) -> None:
    """Is a key that was added many times processed once, in its first place?"""
    for key in "abaab":
        queue.add(key)
    assert queue.depth == 2
    assert await drain(queue) == ["a", "b"]


async def test_one_worker_a_key(queue: WorkQueue) -> None:
    """Is a key that is added while it is processed kept from everybody else until then?"""
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    other = asyncio.ensure_future(queue.get())
    await FakeClock.settle()
    assert not other.done()
    queue.done("a")
    assert await other == "a"


async def test_added_while_processed_goes_to_the_back(queue: WorkQueue) -> None:
    """Does a key that keeps coming back let the others pass?"""
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("b")
    queue.done("a")
    assert await drain(queue) == ["b", "a"]


async def test_done_alone_brings_nothing_back(queue: WorkQueue) -> None:
    """Is a key that nobody added again gone after `done`?"""
    queue.add("a")
    queue.done(await queue.get())
    assert queue.depth == 0


async def test_done_of_what_nobody_has_is_a_mistake(queue: WorkQueue) -> None:
    """Is a `done` without its `get` noticed?"""
    with pytest.raises(KeyError):
        queue.done("a")


async def test_each_waiting_worker_gets_a_key(queue: WorkQueue) -> None:
    """Do idle workers wake for keys that come later, each for its own?"""
    workers = [asyncio.ensure_future(queue.get()) for _ in range(3)]
    await FakeClock.settle()
    for key in "abc":
        queue.add(key)
    assert sorted(await asyncio.gather(*workers)) == ["a", "b", "c"]


async def test_a_cancelled_worker_takes_no_key_with_it(queue: WorkQueue) -> None:
    """Is a key given to somebody else when the worker that woke for it is cancelled?"""
    first, second = (asyncio.ensure_future(queue.get()) for _ in range(2))
    await FakeClock.settle()
    queue.add("a")
    first.cancel()
    assert await second == "a"


async def test_age_is_that_of_the_oldest(queue: WorkQueue, clock: FakeClock) -> None:
    """Do depth and age tell how long a key waits, also for the worker that has it?"""
    assert (queue.depth, queue.oldest_age()) == (0, 0.0)
    queue.add("a")
    await clock.advance(3)
    queue.add("b")
    queue.add("a")
    await clock.advance(2)
    assert (queue.depth, queue.oldest_age()) == (2, 5.0)
    assert await queue.get() == "a"
    assert (queue.depth, queue.oldest_age()) == (1, 2.0)
    queue.add("a")
    assert await queue.get() == "b"
    await clock.advance(7)
    assert (queue.depth, queue.oldest_age()) == (1, 7.0)


async def test_the_end_reaches_everybody(queue: WorkQueue) -> None:
    """Do those who wait and those who come later learn that the queue is shut down?"""
    waiting = asyncio.ensure_future(queue.get())
    await FakeClock.settle()
    queue.shut_down()
    with pytest.raises(Closed):
        await waiting
    with pytest.raises(Closed):
        await queue.get()


async def test_after_the_end_keys_are_finished_not_begun(queue: WorkQueue) -> None:
    """May a worker finish its key after the end, while no other key is begun?"""
    queue.add("a")
    queue.add("b")
    key = await queue.get()
    queue.add(key)
    queue.shut_down()
    queue.add("c")
    queue.done(key)
    assert queue.depth == 0
    with pytest.raises(Closed):
        await queue.get()


@given(st.lists(st.tuples(st.sampled_from(["add", "get", "done"]), st.sampled_from("abc"))))
def test_nothing_is_lost_or_given_twice(steps: list[tuple[str, str]]) -> None:
    """Whatever is called in whatever order, is each add followed by a get of its own worker?"""

    async def play() -> None:
        queue = WorkQueue(FakeClock(), Random(1))
        owed: set[str] = set()  # added, and not given out since
        held: list[str] = []
        for step, key in steps:
            if step == "add":
                queue.add(key)
                owed.add(key)
            elif step == "get" and owed - set(held):
                got = await queue.get()
                assert got in owed
                assert got not in held
                owed.remove(got)
                held.append(got)
            elif step == "done" and held:
                queue.done(held.pop(0))
            assert queue.depth == len(owed)
        while held:
            queue.done(held.pop())
        assert sorted(await drain(queue)) == sorted(owed)

    asyncio.run(play())
