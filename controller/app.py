"""The composition root: plugs the adapters into the engine, starts in order, stops in reverse.

    settings → logs → store → listener → Lease → caches synced → engine → ready

Stopping: the engine finishes the keys in hand, the caches end, the Lease is given back, sessions
and store are closed. A controller without the Lease stands by with nothing running but the Lease.
"""

import asyncio
import socket
from collections import Counter
from contextlib import AsyncExitStack

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.errors import BootstrapError, Trouble
from controller.base.metrics import Metrics
from controller.base.tasks import Work, stop_all, supervise
from controller.domain.names import PHASE
from controller.domain.run import Phase
from controller.engine.engine import Engine, EngineOptions, Ports
from controller.engine.ports import Sink
from controller.kube.access import LEASING, PROXYING, READING, WRITING, missing_rights
from controller.kube.client import KubeClient
from controller.kube.cluster import KubeCluster
from controller.kube.identity import cluster_id
from controller.kube.lease import LeaseClaim, LeaseLock
from controller.listen import Condition, Listener
from controller.notify.datadog_sink import DatadogSink
from controller.notify.fan_out import Notifier
from controller.notify.kube_sink import KubeSink
from controller.notify.log_sink import LogSink
from controller.notify.muffler import Muffler
from controller.settings import Settings
from controller.wiring import Surroundings, Wiring, our_version
from store.api import StateStore

SYNC_DEADLINE = 60.0  # seconds to list everything once; more is told, and waited for all the same
STOP_DEADLINE = 20.0  # seconds for keys in hand: under the 30 s that Kubernetes gives a pod [60]
BEAT = 5.0  # seconds between two heartbeats of the loop
BEAT_LIMIT = 60.0  # seconds without one: the loop hangs, and /healthz says so
START_BACKOFF = BackoffPolicy(first=1.0, cap=30.0)


