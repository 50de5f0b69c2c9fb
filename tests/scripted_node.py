"""A node of which the test sets each answer, on a real server, and the probe that asks it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
from aiohttp import web

from controller.domain.node_http import NodeAddress, NodeAnswer
from controller.node.direct_door import DirectDoor, node_session
from controller.node.http_probe import HttpNodeProbe
from tests.fakes import FakeClock
from tests.misbehaving import ScriptedServer


@dataclass
class ScriptedNode:
    """`respond` is the matter of whoever has it as a base."""

    server: ScriptedServer
    session: aiohttp.ClientSession
    clock: FakeClock = field(default_factory=FakeClock, kw_only=True)

    def respond(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    async def ask(self) -> NodeAnswer:
        address = NodeAddress("bootstrap", "pod-1", "127.0.0.1", self.server.port, "fuji")
        return await HttpNodeProbe(DirectDoor(self.session, self.clock)).ask(address)


N = TypeVar("N", bound=ScriptedNode)


@asynccontextmanager
async def scripted(
    kind: Callable[[ScriptedServer, aiohttp.ClientSession], N],
) -> AsyncIterator[N]:
    """For fixtures."""
    server = ScriptedServer(lambda _: web.Response())
    async with server, node_session() as session:
        made = kind(server, session)
        server.respond = made.respond
        yield made
