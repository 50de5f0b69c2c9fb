"""The Lease of a Deployment that has a monitor: claimed, left, taken over and given back, against
the simulated API server. A monitor is another holder of the same Lease here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from controller.domain.objects import Container, Deployment
from controller.kube.api.client import KubeClient
from controller.kube.lease import LeaseClaim, LeaseLock, LeaseTimes
from controller.process.target_leases import TargetLeases
from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.faults import Delay, Refuse
from controller.simulator.world import PERSON
from tests.jumping_loop import LoopClock
from tests.kube_samples.credentials import GivenCredentials
from tests.machine_objects import bare, deployment, init_container

pytestmark = pytest.mark.jumping

KEY = "bootstrap/fuji"
TIMES = LeaseTimes()
MONITOR = Container(
    name="monitor",
    image="ghcr.io/example/bootstrap-controller:1",
    args=["monitor"],
    restart_policy="Always",
)
PLAIN = deployment("fuji")
MONITORED = deployment("fuji", init_containers=[MONITOR, init_container(bare())])


@dataclass
class Desk:
    """The Leases of one controller, and what it was told of. requests: verb and Lease of each."""

    server: SimulatedApiServer
    leases: TargetLeases
    told: list[str] = field(default_factory=list)
    turned: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, key: str) -> None:
        self.told.append(key)
        self.turned.set()

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            self.turned.clear()
            await self.turned.wait()

    async def becomes(self, wanted: str | None, of: Deployment = MONITORED) -> None:
        """Until that is said of it: None for ours, else a part of the clause."""
        await self.until(lambda: _says(self.leases.elsewhere(of), wanted))

    def spec(self) -> dict[str, Any]:
        lease = self.server.storage.peek("leases", "bootstrap", "fuji")
        return dict(lease["spec"]) if lease else {}


def _says(found: str | None, wanted: str | None) -> bool:
    return found is None if wanted is None else found is not None and wanted in found


class Rights:
    """Everything but what is forbidden."""

    def __init__(self) -> None:
        self.forbidden: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, access: Access) -> bool:
        if access.resource == "leases":
            self.asked.append(access.verb)
        return access.resource != "leases" or access.verb not in self.forbidden


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def server(rights: Rights) -> AsyncIterator[SimulatedApiServer]:
    settings = ServerSettings(namespaces=("default", "bootstrap"), rights=rights)
    server = SimulatedApiServer(LoopClock(), Random(1), settings)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def desk(server: SimulatedApiServer) -> AsyncIterator[Desk]:
    clock = LoopClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        leases = TargetLeases(client, "controller-0", clock, Random(1), TIMES)
        desk = Desk(server, leases)
        leases.on_change(desk.note)
        yield desk
        await leases.close()


@asynccontextmanager
async def monitor(server: SimulatedApiServer) -> AsyncIterator[LeaseLock]:
    """Another that holds the Lease while the block runs, and does not give it back."""
    clock = LoopClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        lock = LeaseLock(client, LeaseClaim("bootstrap", "fuji-pod", "fuji"), clock, Random(2))
        assert await lock.attempt()
        task = asyncio.create_task(lock.run())
        try:
            yield lock
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_without_a_monitor_nothing_is_asked(desk: Desk, rights: Rights) -> None:
    """Does a Deployment that nobody else could look after cost no request?"""
    assert desk.leases.elsewhere(PLAIN) is None
    await LoopClock().sleep(600)
    assert rights.asked == []


async def test_a_lease_that_nobody_holds_is_taken(desk: Desk) -> None:
    """Is a Deployment whose monitor does not run ours, once we have its Lease and not before?"""
    assert desk.leases.elsewhere(MONITORED) == ""
    await desk.becomes(None)
    assert desk.spec()["holderIdentity"] == "controller-0"
    assert set(desk.told) == {KEY}


async def test_who_holds_it_is_said(desk: Desk, server: SimulatedApiServer) -> None:
    """Is a Deployment left to the monitor that holds its Lease, and is that one named?"""
    async with monitor(server):
        await desk.becomes("fuji-pod holds its Lease bootstrap/fuji")
        await LoopClock().sleep(3600)
        await desk.becomes("fuji-pod")
    assert set(desk.told) == {KEY}


async def test_a_lease_of_another_is_looked_at_seldom(
    desk: Desk, server: SimulatedApiServer, rights: Rights
) -> None:
    """Does standing aside for an hour cost at most a request in each duration of the Lease?"""
    async with monitor(server):
        await desk.becomes("fuji-pod")
        rights.asked.clear()
        await LoopClock().sleep(3600)
        theirs = rights.asked.count("update")
        ours = rights.asked.count("get") - theirs
    assert 3600 / 36 - 2 <= ours <= 3600 / TIMES.duration + 1


async def test_it_is_taken_over_when_its_time_is_over(
    desk: Desk, server: SimulatedApiServer
) -> None:
    """Is a Lease whose holder has died ours, not before its duration and not long after?"""
    async with monitor(server):
        await desk.becomes("fuji-pod")
    died = LoopClock().monotonic()
    await desk.becomes(None)
    passed = LoopClock().monotonic() - died
    assert TIMES.duration - TIMES.retry * 1.2 <= passed <= 3 * 36
    assert desk.spec()["holderIdentity"] == "controller-0"


async def test_it_is_another_s_when_he_has_taken_it(desk: Desk, server: SimulatedApiServer) -> None:
    """Is a Lease that somebody took from us noticed, and said whose it is?"""
    await desk.becomes(None)
    server.objects.update(
        "leases", "bootstrap", "fuji", lambda o: o["spec"].update(holderIdentity="fuji-pod"), PERSON
    )
    await desk.becomes("fuji-pod holds")


@pytest.mark.parametrize("how", ["no monitor", "gone", "closed"])
async def test_it_is_given_back_at_once(desk: Desk, how: str) -> None:
    """Is the Lease nobody's as soon as the manifest has no monitor, the Deployment is gone, or
    leading ends?
    """
    await desk.becomes(None)
    match how:
        case "no monitor":
            assert desk.leases.elsewhere(PLAIN) is None
        case "gone":
            desk.leases.forget(KEY)
        case _:
            await desk.leases.close()
    begun = LoopClock().monotonic()
    changed = asyncio.Event()
    end = desk.server.storage.subscribe(lambda _: changed.set())
    while desk.spec()["holderIdentity"]:
        changed.clear()
        await changed.wait()
    end()
    assert LoopClock().monotonic() - begun < 1


async def test_it_is_taken_again_after_it_was_given_back(desk: Desk) -> None:
    """Is a Deployment that is made again at once ours with a Lease that stays ours, however late
    the first one is given back?
    """
    await desk.becomes(None)
    late = asyncio.Event()
    desk.server.faults.add(Delay(late), method="GET", path="leases", count=1)
    desk.leases.forget(KEY)
    await LoopClock().sleep(0.1)
    assert desk.leases.elsewhere(MONITORED) == ""
    await LoopClock().sleep(1)
    late.set()
    await desk.becomes(None)
    await LoopClock().sleep(1)
    assert desk.spec()["holderIdentity"] == "controller-0"


@pytest.mark.parametrize("verb", ["get", "create"])
async def test_a_lease_that_may_not_be_had_is_no_leave(
    desk: Desk, rights: Rights, verb: str
) -> None:
    """Is a Deployment left alone whose Lease is forbidden, with the missing right in words, until
    the right is given?
    """
    rights.forbidden = {verb}
    await desk.becomes(f"its Lease bootstrap/fuji cannot be had: not allowed to {verb} leases")
    (sentence,) = desk.leases.troubles()
    assert f"not allowed to {verb} leases" in sentence
    rights.forbidden = set()
    await desk.becomes(None)
    assert desk.leases.troubles() == []


async def test_an_api_server_that_is_away_takes_it_from_us_in_time(
    desk: Desk, server: SimulatedApiServer
) -> None:
    """Is a Lease that cannot be renewed ours no more well before another may take it?"""
    await desk.becomes(None)
    renewed = LoopClock().monotonic()
    server.faults.add(Refuse(), count=None)
    await desk.becomes("its Lease bootstrap/fuji cannot be had")
    assert LoopClock().monotonic() - renewed <= TIMES.deadline + TIMES.retry * 1.2
