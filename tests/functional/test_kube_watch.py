"""Lists and watches over HTTP, as an informer takes them.

Included: pages, every misbehaviour of a stream. Excluded: when to list and when to watch
(tests/unit/test_kube_reflector.py).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from random import Random

import pytest

from controller.base.backoff import BackoffPolicy
from controller.base.errors import Busy, Garbled, Refused, Unavailable
from controller.domain.objects import Deployment
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.watch.cache import Cache
from controller.kube.watch.decoding import Bookmark, Changed, WatchEvent
from controller.kube.watch.informer import Informer
from controller.kube.watch.list_and_watch import ListAndWatch, StreamTimes
from controller.kube.watch.listing import ATTEMPTS, list_all
from controller.kube.watch.reflector import ReflectorTimes
from controller.kube.watch.selection import Selection
from tests.jumping_loop import LoopClock
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import (
    bookmark,
    deployment,
    line,
    listing,
    recorded_stream,
    recording,
    status,
)
from tests.kube_samples.script import Script, lost, reply, stream
from tests.misbehaving import RawServer

pytestmark = pytest.mark.jumping

SELECTOR = "bootstrap.avax.network/test=true"
TIMES = StreamTimes()


@asynccontextmanager
async def source_of(server: Script) -> AsyncIterator[ListAndWatch[Deployment]]:
    clock = LoopClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        yield ListAndWatch(client, DEPLOYMENTS, Selection("bootstrap", SELECTOR), clock)


async def watched(
    source: ListAndWatch[Deployment],
    heard: list[WatchEvent[Deployment]] | None = None,
    timeout: float = 300.0,
) -> list[WatchEvent[Deployment]]:
    """Everything until the watch ends; in `heard` too, for one that ends badly."""
    heard = [] if heard is None else heard
    async with aclosing(source.watch("10", timeout)) as batches:
        async for batch in batches:
            heard += batch
    return heard


async def test_pages_are_read_to_the_last() -> None:
    """A list is complete only without a continue token; page two names no version [6, 8]."""
    one = reply(listing(deployment("a"), token="abc=="))
    two = reply(listing(deployment("b"), version="10"))
    async with Script(one, two) as server, source_of(server) as source:
        found = await source.listing()
        first, second = server.requests

    assert [each.metadata.name for each in found.objects] == ["a", "b"]
    assert found.resource_version == "10"
    selector = "labelSelector=bootstrap.avax.network%2Ftest%3Dtrue&limit=500"
    assert first == f"GET /apis/apps/v1/namespaces/bootstrap/deployments?{selector}"
    assert second == f"{first}&continue=abc%3D%3D"


async def test_an_expired_page_begins_the_list_again() -> None:
    """As recorded; the token that comes with the 410 is not used: it leads to a list of two
    moments.
    """
    said = recording("54")["response"]
    page = reply(listing(deployment("old"), token="t"))
    async with (
        Script(page, reply(said["body"], 410), reply(listing(deployment("new")))) as server,
        source_of(server) as source,
    ):
        found = await source.listing()
        assert [each.metadata.name for each in found.objects] == ["new"]
        assert "continue" not in server.requests[2]


async def test_pages_that_always_expire_are_given_up_for_now() -> None:
    """No endless loop within one attempt."""
    page, gone = reply(listing(deployment("a"), token="t")), reply(status(410, "Expired"), 410)
    async with Script(*[page, gone] * 9) as server, source_of(server) as source:
        with pytest.raises(Unavailable, match="expired"):
            await source.listing()
        assert len(server.requests) == 2 * ATTEMPTS


@pytest.mark.parametrize(
    "body", [b"<html></html>", b"[]", b'{"items": 3}', b"{}", b'{"metadata": {}, "items": []}']
)
async def test_a_list_that_is_none_is_garbled_and_never_empty(body: bytes) -> None:
    """An empty list would delete everything that we know."""
    async with Script(reply(body)) as server, source_of(server) as source:
        with pytest.raises(Garbled):
            await source.listing()


async def test_an_odd_object_in_a_list_is_set_aside() -> None:
    """The rest of the list is read, and the odd one is not taken for deleted."""
    odd = deployment("odd") | {"spec": {"replicas": "x"}}
    async with Script(reply(listing(odd, deployment("a")))) as server, source_of(server) as source:
        found = await source.listing()

    assert [each.metadata.name for each in found.objects] == ["a"]
    assert [each.key for each in found.unreadable] == ["bootstrap/odd"]


async def test_a_watch_asks_for_bookmarks_an_end_and_a_position() -> None:
    """And gives the events as they came."""
    body = stream(line("ADDED", deployment(version="11")), bookmark("12"))
    async with Script(body) as server, source_of(server) as source:
        first, second = await watched(source)
        (request,) = server.requests

    assert isinstance(first, Changed)
    assert second == Bookmark("12")
    assert "?watch=true&labelSelector=" in request
    assert request.endswith("&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=300")


async def test_a_character_cut_between_two_chunks_is_whole() -> None:
    """Lines are split before they are decoded."""
    wire = line("ADDED", deployment(annotations={"note": "é€𝄞"}))
    at = wire.index("𝄞".encode()) + 2
    async with (
        Script(stream(wire[:at], wire[at:-1], wire[-1:])) as server,
        source_of(server) as source,
    ):
        (event,) = await watched(source)

    assert isinstance(event, Changed)
    assert event.object.metadata.annotation("note") == "é€𝄞"


async def test_a_line_of_twenty_megabytes_is_read() -> None:
    """Larger than any buffer of the HTTP client."""
    wire = line("ADDED", deployment(annotations={"note": "x" * 20_000_000}))
    async with Script(stream(wire)) as server, source_of(server) as source:
        (event,) = await watched(source)

    assert isinstance(event, Changed)
    assert len(event.object.metadata.annotation("note") or "") == 20_000_000


async def test_a_recorded_stream_comes_through_http_whole() -> None:
    """All 519 events, in their order."""
    wire = recorded_stream()
    parts = [wire[at : at + 7919] for at in range(0, len(wire), 7919)]
    async with Script(stream(*parts)) as server, source_of(server) as source:
        assert len(await watched(source)) == 519


@pytest.mark.parametrize("page", [b"<html>502</html>\n", b"Too many requests\n", b"{\n"])
async def test_a_page_in_place_of_events_is_garbled(page: bytes) -> None:
    """A proxy's 200 with text in it is no event and no clean end."""
    async with Script(stream(page)) as server, source_of(server) as source:
        with pytest.raises(Garbled):
            await watched(source)


