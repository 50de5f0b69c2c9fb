"""A node's listener: a real socket that is bound early, serves later, and is gone at once."""

import asyncio
import socket
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from controller.base.clock import Clock
from controller.simulator.faults import Faults


class Listener:
    """bound: connections are taken. serving: they are answered too; set by the node. port: 0 while
    nothing listens.
    """

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self.bound = asyncio.Event()
        self.serving = asyncio.Event()
        self.port = 0
        self._faults = faults
        self._clock = clock
        self._socket: socket.socket | None = None

    def hang_until_serving(self, before: Callable[[], None]) -> Middleware:
        """To stand before all others [92]. before: called for each request that is answered."""

        @web.middleware
        async def hang(request: web.Request, handler: Handler) -> web.StreamResponse:
            await self.serving.wait()
            before()
            return await handler(request)

        return hang

    async def open(self, runner: web.AppRunner) -> None:
        await runner.setup()
        self._socket = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, self._socket).start()
        self.port = runner.addresses[0][1]
        self.bound.set()

    async def close(self, runner: web.AppRunner) -> None:
        """Nobody is waited for."""
        self.port = 0
        # asyncio takes a few turns from accepting a connection to telling aiohttp of it; one that
        # it meets a closed server with, or that is cleaned up before that, would never be closed.
        # So nothing more is accepted first, and the server is closed a few turns later.
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
        for _ in range(5):
            await self._clock.sleep(0)
        for site in list(runner.sites):
            await site.stop()
        self._faults.release()
        await runner.cleanup()
