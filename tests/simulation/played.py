"""The outside of the engine, played in memory on a simulated clock: a cluster whose kubelet and
nodes work while time passes, their probe, a store that can forget or be away, and an ear.
"""

import asyncio
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from controller.base.errors import LostReply
from controller.domain import names
from controller.domain.node_http import AnswerKind, NodeAddress, NodeAnswer
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.write import Write, WriteReply
from controller.domain.reference import Reference
from store.api import Meta, StateStore, StoreUnavailable
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.fakes import FakeClock
from tests.machine_engine import MappedCluster
from tests.machine_objects import BUSY, SOUND, apply_write, pod, service
from tests.machine_world import Directory, following, prepare_data

HOUR = 3600.0


class PlayedClock(FakeClock):
    """Settles at once where nothing is left to run: months are a hundred thousand moments."""

    @staticmethod
    async def settle() -> None:
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110 nobody tells when nothing is left to run
            await asyncio.sleep(0)


@dataclass
class Node:
    """One pod's node."""

    pod: Pod
    real: str  # build that runs in it
    said: str | None  # the init container's word; None: it waits
    begun: float  # monotonic seconds at which its process started
    restarts: int = 0
    restarted: datetime | None = None  # the last time, if it ever was


@dataclass
class Character:
    """How a build behaves."""

    hours: float = 6.0  # that it takes to bootstrap
    crashes: int = 0  # restarts it makes, one each quarter of an hour, before it goes on


@dataclass
class PlayedCluster(MappedCluster):
    """`Cluster` of the engine's ports. Maps are by key, but for behaviour (by build) and tags."""

    clock: FakeClock
    random: Random
    behaviour: dict[str, Character] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)  # to the build behind
    lost: float = 0.0  # share of writes whose reply is lost, applied or not
    ahead: float = 0.0  # seconds of our clock before the API server's
    deployments: dict[str, Deployment] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    volumes: dict[str, dict[str, Directory]] = field(default_factory=dict)
    writes: int = 0
    lost_replies: int = 0
    pods_made: int = 0
    starts: list[tuple[str, str, str]] = field(default_factory=list)  # key, run, build

    def __post_init__(self) -> None:
        self._handlers: list[Callable[[str], None]] = []

    def pods(self, key: str) -> Sequence[Pod]:
        node = self.nodes.get(key)
        return (node.pod,) if node else ()

    def service(self, key: str) -> Service | None:
        return service(key.partition("/")[2])

    def on_change(self, handler: Callable[[str], None]) -> None:
        self._handlers.append(handler)

    async def write(self, write: Write) -> WriteReply:
        found = self.deployments.get(write.key)
        if found is None:
            return WriteReply(applied=False, deployment=None)
        after = apply_write(found, write)
        lost = self.random.random() < self.lost
        if after is not None and not (lost and self.random.random() < 0.5):
            self.writes += 1
            self.change(write.key, after)
        if lost:
            self.lost_replies += 1
            raise LostReply(f"the reply to a write of {write.key} was lost")
        return WriteReply(applied=after is not None, deployment=after or found)

    def change(self, key: str, after: Deployment) -> None:
        self.deployments[key] = after
        self._tell(key)

    def delete(self, key: str) -> None:
        del self.deployments[key]
        self._tell(key)

    def _tell(self, key: str) -> None:
        for handler in self._handlers:
            handler(key)

    def tick(self) -> None:
        """What kubelets and nodes have done meanwhile."""
        for key in self.keys():
            if self._kubelet(key) or self._crash(key):
                self._tell(key)

    def _kubelet(self, key: str) -> bool:
        template = self.deployments[key].spec.template
        run = template.metadata.annotation(names.RUN_ID)
        container = template.spec.container("node")
        assert container is not None
        standing = self.nodes.get(key)
        wanted = (run, container.image)
        if standing and wanted == _shape(standing.pod):
            return False
        digest = Reference.parse(container.image).digest
        real = digest or self.tags.get(Reference.parse(container.image).tag or "", "")
        volume, said = prepare_data(self.volumes.get(key, {}), run, real)
        self.volumes[key] = volume
        self.pods_made += 1
        up = said is not None and '"foreign"' not in said
        made = pod(
            run,
            container.image,
            uid=f"pod-{self.pods_made}",
            said=said,
            started=self.clock.now() if up else None,
        )
        self.nodes[key] = Node(made, real, said, self.clock.monotonic())
        if up and run is not None:
            self.starts.append((key, run, real))
        return True

    def _crash(self, key: str) -> bool:
        node = self.nodes.get(key)
        if node is None or node.real not in self.behaviour:
            return False
        character = self.behaviour[node.real]
        up = self.clock.monotonic() - node.begun
        if node.restarts >= character.crashes or up < HOUR / 4:
            return False
        node.restarts += 1
        node.begun = self.clock.monotonic()
        run, image = _shape(node.pod)
        node.pod = pod(
            run,
            image,
            uid=node.pod.metadata.uid,
            said=node.said,
            started=self.clock.now(),
            restarts=node.restarts,
        )
        return True

    def answer(self, name: str) -> NodeAnswer:
        """What the node of this Deployment says now."""
        node = next((n for k, n in self.nodes.items() if k.endswith(f"/{name}")), None)
        if node is None or node.said is None or '"foreign"' in node.said:
            return NodeAnswer(AnswerKind.STARTING, "refused")
        hours = self.behaviour.get(node.real, Character()).hours
        done = self.clock.monotonic() - node.begun >= hours * HOUR
        return following(SOUND if done else BUSY, self.clock.now().timestamp(), "fuji")


def _shape(found: Pod) -> tuple[str | None, str]:
    container = found.spec.container("node")
    return found.metadata.annotation(names.RUN_ID), container.image if container else ""


@dataclass
class PlayedProbe:
    cluster: PlayedCluster
    asked: int = 0

    async def ask(self, address: NodeAddress) -> NodeAnswer:
        self.asked += 1
        return self.cluster.answer(address.service)


class FickleStore(PassingStore):
    """A store in memory that can be away, for every call, that can forget all it knows, or what it
    learned since it was saved.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.away = False
        # What meta() was asked for before it was set is answered after that
        self.slow: asyncio.Event | None = None
        super().__init__(self._empty())
        self.save()

    def _empty(self) -> MemoryStore:
        return MemoryStore(monotonic=self._clock.monotonic)

    def forget(self) -> None:
        self._behind = self._empty()

    def save(self) -> None:
        self._saved = self._copy(self._behind)

    def roll_back(self) -> None:
        self._behind = self._copy(self._saved)

    def _copy(self, store: StateStore) -> StateStore:
        return copy.deepcopy(store, {id(self._clock): self._clock})

    async def meta(self) -> Meta | None:
        found, slow = await super().meta(), self.slow
        if slow is not None:
            await slow.wait()
        return found

    def _reach(self) -> StateStore:
        if self.away:
            raise StoreUnavailable("the store is away")
        return super()._reach()