async def test_a_watch_refused_in_text_is_no_event() -> None:
    """429 with plain text, as the fair queue has it [21, 34]."""
    busy = reply(b"Too many requests, please try again later.\n", 429, Retry_After="4")
    async with Script(busy) as server, source_of(server) as source:
        with pytest.raises(Busy) as caught:
            await watched(source)
        assert caught.value.retry_after == 4.0


async def test_silence_is_not_waited_out() -> None:
    """A half open connection says nothing for ever; bookmarks make that visible."""
    body = stream(bookmark("11"), end="silent")
    async with Script(body) as server, source_of(server) as source:
        heard: list[WatchEvent[Deployment]] = []
        with pytest.raises(Unavailable, match="silent"):
            await watched(source, heard)
    assert heard == [Bookmark("11")]
    assert LoopClock().monotonic() == pytest.approx(TIMES.silence)


async def test_a_server_that_never_ends_a_watch_is_left() -> None:
    """It may ignore the timeout that we asked for; that is an end and no failure."""
    minutes = [partial(LoopClock().sleep, 60.0), bookmark("11")]
    async with Script(stream(*minutes * 5, end="silent")) as server, source_of(server) as source:
        assert await watched(source, timeout=300.0) == [Bookmark("11")] * 5
        assert LoopClock().monotonic() == pytest.approx(300.0 + TIMES.grace)


async def test_a_server_that_accepts_and_says_nothing_is_left() -> None:
    """Not even headers come: the request has its own limit."""
    async with RawServer(None) as server:
        clock = LoopClock()
        url = f"http://127.0.0.1:{server.port}"
        async with KubeClient(GivenCredentials(url), clock) as client:
            source = ListAndWatch(client, DEPLOYMENTS, Selection("bootstrap", SELECTOR), clock)
            with pytest.raises(Unavailable):
                await watched(source)


async def test_a_broken_connection_is_no_clean_end() -> None:
    """What was heard before it counts; the half line does not."""
    body = stream(bookmark("11"), b'{"type":"ADD', end="cut")
    async with Script(body) as server, source_of(server) as source:
        heard: list[WatchEvent[Deployment]] = []
        with pytest.raises(Unavailable):
            await watched(source, heard)
    assert heard in ([Bookmark("11")], [])


class Running:
    """An informer over HTTP that runs, and what it told."""

    def __init__(self, informer: Informer[Deployment], clock: InstantClock) -> None:
        self.informer = informer
        self.clock = clock
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        informer.on_change(
            lambda change: self.heard.put_nowait(
                f"+{change.after.metadata.name}"
                if change.after is not None
                else f"-{change.before.metadata.name if change.before else ''}"
            )
        )


@asynccontextmanager
async def running(server: Script) -> AsyncIterator[Running]:
    clock = InstantClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        source = ListAndWatch(client, DEPLOYMENTS, Selection("bootstrap", SELECTOR), clock)
        informer = Informer(
            source,
            Cache[Deployment](),
            clock,
            Random(1),
            ReflectorTimes(hardly=0.0),
            BackoffPolicy(jitter=0.0),
        )
        task = asyncio.create_task(informer.run())
        try:
            yield Running(informer, clock)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_an_informer_outlives_everything_at_once() -> None:
    """Refusals, broken streams, pages of proxies, silence, and both shapes of 410, one after the
    other: in the end the cache is right, and no event was lost.
    """
    said = recording("55")["response"]["events"][0]
    async with (
        Script(
            lost,
            lost,
            reply(status(500), 500),
            reply(b"<html>", 502),
            reply(status(403), 403),
            reply(listing(deployment("a"))),
            stream(line("ADDED", deployment("b", "11")), end="cut"),
            stream(line("ADDED", deployment("c", "12")), end="silent"),
            reply(b"Too many requests", 429, Retry_After="100"),
            stream(b"<html>\n"),
            stream(json.dumps(said).encode() + b"\n"),
            reply(listing(deployment("b", "11"), deployment("d"), version="90")),
            reply(status(410, "Gone"), 410),
            reply(listing(deployment("b", "11"), deployment("d"), version="95")),
            stream(line("DELETED", deployment("d", "96")), end="silent"),
        ) as server,
        running(server) as run,
    ):
        heard = [await run.heard.get() for _ in range(7)]
        assert run.informer.cache.keys() == ["bootstrap/b"]
        assert 100.0 in run.clock.slept
        assert run.informer.troubles() == []

    assert heard == ["+a", "+b", "+c", "+d", "-a", "-c", "-d"]


async def test_listing_is_refused_where_the_right_is_missing() -> None:
    """As recorded: the informer's trouble is the sentence for a person."""
    said = recording("49")["response"]
    async with Script(reply(said["body"], 403)) as server:
        clock = InstantClock()
        async with KubeClient(GivenCredentials(server.url), clock) as client:
            with pytest.raises(Refused, match="list deployments"):
                await list_all(client, DEPLOYMENTS, Selection("bootstrap", SELECTOR))
