"""Workers: keys from the queue to `reconcile`, and what came of it back to the queue.

The one place where the failures of a reconcile become queue operations; a reconcile only raises.
What each class of failure means is in `base.errors`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import (
    Busy,
    Conflict,
    Garbled,
    NotFound,
    Refused,
    Trouble,
    Unsettled,
    WriteRefused,
)
from controller.base.said_once import SaidOnce
from controller.base.text import shown, without_figures
from controller.engine.queue.work_queue import Closed, WorkQueue
from store.api import StoreError, StoreMisused

# Seconds until the key wants to be looked at again; None: only when something changes.
Reconcile = Callable[[str], Awaitable[float | None]]
# Key, result (the word of a FailureResponse, or SUCCESS), seconds that the reconcile took.
OnResult = Callable[[str, str, float], None]

SUCCESS = "success"
BUG = "bug"

# Seconds. What a person must mend is not mended in the first seconds, and asking is not free.
SLOW = 60.0
# Seconds. A look that is due "at once", again and again, is a mistake; it must not spin.
SOONEST = 0.1


@dataclass(frozen=True)
class FailureResponse:
    """What a failure means here."""

    word: str  # for metrics, one of few
    at_least: float | None = None  # seconds to leave the key alone; None: as its backoff has it
    again_in: float | None = None  # seconds until it is looked at in any case; None: by its backoff
    told: bool = True  # people hear of it; not of what happens in a day's work


def response_to(error: Exception) -> FailureResponse:  # noqa: C901 a row for each class
    """The whole mapping; every one of them is tried again with backoff."""
    match error:
        case Busy():
            return FailureResponse("busy", error.retry_after)
        case Conflict():
            return FailureResponse("conflict", told=False)  # somebody else wrote first: read again
        case NotFound():
            return FailureResponse("not_found", told=False)  # gone since the cache saw it
        case Garbled():
            return FailureResponse("garbled")
        case WriteRefused():
            return FailureResponse("write_refused", error.again_in, again_in=error.again_in)
        case Refused():
            return FailureResponse("refused", SLOW)
        case Unsettled():
            return FailureResponse("unsettled", SLOW)
        case Trouble():  # Unavailable, LostReply, and any leaf that is yet to come
            return FailureResponse("unavailable")
        case StoreMisused():
            return FailureResponse("store_misused", SLOW)
        case StoreError():
            return FailureResponse(
                "store", told=False
            )  # the engine tells of the store, once for all keys
        case _:
            return FailureResponse(BUG)


async def run_workers(
    queue: WorkQueue,
    reconcile: Reconcile,
    clock: Clock,
    *,
    count: int,
    on_result: OnResult | None = None,
) -> None:
    """The queue's timer and so many workers, until the queue is shut down and each worker has
    finished its key. Cancelled, it leaves keys in the middle.
    """
    said = SaidOnce[str]()
    async with asyncio.TaskGroup() as group:
        group.create_task(queue.run_timer(), name="work queue timer")
        for number in range(count):
            group.create_task(
                run_worker(queue, reconcile, clock, on_result=on_result, said=said),
                name=f"worker {number}",
            )


async def run_worker(
    queue: WorkQueue,
    reconcile: Reconcile,
    clock: Clock,
    *,
    said: SaidOnce[str],
    on_result: OnResult | None = None,
) -> None:
    """One worker, until the queue is shut down. No failure of a key ends it.

    said: the sentence last told of each failing key, shared by the workers of a queue, so that a
    failure that repeats itself is one warning.
    """
    while True:
        try:
            key = await queue.get()
        except Closed:
            return
        started = clock.monotonic()
        try:
            word = await _process(queue, reconcile, key, said)
        except asyncio.CancelledError:
            queue.add(key)  # cut short in the middle: whoever works on has it before him
            raise
        finally:
            queue.done(key)
        if on_result is not None:
            _report(on_result, key, word, clock.monotonic() - started)
        # A reconcile in which nothing changed waits for nothing: without this a worker would hold
        # the loop for as many of them as there are, seconds for thousands.
        await clock.sleep(0)


async def _process(queue: WorkQueue, reconcile: Reconcile, key: str, said: SaidOnce[str]) -> str:
    try:
        again = await reconcile(key)
    except Exception as error:  # noqa: BLE001 a bug on one key must stop nobody else
        response = response_to(error)
        delay = queue.add_failed(key, response.at_least)
        if response.again_in is not None:
            queue.add_after(key, response.again_in)
            delay = min(delay, response.again_in)
        _tell(key, error, response, delay, said)
        return response.word
    queue.forget(key)
    if said.end(key) is not None:
        logger.bind(key=key).info("reconcile works again")
    if again is not None:
        queue.add_after(key, max(again, SOONEST))
    return SUCCESS


def _tell(
    key: str, error: Exception, response: FailureResponse, delay: float, said: SaidOnce[str]
) -> None:
    log = logger.bind(key=key, outcome=response.word, delay_seconds=round(delay, 1))
    if response.word == BUG:
        said.begin(key, BUG)  # each one is told, with its trace
        log.opt(exception=error).error("reconcile failed by a mistake of this program")
        return
    sentence = shown(error, 500)  # what a server says of a refusal is long
    if not response.told or not said.begin(key, without_figures(sentence)):
        log.bind(error=sentence).debug("reconcile failed")
        return
    log.bind(error=sentence).warning("reconcile failed")


def failed(word: str) -> bool:
    """Whether what `on_result` is told is a failure. A conflict is none: somebody wrote first."""
    return word not in {SUCCESS, "conflict"}


def _report(on_result: OnResult, key: str, word: str, seconds: float) -> None:
    try:
        on_result(key, word, seconds)
    except Exception:  # noqa: BLE001 a metric that fails must not cost a worker
        logger.bind(key=key).exception("result hook failed")
