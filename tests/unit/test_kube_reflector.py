"""List, watch, and what follows each way in which they fail.

Included: the three loops, against a scripted offer in memory. Excluded: HTTP
(tests/functional/test_kube_watch.py), decoding (test_kube_stream.py).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from loguru import logger

from controller.base.backoff import BackoffPolicy
from controller.base.errors import Busy, Forbidden, Garbled, Unavailable
from controller.base.http_errors import NotConnected
from controller.domain.objects import Deployment
from controller.kube.api.errors import Expired, Status
from controller.kube.watch.cache import Cache, Change
from controller.kube.watch.decoding import (
    Bookmark,
    Changed,
    Deleted,
    Failure,
    ObjectDecoder,
    Unreadable,
    WatchEvent,
)
from controller.kube.watch.informer import Informer
from controller.kube.watch.listing import Listing
from controller.kube.watch.reflector import ReflectorTimes
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.objects import as_deployment, deployment, recorded_stream

EXPIRED = Failure(Status(code=410, reason="Expired", message="too old resource version"))
BROKEN = Failure(Status(code=500, reason="InternalError", message="etcd"))
QUIET = BackoffPolicy(first=0.8, cap=30.0, jitter=0.0)

Step = Any  # a batch of events, an exception, or a call between two of them


class Script:
    """An offer that answers as written. lists: answers of `listing`, the last for ever. watches:
    what each watch does; after them it stands and says nothing.

    asked: `list`, and `watch from VERSION`, in order.
    """

    def __init__(self, lists: list[Listing[Deployment] | Exception], *watches: list[Step]) -> None:
        self.plural = "deployments"
        self.namespace = "bootstrap"
        self.asked: list[str] = []
        self.timeouts: list[float] = []
        self.finished = asyncio.Event()
        self._lists = lists
        self._watches = list(watches)

    async def listing(self) -> Listing[Deployment]:
        self.asked.append("list")
        answer = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def watch(
        self, resource_version: str, timeout: float
    ) -> AsyncGenerator[list[WatchEvent[Deployment]], None]:
        self.asked.append(f"watch from {resource_version}")
        self.timeouts.append(timeout)
        if not self._watches:
            yield []
            self.finished.set()
            await asyncio.get_running_loop().create_future()
        steps = self._watches.pop(0)
        if not steps or not isinstance(steps[0], Exception):
            yield []
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
            else:
                yield step


def changed(name: str = "fuji", version: str = "1", **changes: Any) -> Changed[Deployment]:
    return Changed(as_deployment(deployment(name, version, **changes)), version)


def name_in(change: Change[Deployment]) -> str:
    found = change.after or change.before
    assert found is not None
    return found.metadata.name


def listed(*names: str, version: str = "10") -> Listing[Deployment]:
    return Listing([as_deployment(deployment(name)) for name in names], version)


@asynccontextmanager
async def informed(
    script: Script, clock: InstantClock, times: ReflectorTimes | None = None
) -> AsyncIterator[Informer[Deployment]]:
    """An informer that runs until the block ends."""
    informer = Informer(script, Cache[Deployment](), clock, Random(1), times, QUIET)
    task = asyncio.create_task(informer.run())
    try:
        yield informer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def played(
    script: Script, clock: InstantClock, times: ReflectorTimes | None = None
) -> Informer[Deployment]:
    """An informer after the script has been played to its end."""
    async with informed(script, clock, times) as informer:
        await script.finished.wait()
        await asyncio.sleep(0)
        return informer


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


def minutes(clock: InstantClock, count: float = 5) -> Callable[[], None]:
    """A step: time passes."""
    return lambda: clock.move(60 * count)


async def test_a_watch_begins_where_the_list_ends(clock: InstantClock) -> None:
    """Nothing between list and watch is lost."""
    script = Script([listed("fuji", version="42")])

    informer = await played(script, clock)

    assert script.asked == ["list", "watch from 42"]
    assert informer.synced
    assert informer.cache.keys() == ["bootstrap/fuji"]


async def test_after_a_clean_end_the_watch_goes_on_where_it_was(clock: InstantClock) -> None:
    """A server ends every watch: no list, no waiting, from the last event or bookmark."""
    script = Script(
        [listed()],
        [[changed(version="11")], minutes(clock)],
        [[Bookmark("15")], minutes(clock)],
    )

    await played(script, clock)

    assert script.asked == ["list", "watch from 10", "watch from 11", "watch from 15"]
    assert clock.slept == []


@pytest.mark.parametrize(
    "end", [[[EXPIRED]], [Expired("410")], [[changed(version="11")], [EXPIRED]]]
)
async def test_both_shapes_of_410_lead_to_a_new_list(clock: InstantClock, end: list[Step]) -> None:
    """Watching again from a position that expired can never succeed."""
    script = Script([listed("fuji"), listed("main", version="90")], end)

    informer = await played(script, clock)

    assert script.asked == ["list", "watch from 10", "list", "watch from 90"]
    assert informer.cache.keys() == ["bootstrap/main"]
    assert len(clock.slept) == 1
    assert informer.troubles() == []


async def test_another_error_event_keeps_the_position_and_waits(clock: InstantClock) -> None:
    """A passing fault of the server costs no list."""
    script = Script([listed()], [[changed(version="11")], [BROKEN]])

    await played(script, clock)

    assert script.asked == ["list", "watch from 10", "watch from 11"]
    assert clock.slept == [0.8]


@pytest.mark.parametrize(
    "failure", [[[BROKEN]], [Unavailable("502")], [Garbled("<html>")], [Unavailable("silent")]]
)
async def test_failures_in_a_row_lead_to_a_new_list(
    clock: InstantClock, failure: list[Step]
) -> None:
    """A position from which nothing ever comes is doubted in the end."""
    script = Script([listed(), listed(version="90")], failure, failure, failure)

    await played(script, clock)

    assert script.asked == ["list", *["watch from 10"] * 3, "list", "watch from 90"]
    assert clock.slept == [0.8, 1.6, 3.2]


@pytest.mark.parametrize("failure", [NotConnected("refused"), Busy("429")])
async def test_a_server_that_is_away_or_busy_costs_no_list(
    clock: InstantClock, failure: Exception
) -> None:
    """However long it lasts, the position is as good as it was: no thundering lists."""
    script = Script([listed()], *[[failure]] * 8)

    await played(script, clock)

    assert script.asked == ["list", *["watch from 10"] * 9]


async def test_a_server_is_not_asked_sooner_than_it_said(clock: InstantClock) -> None:
    """Retry-After is a minimum."""
    script = Script([Busy("429", 17.0), listed()], [Busy("429", 23.0)])

    await played(script, clock)

    assert clock.slept == [17.0, 23.0]


async def test_a_very_short_watch_is_a_failure(clock: InstantClock) -> None:
    """A server that ends every watch at once, with or without events, is not asked in a hot
    loop.
    """
    script = Script([listed()], [], [[Bookmark("11")]], [[Bookmark("12")]], [[Bookmark("13")]])

    await played(script, clock)

    assert clock.slept == [0.8, 1.6, 3.2, 6.4]
    assert script.asked[-1] == "watch from 13"


async def test_a_list_comes_every_twenty_minutes(clock: InstantClock) -> None:
    """Whatever was missed is found; and what came between list and watch is not lost."""
    watch = [[Bookmark("10")], minutes(clock, 1)]
    script = Script([listed("fuji"), listed("main", version="70")], *[watch] * 40)

    informer = await played(script, clock)

    second = script.asked.index("list", 1)
    assert 16 <= second <= 25  # watches of a minute each: twenty minutes, give or take a fifth
    assert script.asked[second + 1] == "watch from 70"
    assert informer.cache.keys() == ["bootstrap/main"]


@pytest.mark.parametrize("end", [[], [Unavailable("silent for 90 seconds")]])
async def test_a_position_that_is_silent_for_five_minutes_is_doubted(
    clock: InstantClock, end: list[Step]
) -> None:
    """Is a watch from a version of the future, accepted and silent for ever, as of a server whose
    memory was put back, ended by a list, long before the next one is due?
    """
    watch = [minutes(clock, 1.5), *end]
    script = Script([listed("fuji", version="99999999"), listed("main", version="7")], *[watch] * 4)

    informer = await played(script, clock)

    assert script.asked == ["list", *["watch from 99999999"] * 4, "list", "watch from 7"]
    assert informer.cache.keys() == ["bootstrap/main"]
    assert clock.slept == []


@pytest.mark.parametrize("events", [[], [[Bookmark("11")]], [[changed(version="11")]]])
async def test_a_good_watch_that_is_cut_is_taken_anew_at_once_and_without_a_word(
    clock: InstantClock, events: list[Step]
) -> None:
    """Is a load balancer that cuts each idle watch, with events before it or without, no trouble:
    no growing delay, no warning, and the cache known to be right all the while?
    """
    cut = [*events, minutes(clock, 1), Unavailable("the connection was closed")]
    script = Script([listed()], *[cut] * 30)
    said: list[str] = []
    ear = logger.add(lambda line: said.append(str(line)), level="INFO")
    try:
        informer = await played(script, clock)
    finally:
        logger.remove(ear)

    assert clock.slept == []
    assert said == []
    assert informer.troubles() == []
    assert informer.keeps_up()


async def test_a_failure_after_a_good_watch_is_the_first(clock: InstantClock) -> None:
    """Is the server asked again as soon after each good watch, whatever was before it?"""
    refused = [NotConnected("refused")]
    good = [minutes(clock, 1), Unavailable("cut")]
    script = Script([listed()], refused, refused, refused, good, refused, refused)

    await played(script, clock)

    assert clock.slept == [0.8, 1.6, 3.2, 0.8, 1.6]


async def test_a_watch_that_breaks_soon_is_no_good_one(clock: InstantClock) -> None:
    """Do delays grow where each watch stands for a few seconds only?"""
    broken = [minutes(clock, 0.1), Unavailable("cut")]
    script = Script([listed()], broken, broken)

    await played(script, clock)

    assert clock.slept == [0.8, 1.6]


async def test_a_server_that_is_busy_is_obeyed_after_a_good_watch_too(clock: InstantClock) -> None:
    """Does an ERROR event that asks us to wait count, however long its watch stood?"""
    script = Script([listed()], [minutes(clock, 1), Busy("429", 17.0)])

    await played(script, clock)

    assert clock.slept == [17.0]


async def test_a_list_that_is_asked_for_comes_at_once(clock: InstantClock) -> None:
    """Is a silent watch left for it, and is whoever asked answered when the cache is of now?"""
    script = Script([listed("fuji", version="99"), listed("main", version="7")])
    async with informed(script, clock) as informer:
        await script.finished.wait()
        clock.move(60)
        before = clock.monotonic()
        await informer.relist()
        assert informer.cache.keys() == ["bootstrap/main"]
        assert informer.listed == before
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert script.asked == ["list", "watch from 99", "list", "watch from 7"]


async def test_whoever_asks_for_a_list_hears_why_there_is_none(clock: InstantClock) -> None:
    """Is its trouble theirs who asked, each of them, and the reflector's, which goes on?"""
    script = Script([listed("fuji"), Forbidden("not allowed to list"), listed("main")])
    async with informed(script, clock) as informer:
        await script.finished.wait()
        answers = await asyncio.gather(informer.relist(), informer.relist(), return_exceptions=True)
        assert [str(each) for each in answers] == ["not allowed to list"] * 2
        await informer.relist()
        assert informer.cache.keys() == ["bootstrap/main"]


