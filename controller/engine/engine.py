"""The engine: queue, workers, poller, prober and ledger, wired to the ports and run together."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from loguru import logger

from controller.base.clock import Clock
from controller.base.tasks import stop_all, supervise
from controller.domain.defaults import Rules
from controller.domain.followed import Followed
from controller.domain.record.record import Record, Step
from controller.engine.claims.guarded_store import GuardedStore
from controller.engine.claims.ledger import Ledger
from controller.engine.claims.store_keeper import StoreKeeper, look_interval
from controller.engine.evidence.closing import Closing
from controller.engine.evidence.gatherer import Gatherer
from controller.engine.polling.followed_tags import FollowedTags
from controller.engine.polling.poller import Poller
from controller.engine.ports import (
    Cluster,
    Custody,
    NodeProbe,
    Registry,
    Sink,
    StateStore,
    Witness,
)
from controller.engine.probing.prober import Prober
from controller.engine.probing.run_looks import Probing
from controller.engine.queue.work_queue import WorkQueue
from controller.engine.queue.worker import OnResult, run_workers
from controller.engine.reconcile.all_ours import AllOurs
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.follow_up import FollowUp
from controller.engine.reconcile.gone_deployments import GoneDeployments
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.observe import Senses
from controller.engine.reconcile.reconciler import Reconciler
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.reconcile.refused_writes import RefusedWrites
from controller.engine.reconcile.standing_aside import StandingAside
from controller.engine.telling.outage_notices import OutageNotices
from controller.engine.telling.publisher import Publisher
from controller.engine.telling.seen_builds import SeenBuilds

_RESYNCED_AT_ONCE = 20  # keys, 3 ms of looks in which nothing has changed


@dataclass(frozen=True)
class EngineOptions:
    """Seconds, unless a name says otherwise."""

    cluster: tuple[str, ...]  # names of the cluster whose memory the store is: the first is new
    poll_interval: float = 60.0  # between two HEADs of a tag
    resync_interval: float = 300.0  # after which everything is looked at again
    settle: float = 60.0  # after a start or a store that had forgotten, in which nothing is claimed
    probe_interval: float = 30.0  # between two looks at an open run
    max_open_runs: int | None = None  # None: no limit
    dry_run: bool = False  # says what it would do, and does nothing
    store_lasts: bool = True  # outlives this process; else the records say what the next must know
    workers: int = 4  # Deployments that are looked at at the same time
    rules: Rules = field(default_factory=Rules)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # texts that no evidence may hold


@dataclass(frozen=True)
class Ports:
    """The outside, as the engine sees it."""

    cluster: Cluster
    registry: Registry
    probe: NodeProbe
    store: StateStore
    sink: Sink
    witness: Witness
    clock: Clock
    random: Random
    # Is told of each key that a worker has finished: how it went, and the seconds it took
    on_result: OnResult = lambda _key, _word, _seconds: None
    custody: Custody = field(default_factory=AllOurs)


class Engine:
    """Runs while this controller is the active one. One engine is run once."""

    def __init__(self, ports: Ports, options: EngineOptions) -> None:
        self._ports = ports
        self._options = options
        cluster, clock, random = ports.cluster, ports.clock, ports.random
        store = GuardedStore(ports.store, lambda: self.ledger.admit())
        self.queue = WorkQueue(clock, random)
        self._outage_notices = OutageNotices(ports.sink, clock)
        self.memory = RecordMemory(store, clock.monotonic)
        self._known = KnownRecords(cluster, self.memory, options.rules)
        self.ledger = Ledger(
            ports.store,
            clock,
            random,
            settle=options.settle,
            patience=options.rules.store_patience,
            records=lambda: self.records(),
            on_refill=lambda: self._refilled(),
            refresh=cluster.refresh,
        )
        self.poller = Poller(
            ports.registry,
            store,
            clock,
            random,
            interval=options.poll_interval,
            on_change=self._resolved,
            on_registry=self._outage_notices.registry,
        )
        self._followed_tags = FollowedTags(self.poller.change)
        self._publisher = Publisher(store, ports.sink)
        self._seen_builds = SeenBuilds(store)
        self._closing = Closing(
            Gatherer(ports.witness, store, clock, random, secrets=options.secrets)
        )
        self.prober = Prober(
            Probing(cluster, ports.probe, store, ports.registry, ports.witness),
            clock,
            random,
            interval=options.probe_interval,
            rules=options.rules,
            on_look=self.queue.add,
        )
        self.refused = RefusedWrites(clock, random)
        self._senses = Senses(
            cluster=cluster,
            store=store,
            clock=clock,
            rules=options.rules,
            memory=self.memory,
            known=self._known,
            ledger=self.ledger,
            state=self.poller.state,
            attention=self.prober.attention,
            told=self._publisher.told,
            heard=self._publisher.heard,
            store_lasts=options.store_lasts,
            no_pin=self.refused.why_no_pin,
            facts=self.prober.facts,
            earlier=self.prober.earlier,
            order=self.prober.order,
        )
        follow_up = FollowUp(
            self._publisher, self._seen_builds, self._closing, self.ledger, clock, self.refused
        )
        self._reconciler = Reconciler(
            self._senses,
            Executor(
                cluster,
                store,
                self.ledger,
                self.memory,
                clock,
                nudge=self.queue.add,
                refused=self.refused,
            ),
            follow_up,
            self.prober,
            self._followed_tags,
            GoneDeployments(cluster, store, self.memory, self._publisher, clock, options.rules),
            aside=StandingAside(
                ports.custody, cluster, self.memory, self.prober, self._followed_tags, follow_up
            ),
            nudge=self.queue.add,
            max_open_runs=options.max_open_runs,
            dry_run=options.dry_run,
        )
        self._store_keeper = StoreKeeper(
            self.ledger,
            ports.store,
            cluster,
            clock,
            random,
            cluster_names=options.cluster,
            look_every=look_interval(options.settle) if self._shares(options) else None,
            look=self.queue.add,
            tell=self._outage_notices.store,
        )
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`. The cluster's caches are synced before this is called."""
        self._ports.cluster.on_change(self._changed)
        self._known.doubt()  # what changed before was not heard of
        self._ports.custody.on_change(self.queue.add)
        for key in self._ports.cluster.keys():  # noqa: SIM118 a method of a port
            self.queue.add(key)
        clock, random = self._ports.clock, self._ports.random
        loops = {
            "poller": self.poller.run,
            "resync": self._resync,
            "store": self._store_keeper.run,
        }
        tasks = [
            asyncio.create_task(supervise(name, loop, clock, random), name=name)
            for name, loop in loops.items()
        ]
        try:
            await self._known.read_all(clock)
            await self._store_keeper.until_asked()  # or what it remembers would be missed at first
            await run_workers(
                self.queue,
                self._reconciler.reconcile,
                clock,
                count=self._options.workers,
                on_result=self._ports.on_result,
            )
        finally:
            try:
                await stop_all(tasks)
            finally:  # a second cancellation must not leave probes behind
                await self.prober.stop()
                await self._closing.stop()
                self._finished.set()

    def stop(self) -> None:
        """Begins nothing more: `run` returns when each worker has finished its key."""
        self.queue.shut_down()

    async def finish(self, deadline: float) -> None:
        """Stops, and waits for the keys in hand, so many seconds at most."""
        self.stop()
        try:
            await self._ports.clock.within(deadline, self._finished.wait())
        except TimeoutError:
            logger.bind(deadline_seconds=deadline).warning("keys in hand are left in the middle")

    def followed_tags(self) -> set[tuple[str, str]]:
        """(repository, tag) of what is polled."""
        return self._followed_tags.tags()

    def behind(self) -> list[Step]:
        """Steps of our records that sinks and history may not have yet."""
        return [step for record in self.records() for step in self._publisher.behind(record)]

    def _changed(self, key: str) -> None:
        self._known.changed(key)
        self.queue.add(key)
        self.prober.wake(key)

    def _refilled(self) -> None:
        """What the store had forgotten is published again, key by key."""
        self._publisher.refilled()
        self.memory.refilled()
        self._seen_builds.refilled()
        self.poller.refilled()
        for key in self._ports.cluster.keys():  # noqa: SIM118 a method of a port
            self.queue.add(key)

    def _shares(self, options: EngineOptions) -> bool:
        """Whether others may use the store too, and rely on our claims to be there."""
        return self._ports.store.lasts and not options.dry_run

    def _resolved(self, followed: Followed) -> None:
        for key in self._followed_tags.keys_of(followed):
            self.queue.add(key)

    async def _resync(self) -> None:
        """Looks at everything again now and then: whatever was missed heals [29, 30]. Where there
        are many, in parts over the interval: a change never waits behind all of them (10,000 at
        once would be more than a second of looks).
        """
        clock, interval = self._ports.clock, self._options.resync_interval
        while True:
            keys = list(self._ports.cluster.keys())
            begins = range(0, max(1, len(keys)), _RESYNCED_AT_ONCE)
            for begin in begins:
                await clock.sleep(interval / len(begins))
                for key in keys[begin : begin + _RESYNCED_AT_ONCE]:
                    self.queue.add(key)

    def records(self) -> Iterator[Record]:
        """Those on the Deployments that are seen, ours or another's."""
        return self._known.index().records()
