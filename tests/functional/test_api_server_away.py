"""What people are told while the API server does not answer, or refuses who we are."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.faults import Refuse
from tests.controlled_world import HOUR, MINUTE, SELDOM, ControlledWorld, controlled_world
from tests.jumping_loop import LoopClock
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

TOKEN = "secret-token"
TOKENS = {TOKEN: "system:serviceaccount:bootstrap:controller"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path, settings=ServerSettings(tokens=TOKENS)) as world:
        world.deploy("fuji", network="network-1337")
        yield world


def started(world: ControlledWorld) -> str:
    """Of a controller that was started: where it says whether it is ready."""
    port = free_port()
    world.start(token=TOKEN, listen=f"127.0.0.1:{port}", **SELDOM)
    return f"http://127.0.0.1:{port}/readyz"


async def said_at(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def lines(world: ControlledWorld, text: str) -> list[str]:
    return [line for line in world.said if text in line]


async def test_a_server_that_is_away_at_the_start_is_told_at_once_and_once(
    world: ControlledWorld,
) -> None:
    """Is it said in the first second, never again in an hour, by /readyz as long as it lasts, and
    does the controller go on by itself?
    """
    await world.world.api.stop()
    began = LoopClock().monotonic()
    readyz = started(world)
    await world.until(lambda: world.has_said("cannot start yet"))
    assert LoopClock().monotonic() - began < 1
    await LoopClock().sleep(HOUR)
    status, sentence = await said_at(readyz)
    assert status == 503
    assert "it refuses connections" in sentence
    (line,) = lines(world, "it refuses connections")
    assert line.startswith("cannot start yet")
    await world.world.api.start()
    await world.passes("fuji")
    assert world.has_said("the API server answers")
    assert (await said_at(readyz))[0] == 200


@pytest.mark.parametrize("after", [0.0, 10 * MINUTE])
async def test_refused_credentials_are_an_error_that_is_repeated(
    world: ControlledWorld, after: float
) -> None:
    """Is it said, at the start and in the middle of a run, again every five minutes: what the
    server says, and where the credentials are read; and is it over when it is over?
    """
    world.world.api.gate.tokens = {} if not after else TOKENS
    readyz = started(world)
    await LoopClock().sleep(after)
    world.world.api.gate.tokens = {}
    await world.until(lambda: world.has_said("refuses our credentials"))
    before = len(lines(world, "refuses our credentials"))
    await LoopClock().sleep(2 * HOUR)
    told = lines(world, "refuses our credentials")
    assert 22 <= len(told) - before <= 25
    assert "the API server answered 401 to" in told[0]
    assert ": Unauthorized; the credentials: kubeconfig " in told[0]
    assert str(world.kubeconfig) in told[0]
    assert TOKEN not in "".join(world.said)
    assert not lines(world, "controller stands by")
    status, sentence = await said_at(readyz)
    assert status == 503
    assert "401" in sentence
    for line in lines(world, "lease lost"):
        assert "not renewed for 1h: the API server answered 401" in line
    assert bool(lines(world, "lease lost")) is bool(after)
    world.world.api.gate.tokens = TOKENS
    await world.passes("fuji")
    assert world.has_said("the API server takes our credentials again")


async def test_a_lease_that_cannot_be_had_is_told_once_with_its_reason(
    world: ControlledWorld,
) -> None:
    """Is a controller that holds none, as nobody else does, not said to stand by for itself?"""
    rule = world.world.api.faults.add(Refuse(), path="/leases", count=None)
    readyz = started(world)
    await LoopClock().sleep(3 * HOUR)
    (line,) = lines(world, "the Lease cannot be had")
    assert "closed the connection" in line
    assert not lines(world, "stands by")
    status, sentence = await said_at(readyz)
    assert status == 503
    assert "no Lease (" in sentence
    world.world.api.faults.remove(rule)
    await world.passes("fuji")
    assert (await said_at(readyz))[0] == 200
