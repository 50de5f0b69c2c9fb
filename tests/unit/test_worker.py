"""Workers: what becomes of a key after each outcome of its reconcile.

Included: the mapping of failures, warnings, metrics, the end. Excluded: the queue itself
(test_workqueue*.py).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from loguru import logger

from controller.base.backoff import BackoffPolicy
from controller.base.errors import (
    Busy,
    Conflict,
    Forbidden,
    Garbled,
    LostReply,
    NotFound,
    Refused,
    TargetFault,
    Unavailable,
    WriteRefused,
)
from controller.engine.queue.work_queue import WorkQueue
from controller.engine.queue.worker import run_workers
from store.api import StoreForgot, StoreMisused, StoreUnavailable
from tests.fakes import FakeClock

PLAIN = BackoffPolicy(first=1.0, cap=300.0, jitter=0.0, reset_after=float("inf"))


@dataclass
class Shop:
    """A queue with two workers, whose reconcile does what `script` says for a key: returns a
    number or None, or raises. looks: (seconds since the start, key) of each reconcile.
    """

    clock: FakeClock
    queue: WorkQueue
    script: dict[str, float | BaseException | None] = field(default_factory=dict)
    looks: list[tuple[float, str]] = field(default_factory=list)
    outcomes: list[tuple[str, str, float]] = field(default_factory=list)
    takes: float = 0.0
    broken_metrics: bool = False

    async def reconcile(self, key: str) -> float | None:
        self.looks.append((self.clock.monotonic() - 1000.0, key))
        if self.takes:
            await self.clock.sleep(self.takes)
        result = self.script.get(key)
        if isinstance(result, BaseException):
            raise result
        return result

    def on_result(self, key: str, outcome: str, seconds: float) -> None:
        self.outcomes.append((key, outcome, seconds))
        if self.broken_metrics:
            raise ZeroDivisionError

    def start(self, count: int = 2) -> asyncio.Task[None]:
        return asyncio.create_task(
            run_workers(
                self.queue, self.reconcile, self.clock, count=count, on_result=self.on_result
            )
        )

    async def times(self, key: str, seconds: float) -> list[float]:
        """When the key was looked at, after so many more seconds."""
        await self.clock.advance(seconds)
        return [at for at, looked in self.looks if looked == key]


@pytest.fixture
def idle() -> Shop:
    """A shop without workers."""
    clock = FakeClock()
    return Shop(clock, WorkQueue(clock, Random(1), PLAIN))


@pytest.fixture
async def shop(idle: Shop) -> AsyncIterator[Shop]:
    workers = idle.start()
    yield idle
    idle.queue.shut_down()
    await workers


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    """What is logged: level, message, and the values bound."""
    seen: list[dict[str, object]] = []

    def write(message: object) -> None:
        record = message.record  # type: ignore[attr-defined]
        seen.append(
            {"level": record["level"].name, "message": record["message"]}
            | record["extra"]
            | {"trace": record["exception"] is not None}
        )

    number = logger.add(write, level="INFO", format="{message}")
    yield seen
    logger.remove(number)


async def test_success_without_a_wish_is_left_alone(shop: Shop) -> None:
    """Is a key that wants nothing looked at only when something changes?"""
    shop.queue.add("a")
    assert await shop.times("a", 10_000) == [0]
    shop.queue.add("a")
    assert await shop.times("a", 10_000) == [0, 10_000]


async def test_success_comes_back_when_it_wants(shop: Shop) -> None:
    """Is a key looked at again after the seconds that its reconcile returned?"""
    shop.script["a"] = 30
    shop.queue.add("a")
    assert await shop.times("a", 90) == [0, 30, 60, 90]


async def test_at_once_for_ever_does_not_spin(shop: Shop) -> None:
    """Is a key that always wants to be looked at now held to ten times a second?"""
    shop.script["a"] = 0.0
    shop.queue.add("a")
    assert len(await shop.times("a", 1.05)) == 11


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (Unavailable("down"), "unavailable"),
        (LostReply("sent"), "unavailable"),
        (Garbled("html"), "garbled"),
        (Conflict("changed"), "conflict"),
        (NotFound("gone"), "not_found"),
        (StoreUnavailable("down"), "store"),
        (StoreForgot("empty"), "store"),
        (Busy("wait"), "busy"),
        (ZeroDivisionError(), "bug"),
        (TargetFault("NoSuchContainer", "escaped"), "bug"),
    ],
)
async def test_trouble_is_tried_again(shop: Shop, error: Exception, word: str) -> None:
    """Is each kind of passing trouble tried again, slower and slower, and counted by its word?"""
    shop.script["a"] = error
    shop.queue.add("a")
    assert await shop.times("a", 15) == [0, 1, 3, 7, 15]
    assert [outcome for _, outcome, _ in shop.outcomes] == [word] * 5


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (Refused("no"), "refused"),
        (Forbidden("no right to patch"), "refused"),
        (StoreMisused("newer schema"), "store_misused"),
    ],
)
async def test_what_a_person_must_mend_is_tried_slowly(
    shop: Shop, error: Exception, word: str
) -> None:
    """Is what waiting does not mend asked at most once a minute?"""
    shop.script["a"] = error
    shop.queue.add("a")
    assert await shop.times("a", 180) == [0, 60, 120, 180]
    assert shop.outcomes[0][1] == word


async def test_busy_is_never_asked_sooner(shop: Shop) -> None:
    """Does a wait that the other side asked for stand against a shorter backoff?"""
    shop.script["a"] = Busy("wait", 45.0)
    shop.queue.add("a")
    assert await shop.times("a", 90) == [0, 45, 90]


async def test_success_forgets_failures(shop: Shop) -> None:
    """Does a key that worked once begin its backoff anew?"""
    shop.script["a"] = Unavailable("down")
    shop.queue.add("a")
    await shop.clock.advance(7)
    shop.script["a"] = None
    await shop.clock.advance(8)
    shop.script["a"] = Unavailable("down")
    shop.queue.add("a")
    assert (await shop.times("a", 1))[-2:] == [15, 16]


async def test_a_bug_stops_nobody_else(shop: Shop, lines: list[dict[str, object]]) -> None:
    """Do the other keys go on, and is the bug logged with its trace?"""
    shop.script = {"a": ZeroDivisionError(), "b": ZeroDivisionError(), "c": 10}
    for key in "abc":
        shop.queue.add(key)
    assert await shop.times("c", 30) == [0, 10, 20, 30]
    assert {(line["level"], line["trace"]) for line in lines} == {("ERROR", True)}


async def test_a_refused_write_is_looked_at_when_it_is_due(
    shop: Shop, lines: list[dict[str, object]]
) -> None:
    """Is the key taken up when its write may be sent again, however often it failed; and warned of
    once while what the server says differs in its figures alone?
    """
    for port in range(40000, 40009):
        shop.script["a"] = WriteRefused(f"dial tcp 10.0.0.1:{port}: refused", again_in=300.0)
        shop.queue.add("a")
        await shop.clock.advance(1)
    seen = len(shop.looks)
    await shop.clock.advance(295)
    assert len(shop.looks) > seen
    assert sum(line["message"] == "reconcile failed" for line in lines) == 1


async def test_one_warning_for_one_sentence(shop: Shop, lines: list[dict[str, object]]) -> None:
    """Is repeated trouble warned of once, changed trouble again, and its end told?"""
    shop.script["a"] = Refused("no such repository")
    shop.queue.add("a")
    await shop.clock.advance(200)
    shop.script["a"] = Refused("no\x1b[31m access")
    await shop.clock.advance(200)
    shop.script["a"] = None
    await shop.clock.advance(200)
    assert [(line["level"], line["key"], line.get("error")) for line in lines] == [
        ("WARNING", "a", "no such repository"),
        ("WARNING", "a", "no [31m access"),
        ("INFO", "a", None),
    ]


async def test_a_conflict_is_no_news(shop: Shop, lines: list[dict[str, object]]) -> None:
    """Is a lost race, which only means reading again, kept out of the log?"""
    shop.script["a"] = Conflict("changed")
    shop.queue.add("a")
    await shop.clock.advance(3)
    assert lines == []


async def test_metrics_are_told_how_long_it_took(shop: Shop) -> None:
    """Are key, outcome and seconds handed on?"""
    shop.takes = 2.5
    shop.queue.add("a")
    await shop.clock.advance(3)
    assert shop.outcomes == [("a", "success", 2.5)]


async def test_broken_metrics_cost_no_worker(shop: Shop, lines: list[dict[str, object]]) -> None:
    """Do keys go on when the hook for metrics raises?"""
    shop.broken_metrics = True
    shop.script["a"] = 10
    shop.queue.add("a")
    assert await shop.times("a", 20) == [0, 10, 20]
    assert lines[0]["message"] == "result hook failed"


async def test_so_many_keys_at_once_as_workers(shop: Shop) -> None:
    """Do two workers take two keys at a time, and never one key together?"""
    shop.takes = 10
    for key in "abca":
        shop.queue.add(key)
    await shop.clock.advance(5)
    shop.queue.add("a")
    await shop.clock.advance(30)
    assert shop.looks == [(0, "a"), (0, "b"), (10, "c"), (10, "a")]


async def test_a_long_queue_leaves_others_their_turn(idle: Shop) -> None:
    """Do other tasks run between keys whose reconcile waits for nothing?"""
    for number in range(100):
        idle.queue.add(str(number))
    left = []

    async def other() -> None:
        while idle.queue.depth:
            left.append(idle.queue.depth)
            await asyncio.sleep(0)

    workers = idle.start()
    await other()
    assert len(left) >= 49  # two workers, a key each in between
    idle.queue.shut_down()
    await workers


async def test_the_end_lets_keys_be_finished(idle: Shop) -> None:
    """Do workers, when the queue is shut down, finish what they have and begin nothing?"""
    workers = idle.start(count=1)
    idle.takes = 10
    idle.queue.add("a")
    idle.queue.add("b")
    await idle.clock.advance(5)
    idle.queue.shut_down()
    await idle.clock.settle()
    assert not workers.done()
    await idle.clock.advance(5)
    assert workers.done()
    assert idle.outcomes == [("a", "success", 10)]


async def test_cancelled_in_the_middle_passes_and_is_not_lost(idle: Shop) -> None:
    """Does a cancellation pass, and is the key that was cut short waiting for others?"""
    workers = idle.start(count=1)
    idle.takes = 10
    idle.queue.add("a")
    await idle.clock.advance(5)
    workers.cancel()
    with pytest.raises(asyncio.CancelledError):
        await workers
    assert idle.queue.depth == 1
    assert await idle.queue.get() == "a"
    assert idle.outcomes == []
