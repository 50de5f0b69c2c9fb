"""A controller and a monitor over the same Deployments, played in memory: two engines with
registries, stores and ears of their own, and for each Deployment one of them that holds its Lease.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from controller.domain.build import Platform
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from controller.engine.engine import Engine, EngineOptions, Ports
from store.api import StateStore
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.machine_engine import Ear
from tests.machine_objects import bare, deployment, with_annotations
from tests.simulation.played import HOUR, PlayedClock, PlayedCluster, PlayedProbe

REPOSITORY = Reference.parse(bare()).repository
OPTIONS = EngineOptions(
    cluster=("played",),
    poll_interval=HOUR / 4,
    resync_interval=HOUR,
    settle=0.0,
    probe_interval=HOUR / 4,
)
TICK = HOUR / 4


class HeardStore(PassingStore):
    """calls: the names of all, but for those that find out whether it is there."""

    def __init__(self, behind: StateStore) -> None:
        super().__init__(behind)
        self.calls: list[str] = []

    def _reach(self) -> StateStore:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        name = frame.f_back.f_code.co_name
        if name != "meta":
            self.calls.append(name)
        return super()._reach()


@dataclass
class Custodian:
    """`Custody` of the engine's ports for the engine of this name. holders: by key of a Deployment;
    empty for nobody that is known; whoever is not named looks after all.
    """

    name: str
    holders: dict[str, str]
    handlers: list[Callable[[str], None]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def elsewhere(self, deployment: Deployment) -> str | None:
        holder = self.holders.get(deployment.metadata.key, self.name)
        if holder == self.name:
            return None
        return f"{holder} holds its Lease" if holder else ""

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def on_change(self, handler: Callable[[str], None]) -> None:
        self.handlers.append(handler)


@dataclass
class Side:
    """One engine, and what it asked and told."""

    name: str
    world: "TwoEngines"
    store: HeardStore
    options: EngineOptions
    ear: Ear = field(default_factory=Ear)

    def __post_init__(self) -> None:
        self.registry = FakeRegistry(self.world.clock)
        self.custody = Custodian(self.name, self.world.holders)
        self.probe = PlayedProbe(self.world.cluster)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        ports = Ports(
            cluster=self.world.cluster,
            registry=self.registry,
            probe=self.probe,
            store=self.store,
            sink=self.ear,
            witness=BlindWitness(),
            clock=self.world.clock,
            random=Random(3),
            custody=self.custody,
        )
        self.task = asyncio.create_task(Engine(ports, self.options).run(), name=self.name)

    async def stop(self) -> None:
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def asked(self) -> tuple[int, int, int]:
        """Calls of registry, node and store until now."""
        return len(self.registry.heads), self.probe.asked, len(self.store.calls)

    def phases(self) -> list[str]:
        """Of the transitions that it told, in order."""
        return [str(n.phase) for n in self.ear.notices if n.phase is not None]


class TwoEngines:
    """holders: as in `Custodian`."""

    def __init__(self, *names: str, shared: bool = False, options: EngineOptions = OPTIONS) -> None:
        """shared: one store for both. names: of the Deployments, all in namespace bootstrap."""
        self.clock = PlayedClock()
        self.cluster = PlayedCluster(self.clock, Random(1))
        self.holders: dict[str, str] = {}
        stores = [MemoryStore(monotonic=self.clock.monotonic) for _ in range(2)]
        self.controller = Side("controller", self, HeardStore(stores[0]), options)
        self.monitor = Side("monitor", self, HeardStore(stores[0 if shared else 1]), options)
        for name in names:
            found = with_annotations(deployment(name, uid=f"uid-{name}"), soak="30m", timeout="4d")
            self.cluster.deployments[found.metadata.key] = found

    async def __aenter__(self) -> "TwoEngines":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.controller.stop()
        await self.monitor.stop()

    def push(self, digit: str) -> str:
        """A new build behind the tag; its digest."""
        build, index = f"sha256:{digit * 64}", f"sha256:{digit * 32}{'f' * 32}"
        self.cluster.tags["latest"] = build
        for side in (self.controller, self.monitor):
            side.registry.publish(REPOSITORY, "latest", index, {Platform(): build})
        return build

    def give(self, key: str, holder: str) -> None:
        """The Lease changes hands; both see it."""
        self.holders[key] = holder
        for side in (self.controller, self.monitor):
            for handler in side.custody.handlers:
                handler(key)

    async def pass_time(self, hours: float) -> None:
        for _ in range(round(hours * HOUR / TICK)):
            self.cluster.tick()
            await self.clock.advance(TICK)

    def record(self, key: str) -> Record:
        found = record_of(self.cluster.deployments[key])
        assert isinstance(found, Record)
        return found
