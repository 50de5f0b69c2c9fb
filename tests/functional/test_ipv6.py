"""A cluster without IPv4: all that we speak to and all that speaks to us has addresses of IPv6.

Excluded: the node's own listener, which is Go's (docs/facts.md); one door by such an address
(test_node_direct_door.py); under which names the page answers (test_page_hosts.py).
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from controller.base.errors import SettingsFault
from controller.base.metrics import Metrics
from controller.process.listener import Health, Listener
from controller.settings.settings import load_settings
from tests.controlled_world import SELDOM, ControlledWorld, controlled_world
from tests.misbehaving import ScriptedServer

pytestmark = [
    pytest.mark.jumping,
    pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6"),
]

YES = Health(True, "leading")


def free_port() -> int:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        return int(taken.getsockname()[1])


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("host", ["::", "0::0"])
async def test_a_probe_of_either_family_is_answered(host: str) -> None:
    """Does a kubelet reach the listener by the pod's address, whichever family that is of?"""
    listener = Listener(Metrics("1"), lambda: YES, lambda: YES)
    port = await listener.start(host, 0)
    for address in ("[::1]", "127.0.0.1"):
        assert await get(f"http://{address}:{port}/healthz") == (200, "leading\n")
    await listener.close()


def test_every_address_is_the_default() -> None:
    """Is a pod reached by its address of IPv6 where nobody has set anything?"""
    assert load_settings({}, {}).listen.host == "::"


async def test_a_port_in_use_is_told_with_the_address() -> None:
    """Is the fault told with the address as it was written, where only IPv4 has taken the port?"""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsFault, match=rf"'\[::\]:{port}': it cannot be listened on"):
            await Listener(Metrics("1"), lambda: YES, lambda: YES).start("::", port)


@asynccontextmanager
async def on_ipv6(url: str) -> AsyncIterator[str]:
    """The same server under an address of IPv6."""
    there = URL(url)

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
        sink.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            back, out = await asyncio.open_connection(there.host, there.port)
            await asyncio.gather(carry(reader, out), carry(back, writer))

    server = await asyncio.start_server(take, "::1", 0)
    try:
        yield f"{there.scheme}://[::1]:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def pods_on_ipv6(world: ControlledWorld) -> AsyncIterator[ScriptedServer]:
    """All pods behind one address of IPv6, each below its name: `/<pod>/<port>/…`."""
    async with aiohttp.ClientSession() as session:

        async def respond(request: web.Request) -> web.StreamResponse:
            pod, port, rest = request.path.removeprefix("/").split("/", 2)
            base = f"{world.world.api.url}/api/v1/namespaces/bootstrap/pods/{pod}:{port}/proxy"
            body = await request.read()
            headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
            async with session.request(
                request.method, f"{base}/{rest}", data=body or None, headers=headers
            ) as answer:
                return web.Response(status=answer.status, body=await answer.read())

        async with ScriptedServer(respond, host="::1") as server:  # type: ignore[arg-type]
            yield server


async def test_a_build_passes_with_addresses_of_ipv6_alone(tmp_path: Path) -> None:
    """Are API server, registry and node asked there, and health and page answered there?"""
    listen, page = free_port(), free_port()
    async with (
        controlled_world(tmp_path) as world,
        on_ipv6(world.world.api.url) as api,
        on_ipv6(world.world.registry.url) as registry,
        pods_on_ipv6(world) as pods,
    ):
        world.deploy("good")
        given = world.kubeconfig.read_text()
        assert world.world.api.url in given
        world.kubeconfig.write_text(given.replace(world.world.api.url, api))
        world.start(
            registry=[f"docker.io={registry}"],
            node_url=f"{pods.url}/{{pod}}/{{port}}",
            listen=f"[::]:{listen}",
            page=f"[::1]:{page}",
            **SELDOM,
        )
        await world.passes("good")
        assert (await get(f"http://[::1]:{listen}/readyz"))[0] == 200
        status, shown = await get(f"http://[::1]:{page}/")
        assert (status, "fuji-c-chain-state-sync" in shown) == (200, True)
        assert any("/ext/health" in asked for asked in pods.requests)
