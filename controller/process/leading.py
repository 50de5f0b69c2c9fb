"""One time of leading: from the Lease gained to the Lease lost, or to the stop."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from loguru import logger

from controller.base import metric_table as table
from controller.base.backoff import Backoff
from controller.base.errors import Trouble
from controller.base.metrics import Metrics
from controller.base.said_once import SaidOnce
from controller.base.tasks import Work, stop_all, supervise
from controller.domain.names import PHASE
from controller.domain.objects import Deployment
from controller.domain.record.record import Record
from controller.domain.run import Phase
from controller.engine.engine import Engine, EngineOptions, Ports
from controller.engine.ports import Custody, Sink
from controller.engine.queue.worker import failed
from controller.engine.reconcile.all_ours import AllOurs
from controller.kube.api.client import KubeClient
from controller.kube.cluster import KubeCluster
from controller.kube.cluster_id import cluster_ids
from controller.kube.pod_facts import KubeWitness
from controller.notify.fan_out import Notifier
from controller.notify.kube_sink import KubeSink
from controller.process.first_answers import START_BACKOFF
from controller.process.levels import Seen, TargetLevels
from controller.process.metered_registry import MeteredRegistry
from controller.process.scope import Scope
from controller.process.target_leases import TargetLeases
from controller.process.wiring import Wiring
from store.api import StateStore

SYNC_DEADLINE = 60.0  # seconds to list everything once; more is told, and waited for all the same
_PHASES = frozenset(str(phase) for phase in Phase)
STOP_DEADLINE = 20.0  # seconds for keys in hand: under the 30 s that Kubernetes gives a pod [60]


@dataclass(frozen=True)
class Parts:
    """What outlives one time of leading."""

    client: KubeClient
    store: StateStore
    sinks: list[Sink]  # all but Kubernetes Events
    metrics: Metrics
    scope: Scope
    instance: str  # our name, as holder of the Lease
    on_status: Callable[[str], None]  # is given one sentence of how we stand


class Leading:
    """A new one for each time: caches and queue of an earlier time are not believed."""

    def __init__(self, parts: Parts, wiring: Wiring) -> None:
        self._parts = parts
        self._wiring = wiring
        watching = replace(parts.scope.watching, instance=parts.instance)
        self._cluster: KubeCluster = wiring.cluster(parts.client, watching)
        self._registry: MeteredRegistry | None = None
        self._engine: Engine | None = None
        self._target_leases: TargetLeases | None = None
        self._levels = TargetLevels(parts.metrics.show_target)

    @property
    def works(self) -> bool:
        """Whether the caches are synced and the engine runs."""
        return self._engine is not None

    def troubles(self) -> list[str]:
        leases, engine = self._target_leases, self._engine
        return [
            *self._cluster.troubles(),
            *(leases.troubles() if leases else []),
            *(engine.refused.troubles() if engine else []),
        ]

    async def run(self, wait_lost: Work) -> None:
        """wait_lost: returns when it is over."""
        around = self._wiring.around
        informers = asyncio.create_task(
            supervise("informers", self._cluster.run, around.clock, around.random), name="informers"
        )
        async with AsyncExitStack() as stack:
            wiring = Wiring(self._wiring.settings, around, stack)
            working = asyncio.create_task(self._work(wiring), name="engine")
            losing = asyncio.create_task(wait_lost(), name="until lost")
            try:
                await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    working.result()  # what it raised is a mistake of ours, and ends the process
            finally:
                await stop_all([losing, working, informers])
                self._engine = None
                self._parts.metrics.leads_no_more()

    def deployments(self) -> list[Deployment]:
        """As the cache has them, by key."""
        found = (self._cluster.deployment(key) for key in self._cluster.keys())  # noqa: SIM118
        return [each for each in found if each is not None]

    def followed(self) -> set[tuple[str, str]]:
        """(repository, tag) of what is polled."""
        return self._engine.followed_tags() if self._engine else set()

    def on_change(self, handler: Callable[[str], None]) -> None:
        """As of the engine's port `Cluster`."""
        self._cluster.on_change(handler)

    def doubt(self, why: str) -> None:
        """The cluster's memory was put back: what the caches show is not what is."""
        self._cluster.doubt(why)

    async def finish(self) -> None:
        """Begins nothing more, and waits for the keys in hand."""
        if self._engine is not None:
            await self._engine.finish(STOP_DEADLINE)

    async def _work(self, wiring: Wiring) -> None:
        cluster_names = await self._synced()
        parts, around, settings = self._parts, wiring.around, wiring.settings
        registry = MeteredRegistry(await wiring.registry(), parts.metrics, around.clock)
        sinks = list(parts.sinks)
        if not settings.engine.dry_run:
            sinks.append(KubeSink(self._cluster))
        ports = Ports(
            cluster=self._cluster,
            registry=registry,
            probe=await wiring.probe(parts.client, parts.scope.own_pod),
            store=parts.store,
            sink=Notifier(sinks, around.clock, parts.metrics),
            witness=KubeWitness(parts.client),
            clock=around.clock,
            random=around.random,
            custody=self._custody(wiring),
            on_result=lambda _key, word, seconds: parts.metrics.reconciled(
                word, seconds, failed=failed(word)
            ),
        )
        options = EngineOptions(
            cluster=cluster_names,
            poll_interval=settings.registry.poll_interval,
            resync_interval=settings.engine.resync_interval,
            settle=settings.engine.settle,
            probe_interval=settings.node.probe_interval,
            max_open_runs=settings.engine.max_open_runs,
            secrets=settings.store.secrets,
            dry_run=settings.engine.dry_run,
            store_lasts=parts.store.lasts,
            rules=replace(around.rules, compare_url=settings.engine.compare_url),
        )
        engine = Engine(ports, options)
        parts.metrics.queue(lambda: engine.queue.depth, engine.queue.oldest_age)
        self._registry, self._engine = registry, engine
        parts.on_status("leading")
        count = len(self._cluster.keys())
        logger.bind(cluster=", ".join(cluster_names), deployments=count).info("controller leads")
        await engine.run()

    def _custody(self, wiring: Wiring) -> Custody:
        """A dry run takes no Lease, and looks at all; a monitor's own Lease is its Deployment's."""
        if wiring.settings.engine.dry_run or self._parts.scope.own_pod:
            return AllOurs()
        parts, around = self._parts, wiring.around
        leases = TargetLeases(
            parts.client, parts.instance, around.clock, around.random, around.lease
        )
        wiring.stack.push_async_callback(leases.close)  # when the keys in hand are done
        self._target_leases = leases
        return leases

    async def _synced(self) -> tuple[str, ...]:
        """The cluster's names, when the caches are synced; none where none is asked for."""
        around = self._wiring.around
        backoff = Backoff(START_BACKOFF, around.clock, around.random)
        said = SaidOnce[str]()
        while True:
            try:
                await self._cluster.wait_synced(SYNC_DEADLINE)
                return await cluster_ids(self._parts.client, self._parts.scope.identifying)
            except Trouble as trouble:
                self._parts.on_status(str(trouble))
                if said.begin("", type(trouble).__name__):  # once, in whatever words it goes on
                    logger.bind(why=str(trouble)).error("cannot start yet")
                await around.clock.sleep(backoff.next_delay())

    async def measure(self) -> None:
        """Others have the loop between two targets."""
        metrics, engine = self._parts.metrics, self._engine
        if engine is None:
            metrics.leads_no_more()
            return
        labels = (d.metadata.label(PHASE) for d in self.deployments())
        phases = Counter(label if label in _PHASES else Phase.IDLE for label in labels)
        metrics.show(table.DEPLOYMENTS, {(str(phase),): count for phase, count in phases.items()})
        now = self._wiring.around.clock.now().timestamp()
        records = list(engine.records())
        for _ in self._levels.update(records, self._seen(engine, records), now):
            await self._wiring.around.clock.sleep(0)
            if self._engine is not engine:
                return
        behind = engine.behind()
        metrics.show(table.LAG_STEPS, {(): len(behind)})
        oldest = min((step.at for step in behind), default=now)
        metrics.show(table.LAG_SECONDS, {(): max(0.0, now - oldest)})
        metrics.store_up(not engine.ledger.trouble)
        if self._registry is not None:
            self._registry.keep(engine.followed_tags())

    def _seen(self, engine: Engine, records: Iterable[Record]) -> dict[str, Seen]:
        """By key, of those whose node this controller has looked at."""
        found = {}
        for record in records:
            attention = engine.prober.attention(record.key)
            if attention is not None and attention.looks:
                earlier = engine.prober.earlier(record.key) or ()
                found[record.key] = Seen(attention.progress, attention.observed, earlier)
        return found
