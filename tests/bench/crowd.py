"""The engine's port `Cluster` over a population, in this process: each reading is one look into a
map, as many as there are.
"""

from collections.abc import Callable, Sequence
from random import Random

from msgspec.structs import replace

from controller.base.clock import Clock
from controller.domain.node_http import NodeAddress, NodeAnswer
from controller.domain.notice import Notice
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.write import Write, WriteReply
from controller.engine.engine import Ports
from controller.engine.ports import StateStore
from tests.bench.population import Population
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.machine_engine import Ear
from tests.machine_objects import BUSY, apply_write
from tests.machine_world import following


class Crowd:
    """See `engine.ports.Cluster`. writes: how many were applied."""

    def __init__(self, people: Population) -> None:
        self.people = people
        self.writes = 0
        self._keys = sorted(people.deployments)
        self._handlers: list[Callable[[str], None]] = []

    def keys(self) -> Sequence[str]:
        return self._keys

    def watches(self, key: str) -> bool:
        return True

    def deployment(self, key: str) -> Deployment | None:
        return self.people.deployments.get(key)

    def pods(self, key: str) -> Sequence[Pod]:
        return self.people.pods.get(key, ())

    def pods_are_live(self, key: str) -> bool:
        return True

    def service(self, key: str) -> Service | None:
        return self.people.services.get(key)

    def on_change(self, handler: Callable[[str], None]) -> None:
        self._handlers.append(handler)

    def skew(self) -> float | None:
        return 0.0

    async def read(self, key: str) -> Deployment | None:
        return self.people.deployments.get(key)

    async def read_pods(self, key: str) -> Sequence[Pod]:
        return self.pods(key)

    async def refresh(self, since: float) -> bool:
        return False

    async def write(self, write: Write) -> WriteReply:
        found = self.people.deployments.get(write.key)
        after = apply_write(found, write) if found is not None else None
        if after is not None:
            self.writes += 1
            self.change(write.key, after)
        return WriteReply(applied=after is not None, deployment=after or found)

    async def try_out(self, write: Write) -> None:
        """Every write would be taken here."""

    async def post_event(self, notice: Notice) -> None:
        """Nobody looks at them here."""

    def change(self, key: str, after: Deployment | None = None) -> None:
        """Somebody writes the Deployment: as it is, but another version, where nothing is given."""
        found = after or self.people.deployments[key]
        if after is None:
            meta = found.metadata
            version = str(int(meta.resource_version) + 1_000_000)
            found = replace(found, metadata=replace(meta, resource_version=version))
        if key not in self.people.deployments:
            self._keys = sorted([*self._keys, key])
        self.people.deployments[key] = found
        for handler in self._handlers:
            handler(key)


class BusyNodes:
    """`NodeProbe` of the engine's ports: every node bootstraps, and is well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked = 0

    async def ask(self, address: NodeAddress) -> NodeAnswer:
        self.asked += 1
        return following(BUSY, self._clock.now().timestamp(), "fuji")


def ports_of(
    crowd: Crowd, registry: FakeRegistry, store: StateStore, clock: Clock, ear: Ear
) -> Ports:
    """All of the engine's outside, in this process."""
    return Ports(
        cluster=crowd,
        registry=registry,
        probe=BusyNodes(clock),
        store=store,
        sink=ear,
        witness=BlindWitness(),
        clock=clock,
        random=Random(2),
    )
