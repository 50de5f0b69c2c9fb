"""Stand-ins for the nodes in the pods: small avalanchegos on this machine, behind one address that
`--node-url` leads to, whatever the cluster is.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from math import inf

import aiohttp
from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.node import NodeSettings, Pace, Plan, Progress, SimulatedNode, Version

FOR_EVER = Plan(bootstrap_seconds=inf)  # until a test says `finish`
_PACE = Pace(health_seconds=0.05, log_seconds=60.0)


class Nodes:
    """`async with Nodes(clock, told)`. looks: those that were answered to their end, by pod.

    A pod without a node here answers nobody: the connection is reset.
    """

    def __init__(self, clock: Clock, told: Callable[[], None]) -> None:
        self.looks: Counter[str] = Counter()
        self._clock = clock
        self._told = told
        self._running: dict[str, tuple[SimulatedNode, asyncio.Task[int]]] = {}
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None
        self._address = ""

    @property
    def template(self) -> str:
        return f"{self._address}/{{namespace}}/{{pod}}"

    async def __aenter__(self) -> "Nodes":
        app = web.Application()
        app.router.add_route("*", "/{namespace}/{pod}/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=connector)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for pod in list(self._running):
            await self.stop(pod)
        await self._stack.aclose()

    async def start(self, pod: str, plan: Plan = FOR_EVER) -> SimulatedNode:
        """A new process in the pod; one that was there is gone."""
        await self.stop(pod)
        settings = NodeSettings(network="fuji", http_host="0.0.0.0")
        node = SimulatedNode(settings, Version(), plan, Progress(), self._clock, pace=_PACE)
        life = asyncio.create_task(node.run(), name=f"node in {pod}")
        self._running[pod] = (node, life)
        await node.bound.wait()
        return node

    async def stop(self, pod: str) -> None:
        running = self._running.pop(pod, None)
        if running is not None:
            running[0].kill()
            await running[1]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        pod, path = request.match_info["pod"], request.match_info["path"]
        running = self._running.get(pod)
        body = await request.read()
        try:
            if running is not None and self._session is not None:
                url = f"{running[0].url}/{path}"
                with contextlib.suppress(aiohttp.ClientError):
                    async with self._session.request(request.method, url, data=body) as reply:
                        return web.Response(
                            status=reply.status,
                            body=await reply.read(),
                            content_type=reply.content_type,
                        )
        finally:
            self.looks[pod] += b"info.getNetworkName" in body  # the last question of a look
            self._told()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)
