"""Supervised tasks: each has a name, an eternal one that ends is a failure, none is forgotten."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock

Work = Callable[[], Coroutine[Any, Any, None]]

# A loop that fails by a mistake of ours is started again slowly: it may heal, it must not spin.
RESTART = BackoffPolicy(first=1.0, cap=60.0)


async def supervise(name: str, work: Work, clock: Clock, random: Random) -> None:
    """Runs an eternal loop for ever: what it raises, and its ending, is logged, and it is started
    again after a backoff. Known trouble is handled inside the loops; what arrives here is a bug.
    """
    backoff = Backoff(RESTART, clock, random)
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 the last resort of every loop: logged with its trace
            delay = backoff.next_delay()
            logger.bind(task=name, delay_seconds=round(delay, 1)).exception("task failed")
        else:
            delay = backoff.next_delay()
            logger.bind(task=name, delay_seconds=round(delay, 1)).error(
                "task has finished unexpectedly"
            )
        await clock.sleep(delay)


async def stop_all(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels and waits; what a task raises on its way out is logged, not raised."""
    for task in tasks:
        task.cancel()
    for outcome, task in zip(
        await asyncio.gather(*tasks, return_exceptions=True), tasks, strict=True
    ):
        if isinstance(outcome, Exception):
            logger.bind(task=task.get_name()).opt(exception=outcome).error("task failed to stop")
