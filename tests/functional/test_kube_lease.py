"""The Lease: one holder, and none who does not know that it lost it.

Against a small server that keeps one Lease with a resourceVersion, as the API server does.
"""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any, Self

import pytest
from aiohttp import web
from loguru import logger

from controller.kube.api.client import KubeClient
from controller.kube.lease import LeaseClaim, LeaseLock, LeaseTimes
from controller.kube.lease_object import LeaseStanding, read_holder, read_standing
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import recording, status
from tests.misbehaving import ScriptedServer

TIMES = LeaseTimes(duration=30, deadline=20, retry=5)


class LeaseServer(ScriptedServer):
    """lease: as stored, or None. down: answers 500. quicker: another, who takes the Lease between
    our reading and our writing it.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.lease: dict[str, Any] | None = None
        self.down = False
        self.quicker: str | None = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    def store(self, lease: dict[str, Any]) -> web.Response:
        before = self.lease["metadata"]["resourceVersion"] if self.lease else "0"
        lease["metadata"]["resourceVersion"] = str(int(before) + 1)
        self.lease = lease
        return web.json_response(lease)

    def held_by(self, holder: str) -> None:
        """Another has renewed it."""
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 30, "leaseTransitions": 4}
        self.store({"metadata": {"name": "bootstrap-controller"}, "spec": spec})

    @property
    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        found: dict[str, Any] = self.lease["spec"]
        return found

    def _answer(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response(status(500), status=500)
        if request.method == "GET":
            if self.lease is None:
                return web.json_response(status(404, "NotFound"), status=404)
            return web.json_response(self.lease)
        if self.quicker is not None:
            self.held_by(self.quicker)
            self.quicker = None
        sent = json.loads(self.bodies[-1])
        if request.method == "POST" and self.lease is not None:
            return web.json_response(status(409, "AlreadyExists"), status=409)
        if request.method == "PUT":
            assert self.lease is not None
            if sent["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                return web.json_response(status(409, "Conflict"), status=409)
        return self.store(sent)


@asynccontextmanager
async def lock_on(
    server: LeaseServer, clock: InstantClock, identity: str = "me"
) -> AsyncIterator[LeaseLock]:
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        yield LeaseLock(client, LeaseClaim("bootstrap", identity), clock, Random(1), TIMES)


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def server() -> AsyncIterator[LeaseServer]:
    async with LeaseServer() as server:
        yield server


async def test_a_lease_that_is_not_there_is_made(server: LeaseServer, clock: InstantClock) -> None:
    """With the fields of a recorded one."""
    async with lock_on(server, clock) as lock:
        assert await lock.attempt()

    assert set(server.spec) == set(recording("48")["request"]["body"]["spec"])
    assert server.spec["holderIdentity"] == "me"


async def test_anothers_lease_is_taken_only_after_it_stood_still_before_our_eyes(
    server: LeaseServer, clock: InstantClock
) -> None:
    """Whatever times it names: clocks are never compared."""
    server.held_by("other")
    server.spec["renewTime"] = "2001-01-01T00:00:00.000000Z"
    async with lock_on(server, clock) as lock:
        assert not await lock.attempt()
        clock.move(29)
        server.held_by("other")  # a sign of life
        assert not await lock.attempt()
        clock.move(29)
        assert not await lock.attempt()
        assert lock.holder == "other"
        clock.move(1)
        assert await lock.attempt()

    assert server.spec["leaseTransitions"] == 5


async def test_we_stop_holding_well_before_others_may_take_it(
    server: LeaseServer, clock: InstantClock
) -> None:
    """Counted from when the last good renewal was sent, by our own clock."""
    async with lock_on(server, clock) as lock:
        assert await lock.attempt()
        clock.move(15)
        assert await lock.attempt()
        server.down = True
        clock.move(15)
        assert await lock.attempt()
        assert lock.trouble is not None
        clock.move(5)
        assert not lock.held
        assert not await lock.attempt()
        server.down = False
        assert await lock.attempt()
        assert lock.trouble is None


async def test_of_two_that_see_it_free_one_succeeds(
    server: LeaseServer, clock: InstantClock
) -> None:
    """The resourceVersion decides; losing is no trouble."""
    server.held_by("")
    server.quicker = "other"
    async with lock_on(server, clock) as lock:
        assert not await lock.attempt()
        assert lock.trouble is None
        assert not await lock.attempt()
        assert lock.holder == "other"


async def test_a_lease_that_was_taken_from_us_is_noticed(
    server: LeaseServer, clock: InstantClock
) -> None:
    """Such as after our process stood still for a minute."""
    async with lock_on(server, clock) as lock:
        assert await lock.attempt()
        server.held_by("other")
        assert not await lock.attempt()


async def test_releasing_lets_another_in_at_once(server: LeaseServer, clock: InstantClock) -> None:
    """An upgrade of the controller does not wait for half a minute."""
    async with lock_on(server, clock) as lock, lock_on(server, clock, "next") as following:
        assert await lock.attempt()
        assert not await following.attempt()
        await lock.release()
        assert not lock.held
        assert await following.attempt()
        await lock.release()  # not ours any more: left alone

    assert server.spec["holderIdentity"] == "next"


async def test_what_we_do_not_know_of_a_lease_is_kept(
    server: LeaseServer, clock: InstantClock
) -> None:
    """Fields of newer servers, and labels that people put there."""
    server.held_by("")
    assert server.lease is not None
    server.lease["metadata"]["labels"] = {"team": "node"}
    server.spec["strategy"] = "OldestEmulationVersion"
    async with lock_on(server, clock) as lock:
        assert await lock.attempt()

    assert server.lease["metadata"]["labels"] == {"team": "node"}
    assert server.spec["strategy"] == "OldestEmulationVersion"


async def test_whose_lease_it_is_can_be_read(server: LeaseServer, clock: InstantClock) -> None:
    """By a person's command, which claims nothing."""
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        assert await read_holder(client, "bootstrap") == ""
        server.held_by("other\x1b[31m")
        assert await read_holder(client, "bootstrap") == "other [31m"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({}, None),
        ({"renewTime": None, "leaseDurationSeconds": "30"}, None),
        ({"renewTime": "soon", "leaseDurationSeconds": None}, None),
        ({"renewTime": "2026-11-23T06:00:00"}, None),
        ({"renewTime": 12}, None),
        (
            {"renewTime": "2026-11-23T06:00:00.000000Z"},
            datetime(2026, 11, 23, 6, tzinfo=UTC),
        ),
    ],
)
async def test_when_it_was_renewed_can_be_read(
    server: LeaseServer, clock: InstantClock, written: dict[str, Any], told: datetime | None
) -> None:
    """Whatever others have written there."""
    server.store({"metadata": {"name": "fuji"}, "spec": {"holderIdentity": "pod", **written}})
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        assert await read_standing(client, "bootstrap", "fuji") == LeaseStanding("pod", told, 0)


