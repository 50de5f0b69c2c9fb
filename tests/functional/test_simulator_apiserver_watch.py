"""Watches of the simulated API server, and what can be made to go wrong with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver import server_faults
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.apiserver.watch import WatchSettings
from controller.simulator.faults import (
    Answer,
    Delay,
    Hang,
    LoseReply,
    Refuse,
    Split,
    StreamFault,
)
from tests.fakes import FakeClock

MAPS = "/api/v1/namespaces/bootstrap/configmaps"
BUFFER = 20


class Bench:
    """A server, its clock, a client, and a way to make and watch small objects."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        settings = ServerSettings(watch=WatchSettings(bookmark_interval=60.0, buffer=BUFFER))
        self.server = SimulatedApiServer(self.clock, Random(1), settings)
        self.session = aiohttp.ClientSession()
        self.answers: list[aiohttp.ClientResponse] = []

    def make(self, name: str, **labels: str) -> str:
        """Makes a ConfigMap and returns its version."""
        metadata = {"name": name, "namespace": "bootstrap", "labels": labels}
        obj = self.server.objects.create("configmaps", {"metadata": metadata})
        version: str = obj["metadata"]["resourceVersion"]
        return version

    def label(self, name: str, **labels: str) -> None:
        def change(obj: dict[str, Any]) -> None:
            obj["metadata"]["labels"] = labels

        self.server.objects.update("configmaps", "bootstrap", name, change)

    @property
    def version(self) -> int:
        return self.server.storage.version

    async def get(self, query: str = "") -> aiohttp.ClientResponse:
        answer = await self.session.get(f"{self.server.url}{MAPS}?{query}")
        self.answers.append(answer)
        return answer

    async def watch(self, query: str = "") -> aiohttp.ClientResponse:
        return await self.get(f"watch=1&{query}")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.server.start()
    yield bench
    for answer in bench.answers:
        answer.close()
    await bench.session.close()
    await bench.server.stop()


async def until_true(condition: Callable[[], bool]) -> None:
    """Lets the other tasks run until it is so; waiting in vain ends by the test's time limit."""
    while not condition():  # noqa: ASYNC110 sockets give no event to wait for
        await asyncio.sleep(0)


async def events(answer: aiohttp.ClientResponse, count: int) -> list[tuple[str, str]]:
    """Type and name of the next events."""
    found = []
    for _ in range(count):
        event = json.loads(await answer.content.readline())
        found.append((event["type"], event["object"].get("metadata", {}).get("name", "")))
    return found


async def test_nothing_is_missed_after_the_headers(bench: Bench) -> None:
    """Is a change heard that is made as soon as the headers have come?"""
    answer = await bench.watch(f"resourceVersion={bench.version}")
    bench.make("a")
    assert await events(answer, 1) == [("ADDED", "a")]


async def test_history_is_replayed(bench: Bench) -> None:
    """Does a watch from the past begin with what happened since?"""
    start = bench.make("a")
    bench.make("b")
    bench.server.objects.delete("configmaps", "bootstrap", "a")
    answer = await bench.watch(f"resourceVersion={start}")
    assert await events(answer, 2) == [("ADDED", "b"), ("DELETED", "a")]


async def test_selection_decides_the_type(bench: Bench) -> None:
    """Does an object that enters the selection arrive as ADDED, and one that leaves as DELETED
    in its last selected state with the new version?
    """
    answer = await bench.watch(f"resourceVersion={bench.version}&labelSelector=x")
    bench.make("a")
    bench.label("a", x="1")
    bench.label("a", y="1")
    assert await events(answer, 1) == [("ADDED", "a")]
    event = json.loads(await answer.content.readline())
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"x": "1"}
    assert event["object"]["metadata"]["resourceVersion"] == str(bench.version)


async def test_other_namespaces_are_not_heard(bench: Bench) -> None:
    """Does a watch of one namespace stay silent about another?"""
    answer = await bench.watch(f"resourceVersion={bench.version}")
    metadata = {"name": "elsewhere", "namespace": "default"}
    bench.server.objects.create("configmaps", {"metadata": metadata})
    bench.make("here")
    assert await events(answer, 1) == [("ADDED", "here")]


async def test_compaction_ends_old_watches(bench: Bench) -> None:
    """Is a watch from before a compaction answered 200 with one ERROR 410 event and the end?"""
    start = bench.make("a")
    bench.make("b")
    bench.server.storage.compact()
    answer = await bench.watch(f"resourceVersion={start}")
    lines = (await answer.text()).splitlines()
    assert answer.status == 200
    assert [json.loads(line)["object"]["code"] for line in lines] == [410]


