"""Supervised tasks: an eternal loop that ends is started again, and all can be stopped."""

import asyncio
from random import Random
from typing import Any

from controller.base.tasks import stop_all, supervise
from tests.fakes import FakeClock


async def test_a_loop_that_fails_is_started_again(lines: list[dict[str, Any]]) -> None:
    """Is a bug in a loop logged with its trace, and the loop begun anew after a growing wait?"""
    clock = FakeClock()
    starts: list[float] = []

    async def loop() -> None:
        starts.append(clock.monotonic() - 1000.0)
        if len(starts) < 3:
            raise KeyError("bug")
        await asyncio.Event().wait()

    task = asyncio.create_task(supervise("poller", loop, clock, Random(1)))
    await clock.advance(30.0)
    await stop_all([task])
    assert len(starts) == 3
    assert 1.0 <= starts[1] <= 2.0  # a second and its jitter
    assert 2.0 <= starts[2] - starts[1] <= 4.0
    assert [line["message"] for line in lines] == ["task failed", "task failed"]
    assert lines[0]["error"]["kind"] == "KeyError"
    assert lines[0]["bootstrap"]["task"] == "poller"


async def test_a_loop_that_ends_is_a_failure_too(lines: list[dict[str, Any]]) -> None:
    """Is a loop that should never end, and does, told and started again?"""
    clock = FakeClock()
    starts: list[float] = []

    async def loop() -> None:
        starts.append(clock.monotonic())

    task = asyncio.create_task(supervise("worker", loop, clock, Random(1)))
    await clock.advance(2.5)
    await stop_all([task])
    assert len(starts) == 2
    assert {line["message"] for line in lines} == {"task has finished unexpectedly"}


async def test_a_loop_that_always_fails_does_not_spin(lines: list[dict[str, Any]]) -> None:
    """In an hour of failures, are there only as many starts as the longest wait allows?"""
    clock = FakeClock()
    starts = 0

    async def loop() -> None:
        nonlocal starts
        starts += 1
        raise KeyError("bug")

    task = asyncio.create_task(supervise("watch", loop, clock, Random(1)))
    await clock.advance(3600.0)
    await stop_all([task])
    assert 20 <= starts <= 3600 / 60 + 10


async def test_cancelling_ends_it_at_once(lines: list[dict[str, Any]]) -> None:
    """Does a loop that is told to stop stop, without being logged or started again?"""
    clock = FakeClock()
    cleaned = False

    async def loop() -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            cleaned = True

    task = asyncio.create_task(supervise("watch", loop, clock, Random(1)))
    await clock.settle()
    await stop_all([task])
    assert task.cancelled()
    assert cleaned
    assert lines == []


async def test_what_fails_while_stopping_is_logged_and_holds_nobody_up(
    lines: list[dict[str, Any]],
) -> None:
    """If one task cannot stop cleanly, are the others stopped all the same?"""

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("cannot stop") from None

    tasks = [
        asyncio.create_task(stubborn(), name="stubborn"),
        asyncio.create_task(stubborn(), name="too"),
        asyncio.create_task(asyncio.Event().wait(), name="tidy"),  # type: ignore[arg-type]
    ]
    await FakeClock.settle()
    await stop_all(tasks)  # type: ignore[arg-type]
    assert all(task.done() for task in tasks)
    assert [(line["message"], line["bootstrap"]["task"]) for line in lines] == [
        ("task failed to stop", "stubborn"),
        ("task failed to stop", "too"),
    ]