async def test_gain_and_loss_are_told(server: LeaseServer, clock: InstantClock) -> None:
    """At the deadline, not at the first attempt after it."""
    told: asyncio.Queue[tuple[bool, float]] = asyncio.Queue()
    async with lock_on(server, clock) as lock:

        def tell(held: bool) -> None:
            told.put_nowait((held, clock.monotonic()))
            server.down = True

        lock.on_change(tell)
        task = asyncio.create_task(lock.run())
        gained, lost = await told.get(), await told.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert (gained[0], lost[0]) == (True, False)
    assert lost[1] - gained[1] == pytest.approx(20.0)


async def test_a_lease_that_is_lost_says_why(server: LeaseServer, clock: InstantClock) -> None:
    """Is it told what the server said, and where another has it, who?"""
    said: list[str] = []
    ear = logger.add(lambda m: said.append(f"{m.record['message']} {m.record['extra']}"))
    try:
        async with lock_on(server, clock) as lock:
            assert await lock.attempt()
            lock._say()
            server.down = True
            await lock.attempt()
            clock.move(TIMES.deadline)
            lock._say()
            server.down = False
            assert await lock.attempt()
            lock._say()
            server.held_by("another")
            await lock.attempt()
            lock._say()
    finally:
        logger.remove(ear)
    first, second = (line for line in said if line.startswith("lease lost"))
    assert "not renewed for 20s: the API server answered 500" in first
    assert "another holds it now" in second


async def test_a_lease_older_than_we_wrote_it_is_told(
    server: LeaseServer, clock: InstantClock
) -> None:
    """Is a cluster whose memory was put back noticed, to before the Lease was made too?"""
    heard: list[None] = []
    async with lock_on(server, clock) as lock:
        lock.on_gone_back(lambda: heard.append(None))
        for _ in range(3):
            assert await lock.attempt()
            clock.move(5)
        assert heard == []
        assert server.lease is not None
        saved = copy.deepcopy(server.lease)
        assert await lock.attempt()
        server.lease = saved
        clock.move(5)
        assert await lock.attempt()
        assert len(heard) == 1
        server.lease = None
        clock.move(5)
        assert await lock.attempt()
        assert await lock.attempt()
        assert len(heard) == 2