async def test_history_is_bounded() -> None:
    """Does the oldest change leave the history when it is full?"""
    server = SimulatedApiServer(FakeClock(), Random(1), ServerSettings(history=3))
    for name in "abcdef":
        metadata = {"name": name, "namespace": "bootstrap"}
        server.objects.create("configmaps", {"metadata": metadata})
    kept = list(server.storage.since(server.storage.compacted))
    assert [change.object["metadata"]["name"] for change in kept] == ["d", "e", "f"]


async def test_future_version_stays_silent(bench: Bench) -> None:
    """Is a watch from the future accepted, and deaf to everything before it, bookmarks included?"""
    future = bench.version + 3
    answer = await bench.watch(f"resourceVersion={future}&timeoutSeconds=90&allowWatchBookmarks=1")
    bench.make("a")
    await bench.clock.advance(61)
    for name in "bcd":
        bench.make(name)
    assert await events(answer, 1) == [("ADDED", "d")]


async def test_future_list_times_out(bench: Bench) -> None:
    """Does a list from the future wait three seconds and then answer 504 with its cause?"""
    asking = asyncio.ensure_future(bench.get(f"resourceVersion={bench.version + 1}"))
    await until_true(lambda: bench.clock.sleepers > 0)
    await bench.clock.advance(3)
    answer = await asking
    body = await answer.json()
    assert (answer.status, body["reason"]) == (504, "Timeout")
    assert body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert answer.headers["Retry-After"] == "1"


async def test_bookmarks_come_each_minute(bench: Bench) -> None:
    """Does an idle watch that allows bookmarks get one a minute, with the present version?"""
    answer = await bench.watch(f"resourceVersion={bench.version}&allowWatchBookmarks=true")
    metadata = {"name": "elsewhere", "namespace": "default"}
    bench.server.objects.create("configmaps", {"metadata": metadata})
    await bench.clock.advance(60)
    event = json.loads(await answer.content.readline())
    assert event["type"] == "BOOKMARK"
    assert event["object"]["metadata"] == {"resourceVersion": str(bench.version)}


async def test_streaming_list_needs_its_match(bench: Bench) -> None:
    """Is sendInitialEvents without resourceVersionMatch refused?"""
    answer = await bench.watch("sendInitialEvents=true")
    assert answer.status == 422


async def test_slow_consumer_is_cut_off(bench: Bench) -> None:
    """Does a watch that is not read fast enough end, while the server goes on?"""
    answer = await bench.watch(f"resourceVersion={bench.version}")
    for number in range(BUFFER + 2):
        bench.make(f"n{number}")
    assert (await answer.text()).count("\n") <= BUFFER


async def test_close_watches_is_a_clean_end(bench: Bench) -> None:
    """Do open watches end without an error when the server wants to be rid of them?"""
    answer = await bench.watch(f"resourceVersion={bench.version}")
    bench.server.close_watches()
    assert await answer.text() == ""


async def test_watch_is_forgotten_with_its_client(bench: Bench) -> None:
    """Does a watch whose client has gone stop listening to the storage?"""
    before = len(bench.server.storage.subscribers)
    answer = await bench.watch(f"resourceVersion={bench.version}")
    assert len(bench.server.storage.subscribers) == before + 1
    answer.close()
    await until_true(lambda: len(bench.server.storage.subscribers) == before)


async def test_faults_are_consumed(bench: Bench) -> None:
    """Is a rule for two requests over after two?"""
    rule = bench.server.faults.add(Answer(500), path="/configmaps", count=2)
    assert [(await bench.get()).status for _ in range(3)] == [500, 500, 200]
    assert rule.hits == 2


async def test_faults_can_mean_watches_only(bench: Bench) -> None:
    """Does a rule for watches leave lists alone?"""
    bench.server.faults.add(server_faults.gone(), is_watch=True)
    assert (await bench.get()).status == 200
    assert (await bench.watch()).status == 410


async def test_the_two_shapes_of_429(bench: Bench) -> None:
    """Are both refusals there: plain text of fairness, and JSON of a cache that fills?"""
    bench.server.faults.add(server_faults.too_many_requests(3))
    bench.server.faults.add(server_faults.initializing(2))
    first, second = await bench.get(), await bench.get()
    assert (first.status, first.content_type, first.headers["Retry-After"]) == (
        429,
        "text/plain",
        "3",
    )
    assert (second.status, second.headers["Retry-After"]) == (429, "2")
    assert (await second.json())["message"] == "storage is (re)initializing"


async def test_lost_reply_is_applied(bench: Bench) -> None:
    """Has a write whose reply was lost been applied?"""
    bench.server.faults.add(LoseReply(), method="POST")
    with pytest.raises(aiohttp.ClientError):
        await bench.session.post(bench.server.url + MAPS, json={"metadata": {"name": "a"}})
    assert bench.server.storage.peek("configmaps", "bootstrap", "a") is not None