class App:
    """One controller process. `run` returns after `stop`."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._metrics = Metrics(our_version())
        self._stopping = asyncio.Event()
        self._beat = around.clock.monotonic()
        self._leases: list[LeaseLock] = []
        self._lease_turned = asyncio.Event()
        self._cluster: KubeCluster | None = None
        self._engine: Engine | None = None
        self._standing = "starting"

    def stop(self) -> None:
        """Ends `run` in good order."""
        self._stopping.set()
        self._lease_turned.set()

    async def run(self) -> None:
        """Raises SettingsFault for what only a start can find out: a kubeconfig that does not load,
        a port in use, a store URL that cannot be opened.
        """
        settings = self._settings
        async with AsyncExitStack() as stack:
            wiring = Wiring(settings, self._around, stack)
            client = await wiring.client()
            store = await wiring.store()
            if settings.store.url.startswith("memory:"):
                logger.warning("the store is this process's memory: history and claims end with it")
            listener = Listener(self._metrics, self._alive, self._ready)
            await listener.start(settings.listen.host, settings.listen.port)
            stack.push_async_callback(listener.close)
            await self._warn_of_rights(wiring, client)
            ports = await self._ports(wiring, client, store)
            await self._lead_when_held(wiring, client, ports)
        logger.info("controller stopped")

    async def _lead_when_held(self, wiring: Wiring, client: KubeClient, ports: Ports) -> None:
        clock, random, stack = self._around.clock, self._around.random, wiring.stack
        tasks = [self._eternal("heartbeat", self._keep_beat)]
        stack.push_async_callback(stop_all, tasks)
        homes = wiring.homes(client)
        if not self._settings.engine.dry_run:
            for namespace in homes:
                lease = LeaseLock(client, LeaseClaim(namespace, self._identity()), clock, random)
                lease.on_change(lambda _held: self._lease_turned.set())
                self._leases.append(lease)
                tasks.append(self._eternal(f"lease {namespace}", lease.run))
        stack.push_async_callback(self._release)
        while not self._stopping.is_set():
            self._lease_turned.clear()
            if not self._held():
                self._stand_by()
                await self._lease_turned.wait()
                continue
            await self._lead(client, ports, homes[0])

    async def _lead(self, client: KubeClient, ports: Ports, home: str) -> None:
        """From the Lease gained to the Lease lost, or to the stop."""
        cluster = self._cluster
        assert cluster is not None
        informers = self._eternal("informers", cluster.run)
        leading = asyncio.create_task(self._engine_run(client, ports, home), name="engine")
        watching = asyncio.create_task(self._until_lost(), name="until lost")
        try:
            await asyncio.wait({leading, watching}, return_when=asyncio.FIRST_COMPLETED)
            if leading.done():
                leading.result()  # what it raised is a mistake of ours, and ends the process
            if self._stopping.is_set() and self._engine is not None:
                self._standing = "stopping"
                self._engine.stop()
                await asyncio.wait({leading}, timeout=STOP_DEADLINE)
        finally:
            self._engine = None
            await stop_all([watching, leading, informers])

    async def _engine_run(self, client: KubeClient, ports: Ports, home: str) -> None:
        cluster = self._cluster
        assert cluster is not None
        backoff = Backoff(START_BACKOFF, self._around.clock, self._around.random)
        identity = ""
        while not identity:
            try:
                await cluster.wait_synced(SYNC_DEADLINE)
                identity = await cluster_id(client, home)
            except Trouble as trouble:
                self._standing = str(trouble)
                logger.bind(why=str(trouble)).error("cannot start yet")
                await self._around.clock.sleep(backoff.next_delay())
        settings = self._settings
        engine = Engine(
            ports,
            EngineOptions(
                cluster=identity,
                poll_interval=settings.registry.poll_interval,
                resync_interval=settings.engine.resync_interval,
                settle=settings.engine.settle,
                probe_interval=settings.node.probe_interval,
                max_open_runs=settings.engine.max_open_runs,
                dry_run=settings.engine.dry_run,
            ),
        )
        self._metrics.queue(lambda: engine.queue.depth, engine.queue.oldest_age)
        self._engine = engine
        self._standing = "leading"
        logger.bind(cluster=identity, deployments=len(cluster.keys())).info("controller leads")
        await engine.run()

    async def _ports(self, wiring: Wiring, client: KubeClient, store: StateStore) -> Ports:
        self._cluster = wiring.cluster(client, self._identity())
        sinks = self._sinks(wiring.stack, self._cluster)
        return Ports(
            cluster=self._cluster,
            registry=await wiring.registry(),
            probe=await wiring.probe(client),
            store=store,
            sink=Notifier(sinks, self._around.clock, self._metrics),
            clock=self._around.clock,
            random=self._around.random,
            on_outcome=lambda _key, word, seconds: self._metrics.reconciled(word, seconds),
        )

    def _sinks(self, stack: AsyncExitStack, cluster: KubeCluster) -> list[Sink]:
        """In this order: what is told last, the Kubernetes Event, is told once by its name."""
        clock, agent = self._around.clock, self._settings.dogstatsd
        sinks: list[Sink] = [LogSink()]
        if agent is not None:
            datadog = DatadogSink(agent.host, agent.port, agent.socket_path, clock)
            stack.callback(datadog.close)
            sinks.append(datadog)
        if not self._settings.engine.dry_run:
            sinks.append(KubeSink(cluster, Muffler(clock)))
        return sinks

    async def _warn_of_rights(self, wiring: Wiring, client: KubeClient) -> None:
        """Says at once what would fail later; a right may still be granted, so it goes on."""
        dry_run = self._settings.engine.dry_run
        rights = [*READING, *(() if dry_run else WRITING)]
        if not wiring.asks_pods_directly:
            rights += PROXYING
        wanted = [(namespace, rights) for namespace in wiring.watched(client)]
        if not dry_run:
            wanted += [(namespace, list(LEASING)) for namespace in wiring.homes(client)]
        try:
            for namespace, needed in wanted:
                for sentence in await missing_rights(client, namespace, needed):
                    logger.error(sentence)
        except BootstrapError as error:
            logger.bind(why=str(error)).warning("rights could not be reviewed")

    def _eternal(self, name: str, loop: Work) -> asyncio.Task[None]:
        work = supervise(name, loop, self._around.clock, self._around.random)
        return asyncio.create_task(work, name=name)

    async def _until_lost(self) -> None:
        while self._held() and not self._stopping.is_set():
            self._lease_turned.clear()
            await self._lease_turned.wait()

    def _held(self) -> bool:
        return all(lease.held for lease in self._leases)

    def _stand_by(self) -> None:
        holder = next((lease.holder for lease in self._leases if not lease.held), "")
        self._standing = f"standing by: {holder or 'nobody yet'} holds the Lease"
        logger.bind(holder=holder).info("controller stands by")

    async def _release(self) -> None:
        for lease in self._leases:
            try:
                await lease.release()
            except Trouble as trouble:
                logger.bind(why=str(trouble)).warning("Lease not given back; it will run out")

    def _identity(self) -> str:
        """The pod's name, which survives a restart of its container; else this very process."""
        return self._around.environ.get("POD_NAME") or (
            f"{socket.gethostname()}-{self._around.random.getrandbits(32):08x}"
        )

    async def _keep_beat(self) -> None:
        while True:
            self._beat = self._around.clock.monotonic()
            self._measure()
            await self._around.clock.sleep(BEAT)

    def _measure(self) -> None:
        cluster, engine = self._cluster, self._engine
        self._metrics.lease_held(bool(self._leases) and self._held())
        if cluster is None or engine is None:
            return
        found = (cluster.deployment(key) for key in cluster.keys())  # noqa: SIM118 not a dict
        phases = Counter(d.metadata.label(PHASE) or Phase.IDLE for d in found if d is not None)
        self._metrics.deployments(phases)
        self._metrics.open_runs(sum(n for phase, n in phases.items() if Phase(phase).open))
        self._metrics.store_up(not engine.ledger.trouble)

    def _alive(self) -> Condition:
        age = self._around.clock.monotonic() - self._beat
        return Condition(age < BEAT_LIMIT, f"last heartbeat {age:.0f}s ago")

    def _ready(self) -> Condition:
        standing_by = bool(self._leases) and not self._held()
        troubles = self._cluster.troubles() if self._cluster and self._engine else []
        sentence = "; ".join([self._standing, *troubles])
        return Condition(self._engine is not None or standing_by, sentence)
