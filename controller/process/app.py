"""The composition root: starts in order, stops in reverse.

    settings → client → store → listener → Lease → caches synced → engine → ready

Stopping: the engine finishes the keys in hand, the caches end, the Lease is given back, sessions
and store are closed. A controller without the Lease stands by with nothing running but the Lease.
"""

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import AsyncExitStack

from loguru import logger

from controller.base.metrics import Metrics
from controller.base.tasks import Work, stop_all, supervise
from controller.base.version import our_version
from controller.engine.ports import Sink
from controller.kube.api.client import KubeClient
from controller.kube.lease import LeaseClaim, LeaseLock
from controller.notify.log_sink import LogSink
from controller.process.first_answers import first_answers
from controller.process.leading import Leading, Parts
from controller.process.leases import Leases
from controller.process.listener import Health, Listener
from controller.process.long_lived import left_alone
from controller.process.page_source import PageSource
from controller.process.refused_credentials import RefusedCredentials
from controller.process.scope import FindScope, namespaces_scope
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings
from store import is_memory
from store.api import StateStore, StoreMisused, StoreUnavailable

BEAT = 15.0  # seconds between two heartbeats of the loop
BEAT_LIMIT = 60.0  # seconds without one: the loop hangs, and /healthz says so


class App:
    """One process of the controller, or of a monitor. `run` returns after `stop`."""

    def __init__(
        self, settings: Settings, around: Surroundings, find_scope: FindScope = namespaces_scope
    ) -> None:
        self._settings = settings
        self._find_scope = find_scope
        self._around = around
        self._metrics = Metrics(our_version())
        self._stopping = asyncio.Event()
        self._beat = around.clock.monotonic()
        self._leases = Leases([], around.clock, self._say_status)
        self._leading: Leading | None = None
        self._page: PageSource | None = None
        self._refused = RefusedCredentials(around.clock)
        self._client: KubeClient | None = None
        self._status = "starting"
        # The pod's name, which survives a restart of its container; else this very process.
        self._instance = around.environ.get("POD_NAME") or (
            f"{socket.gethostname()}-{around.random.getrandbits(32):08x}"
        )

    def stop(self) -> None:
        """Ends `run` in good order."""
        self._stopping.set()
        self._leases.stop()

    async def run(self) -> None:
        """Raises SettingsFault for what only a start can find out: a kubeconfig that does not load,
        a port in use, a store URL that cannot be opened.
        """
        settings = self._settings
        async with AsyncExitStack() as stack:
            stack.enter_context(left_alone(self._around.clock))
            wiring = Wiring(settings, self._around, stack)
            client = await wiring.client(
                lambda operation, status: self._metrics.api_request(operation.verb, status)
            )
            logger.bind(server=client.server, login=client.login).info("API server is chosen")
            self._client = client
            store = await wiring.store()
            await self._warn_of_store(store)
            looking = asyncio.create_task(self._warn_of_keys(store), name="keys of the store")
            stack.push_async_callback(stop_all, [looking])
            listener = Listener(self._metrics, self._alive, self._ready)
            await listener.start(settings.listen.host, settings.listen.port)
            stack.push_async_callback(listener.close)
            await self._serve_page(store, stack)
            scope = await first_answers(
                self._find_scope,
                wiring,
                client,
                self._refused,
                stopping=self._stopping,
                on_status=self._say_status,
            )
            if scope is not None:
                parts = Parts(
                    client=client,
                    store=store,
                    sinks=await self._sinks(stack),
                    metrics=self._metrics,
                    scope=scope,
                    instance=self._instance,
                    on_status=self._say_status,
                )
                await self._lead_when_held(wiring, parts)
        logger.info("controller stopped")

    async def _lead_when_held(self, wiring: Wiring, parts: Parts) -> None:
        clock, random = self._around.clock, self._around.random
        claims = [] if self._settings.engine.dry_run else parts.scope.leases
        locks = [
            LeaseLock(
                parts.client,
                LeaseClaim(namespace, self._instance, name),
                clock,
                random,
                self._around.lease,
            )
            for namespace, name in claims
        ]
        for lock in locks:
            lock.on_gone_back(self._doubt)
        self._leases = Leases(locks, clock, self._say_status)
        tasks = [self._eternal("heartbeat", self._keep_beat)]
        tasks += [self._eternal("lease", lock.run) for lock in locks]
        try:
            while not self._stopping.is_set():
                await self._leases.wait_held()
                if not self._stopping.is_set():
                    await self._lead(wiring, parts)
        finally:
            await stop_all(tasks)
            await self._leases.release()

    async def _lead(self, wiring: Wiring, parts: Parts) -> None:
        leading = self._leading = Leading(parts, wiring)
        if self._page is not None:
            self._page.leads(leading)

        async def until_lost() -> None:
            """A Lease that is lost ends it at once, a stop in good order."""
            await self._leases.wait_lost()
            if self._stopping.is_set():
                self._say_status("stopping")
                await leading.finish()

        try:
            await leading.run(until_lost)
        finally:
            self._leading = None
            if self._page is not None:
                self._page.leads(None)

    async def _serve_page(self, store: StateStore, stack: AsyncExitStack) -> None:
        """If it is wanted. Raises SettingsFault if it cannot be listened there."""
        wanted = self._settings.page
        if wanted is None:
            return
        # Imported here: the template engine is memory that only who uses it should pay.
        from controller.page.server import PageServer

        self._page = PageSource(store, lambda: self._status)
        page = PageServer(self._page, self._around.clock, wanted.names)
        port = await page.start(wanted.host, wanted.port)
        stack.push_async_callback(page.close)
        logger.bind(host=wanted.host, port=port).info("page is served")

    async def _sinks(self, stack: AsyncExitStack) -> list[Sink]:
        """In this order; what is told last, the Kubernetes Event, is told once by its name."""
        agent = self._settings.dogstatsd
        sinks: list[Sink] = [LogSink()]
        if agent is not None:
            # Imported here: it takes a third of a second, which only who uses it should pay.
            from controller.notify.datadog_sink import DatadogSink

            datadog = DatadogSink(agent.host, agent.port, agent.socket_path, self._around.clock)
            stack.callback(datadog.close)
            sinks.append(datadog)
        webhook = self._settings.webhook
        if webhook is not None:
            from controller.notify.webhook_sink import WebhookSink

            around, metrics = self._around, self._metrics
            sinks.append(
                await stack.enter_async_context(
                    WebhookSink(webhook.url, webhook.template, around.clock, around.random, metrics)
                )
            )
        return sinks

    async def _warn_of_store(self, store: StateStore) -> None:
        """What is set up so that something could be lost."""
        if is_memory(self._settings.store.url):
            logger.warning("the store is this process's memory: history and claims end with it")
        await self._warn_by(store.inspect())

    async def _warn_of_keys(self, store: StateStore) -> None:
        """Beside all else: a store of years has many."""
        await self._warn_by(store.unusable())

    async def _warn_by(self, look: Awaitable[list[str]]) -> None:
        try:
            for sentence in await look:
                logger.warning(sentence)
        except (StoreUnavailable, StoreMisused) as error:
            logger.bind(why=str(error)).warning("the store cannot be looked at yet")

    def _eternal(self, name: str, loop: Work) -> asyncio.Task[None]:
        work = supervise(name, loop, self._around.clock, self._around.random)
        return asyncio.create_task(work, name=name)

    def _doubt(self) -> None:
        if self._leading is not None:
            self._leading.doubt("the Lease is older than what was written into it")

    def _say_status(self, sentence: str) -> None:
        self._status = sentence
        if self._page is not None:
            self._page.changed("*")

    async def _keep_beat(self) -> None:
        while True:
            self._beat = self._around.clock.monotonic()
            self._refused.look(self._client.refused if self._client else None)
            self._metrics.lease_held(bool(self._leases.locks) and self._leases.held)
            if self._leading is not None:
                await self._leading.measure()
            else:
                self._metrics.leads_no_more()
            await self._around.clock.sleep(BEAT)

    def _alive(self) -> Health:
        age = self._around.clock.monotonic() - self._beat
        return Health(age < BEAT_LIMIT, f"last heartbeat {age:.0f}s ago")

    def _ready(self) -> Health:
        leading = self._leading
        sentence = "; ".join([self._status, *(leading.troubles() if leading else [])])
        return Health(leading.works if leading else self._leases.stands_by, sentence)
