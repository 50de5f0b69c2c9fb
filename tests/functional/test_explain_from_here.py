"""`explain` where this machine's network is not the controller's: what each of them sees."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any

import pytest
from aiohttp import web

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.commands import command
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

WAITS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
UNREACHED = "not reached from here, which says nothing about the node: "
NOBODY = "asked from here, nobody serves there: it starts, or this machine is led elsewhere: "
STRANGER = (
    "asked from here, something else answers: it may stand between this machine and the node: "
)
POINTS_UP = "what the controller hears of it stands above, as it saw it last"


@pytest.fixture
async def runs(world: ControlledWorld) -> ControlledWorld:
    """A run that is open, and a controller that hears its node."""
    world.world.push(REPOSITORY, "latest", WAITS)
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    return world


async def explained(world: ControlledWorld, *words: str) -> Any:
    place = ("--kubeconfig", str(world.kubeconfig))
    registry = ("--registry", f"docker.io={world.world.registry.url}")
    done = await command("explain", "fuji", "-o", "json", *place, *registry, *words)
    assert (done.code, done.err) == (0, "")
    return done.json()["told"]


@asynccontextmanager
async def wrong_way(kind: str) -> AsyncIterator[str]:
    """A URL at which this machine meets something that is not the node."""
    if kind == "no such name":
        yield "http://{pod}.fuji.bootstrap.svc:9650"
    elif kind == "refused":
        yield f"http://127.0.0.1:{free_port()}/{{pod}}"
    elif kind == "silent":
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/{{pod}}"
    else:
        application = web.Application()
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/{{pod}}"
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("kind", "beside"),
    [
        ("no such name", UNREACHED),
        ("refused", NOBODY),
        ("silent", NOBODY),
        ("a stranger", STRANGER),
    ],
)
async def test_a_way_of_this_machines(runs: ControlledWorld, kind: str, beside: str) -> None:
    """Does what the controller saw last stand first, is what this machine meets beside it named as
    this machine's, and is nothing wrong with the node by that?
    """
    seen = runs.message("fuji")
    right = await explained(runs)
    async with wrong_way(kind) as url:
        told = await explained(runs, "--node-url", url)
    assert told["it saw last"][0].startswith("Bootstrapping (")
    assert seen in told["it saw last"][0]
    assert list(told).index("it saw last") < list(told).index("node")
    assert told["node"][0].startswith(beside)
    assert told["node"][1:] == [POINTS_UP]
    assert told["wrong now"] == ["nothing, as far as one look tells"]
    assert told["decision"][-1] == right["decision"][-1]
    assert "refuses connections" not in str(told["decision"])


async def test_the_node_itself_is_asked_through_the_api_server(runs: ControlledWorld) -> None:
    """Is a port that is closed where the API server asks named as seen from here, too?"""
    pod = runs.world.pod_of("fuji")
    assert pod is not None
    runs.world.api.proxy.resolve = lambda *_: ("127.0.0.1", free_port())
    told = await explained(runs)
    assert told["node"][0].startswith(NOBODY)
    assert told["wrong now"] == ["nothing, as far as one look tells"]
    assert names.PHASE in runs.metadata("fuji")["labels"]