async def test_watches_last_five_to_ten_minutes_and_not_past_the_next_list(
    clock: InstantClock,
) -> None:
    """So that not all watches of all controllers end in the same second."""
    script = Script([listed()], *[[minutes(clock, 5)] for _ in range(20)])

    await played(script, clock)

    assert all(timeout <= 600 for timeout in script.timeouts)
    assert len(set(script.timeouts)) > 10


async def test_missing_rights_are_said_and_asked_for_slowly(clock: InstantClock) -> None:
    """It goes on when a person has given them, and says until then which one is missing."""
    sentence = "not allowed to list deployments.apps in namespace bootstrap"
    script = Script([Forbidden(sentence), Forbidden(sentence), listed()])
    informer = Informer(script, Cache[Deployment](), clock, Random(1), None, QUIET)
    heard: list[list[str]] = []
    clock_sleep = clock.sleep

    async def sleep(seconds: float) -> None:
        heard.append(informer.troubles())
        await clock_sleep(seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    task = asyncio.create_task(informer.run())
    await script.finished.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert clock.slept == [30.0, 30.0]
    assert heard == [[sentence], [sentence]]
    assert informer.troubles() == []


async def test_a_replica_is_known_to_be_right_only_while_its_watch_is_heard(
    clock: InstantClock,
) -> None:
    """Not before the first list, not while list or watch fails, and not in silence: what it shows
    may be old.
    """
    informers: list[Informer[Deployment]] = []
    heard: list[tuple[str, bool]] = []

    def note(what: str) -> Callable[[], None]:
        return lambda: heard.append((what, informers[0].keeps_up()))

    script = Script(
        [Unavailable("away"), listed()],
        [
            note("stands"),
            minutes(clock, 1.9),
            note("a moment ago"),
            minutes(clock, 0.2),
            note("silent"),
            [Bookmark("11")],
            note("bookmark"),
            Unavailable("cut"),  # a good one: nothing is wrong
        ],
        [Unavailable("broken")],
        [Unavailable("broken")],
        [note("again")],
    )
    async with informed(script, clock) as informer:
        informers.append(informer)
        note("not listed")()
        sleep = clock.sleep

        async def sleeps(seconds: float) -> None:
            note("in trouble")()
            await sleep(seconds)

        clock.sleep = sleeps  # type: ignore[method-assign]
        await script.finished.wait()

    assert heard[:2] == [("not listed", False), ("in trouble", False)]
    assert heard[2:-2] == [
        ("stands", True),
        ("a moment ago", True),
        ("silent", False),
        ("bookmark", True),
        ("in trouble", False),
        ("in trouble", False),
    ]
    assert heard[-2] == ("again", True)


async def test_deletions_and_additions_reach_the_handlers(clock: InstantClock) -> None:
    """Handlers hear every change of the cache, each once."""
    script = Script(
        [listed("fuji")],
        [[changed("main", "11")], [Deleted("bootstrap/fuji", "uid-of-fuji", "12")], minutes(clock)],
    )
    informer = Informer(script, Cache[Deployment](), clock, Random(1), None, QUIET)
    heard: list[tuple[str, str]] = []
    informer.on_change(
        lambda change: heard.append(
            (
                "gone" if change.after is None else "here",
                name_in(change),
            )
        )
    )
    task = asyncio.create_task(informer.run())
    await script.finished.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert heard == [("here", "fuji"), ("here", "main"), ("gone", "fuji")]


async def test_an_unreadable_object_stops_nothing_and_is_named(clock: InstantClock) -> None:
    """The watch goes on past it; when it can be read again, it is no trouble any more."""
    odd = Unreadable("bootstrap/fuji", "11", "Expected int")
    script = Script([listed("fuji")], [[odd], [changed("main", "12")], minutes(clock)])

    informer = await played(script, clock)

    assert script.asked == ["list", "watch from 10", "watch from 12"]
    assert informer.cache.keys() == ["bootstrap/fuji", "bootstrap/main"]
    assert informer.troubles() == ["deployments bootstrap/fuji cannot be read: Expected int"]
    informer.apply(changed("fuji", "13"))
    assert informer.troubles() == []


async def test_an_unreadable_object_in_a_new_list_stays_as_it_was(clock: InstantClock) -> None:
    """It is there, so it is not told as deleted; one that the list does not have is."""
    odd = Unreadable("bootstrap/fuji", "90", "Expected int")
    script = Script([listed("fuji", "main"), Listing([], "90", [odd])], [[EXPIRED]])

    informer = await played(script, clock)

    assert informer.cache.keys() == ["bootstrap/fuji"]
    assert informer.troubles() == ["deployments bootstrap/fuji cannot be read: Expected int"]


async def test_the_cache_after_a_recorded_stream_is_the_last_of_each(clock: InstantClock) -> None:
    """However the stream is cut into watches, the end is the same as of one watch."""
    decoder = ObjectDecoder(Deployment)
    events = [decoder.event(line) for line in recorded_stream().splitlines()]
    last: dict[str, str] = {}
    for event in events:
        if isinstance(event, Changed):
            last[event.object.metadata.key] = event.resource_version
        elif isinstance(event, Deleted):
            last.pop(event.key, None)
    random = Random(7)
    watches: list[list[Step]] = []
    while events:
        count = random.randint(1, 60)
        watches.append([events[:count], random.choice([minutes(clock), NotConnected("cut")])])
        events = events[count:]

    once = ReflectorTimes(relist_every=1e9)
    informer = await played(Script([listed()], *watches), clock, once)

    found = {key: informer.cache.get(key) for key in informer.cache.keys()}  # noqa: SIM118
    assert {key: each.metadata.resource_version for key, each in found.items() if each} == last


async def test_a_list_that_is_given_up_answers_those_who_asked(clock: InstantClock) -> None:
    """Does nobody take a stop in the middle of a list for a list?"""
    script = Script([listed("fuji")])
    async with informed(script, clock) as informer:
        await script.finished.wait()

        async def for_ever() -> Listing[Deployment]:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        script.listing = for_ever  # type: ignore[method-assign]
        asking = asyncio.create_task(informer.relist())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not asking.done()
    with pytest.raises(Unavailable, match="given up"):
        await asking