async def test_refused_request_is_not_applied(bench: Bench) -> None:
    """Has a write whose connection was reset before it was read no effect?"""
    bench.server.faults.add(Refuse(), method="POST")
    with pytest.raises(aiohttp.ClientError):
        await bench.session.post(bench.server.url + MAPS, json={"metadata": {"name": "a"}})
    assert bench.server.storage.peek("configmaps", "bootstrap", "a") is None


async def test_hang_ends_only_by_release(bench: Bench) -> None:
    """Does a hanging request stay unanswered until the test lets it go?"""
    rule = bench.server.faults.add(Hang())
    # A POST, since aiohttp's client sends a GET again by itself when the connection is reset.
    asking = asyncio.ensure_future(bench.session.post(bench.server.url + MAPS, json={}))
    await rule.happened()
    assert not asking.done()
    bench.server.faults.clear()
    with pytest.raises(aiohttp.ClientError):
        await asking


async def test_delayed_reply_has_its_effect_first(bench: Bench) -> None:
    """Is a write with a delayed reply applied before it is answered?"""
    until = asyncio.Event()
    rule = bench.server.faults.add(Delay(until, reply=True), method="POST")
    body = {"metadata": {"name": "a"}}
    asking = asyncio.ensure_future(bench.session.post(bench.server.url + MAPS, json=body))
    await rule.happened()
    await until_true(lambda: bench.server.storage.peek("configmaps", "bootstrap", "a") is not None)
    assert not asking.done()
    until.set()
    assert (await asking).status == 201


async def test_stale_list(bench: Bench) -> None:
    """Does a stale list show an older state under its older version?"""
    old = int(bench.make("a"))
    bench.make("b")
    bench.server.faults.add(server_faults.StaleList(old))
    body = await (await bench.get()).json()
    assert [item["metadata"]["name"] for item in body["items"]] == ["a"]
    assert body["metadata"]["resourceVersion"] == str(old)


async def test_error_event_in_mid_stream(bench: Bench) -> None:
    """Does an ERROR event come after the lines before it, and end the stream?"""
    bench.make("a")
    bench.server.faults.add(server_faults.ErrorEvent(500, "InternalError", after=1))
    lines = [json.loads(line) for line in (await (await bench.watch()).text()).splitlines()]
    assert [line["type"] for line in lines] == ["ADDED", "ERROR"]
    assert lines[1]["object"]["code"] == 500


async def test_cut_in_mid_line(bench: Bench) -> None:
    """Does a cut stream break off in the middle of a line, with an error?"""
    bench.make("a")
    bench.make("b")
    bench.server.faults.add(StreamFault("cut", after=1))
    answer = await bench.watch()
    first = await answer.content.readline()
    json.loads(first)
    with pytest.raises(aiohttp.ClientPayloadError):
        await answer.content.read()


async def test_half_line_with_a_clean_end(bench: Bench) -> None:
    """Can a stream end cleanly with half a line?"""
    bench.make("a")
    bench.server.faults.add(StreamFault("close"))
    text = await (await bench.watch()).text()
    assert text
    assert not text.endswith("\n")


async def test_garbage_replaces_one_line(bench: Bench) -> None:
    """Does garbage stand in for one line, and the stream go on?"""
    bench.make("a")
    bench.server.faults.add(StreamFault("garbage", garbage=b"<html>\n"))
    answer = await bench.watch()
    assert await answer.content.readline() == b"<html>\n"
    bench.make("b")
    assert await events(answer, 1) == [("ADDED", "b")]


async def test_silent_watch(bench: Bench) -> None:
    """Does a silent watch send its headers and then nothing, whatever happens?"""
    rule = bench.server.faults.add(StreamFault("silent"), is_watch=True)
    answer = await bench.watch()
    bench.make("a")
    await rule.happened()
    bench.server.faults.release()
    assert await answer.content.read() == b""


async def test_split_anywhere(bench: Bench) -> None:
    """Does a line that arrives byte by byte, letters of several bytes included, stay whole?"""
    metadata = {"name": "a", "namespace": "bootstrap", "annotations": {"x": "žluťoučký 🏔"}}
    bench.server.objects.create("configmaps", {"metadata": metadata})
    bench.server.faults.add(Split(1))
    bench.server.faults.add(Split(1))
    body = await (await bench.get()).json()
    assert body["items"][0]["metadata"]["annotations"] == {"x": "žluťoučký 🏔"}
    event = json.loads(await (await bench.watch()).content.readline())
    assert event["object"]["metadata"]["annotations"] == {"x": "žluťoučký 🏔"}


def test_unknown_stream_fault() -> None:
    """Is a misspelt fault refused where it is written?"""
    with pytest.raises(ValueError, match="no such stream fault"):
        StreamFault("cutt")
