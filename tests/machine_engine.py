"""The engine's own rooms (observing, executor, ledger, publisher) without an event loop: nothing in
them waits for a MemoryStore, nor for this cluster and this clock.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from controller.domain.notice import Notice
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.write import Write, WriteReply
from store.memory import MemoryStore
from tests.machine_objects import apply_write

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    work.close()
    raise AssertionError("it waits")


def still_store() -> MemoryStore:
    """A store in which nothing expires, for there is no event loop to ask for the time."""
    return MemoryStore(monotonic=lambda: 0.0)


@dataclass
class StillClock:
    """Says what it is told to say; nobody sleeps on it."""

    now: Callable[[], datetime]

    def monotonic(self) -> float:
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"it sleeps for {seconds} s")

    async def within(self, seconds: float, awaitable: object) -> Any:
        raise AssertionError(f"it waits for {awaitable}")


class MappedCluster:
    """What `Cluster` of the engine's ports says of Deployments that stand in a map: nothing lags
    behind. Pods, Services and writes are the matter of whoever has it as a base.
    """

    deployments: dict[str, Deployment]
    ahead: float | None  # seconds of our clock before the API server's; None: not known
    unheard: Collection[str] = ()  # Deployments of whose pods nothing is heard
    unwatched: Collection[str] = ()  # namespaces

    def keys(self) -> Sequence[str]:
        return sorted(self.deployments)

    def watches(self, key: str) -> bool:
        return key.partition("/")[0] not in self.unwatched

    def deployment(self, key: str) -> Deployment | None:
        return self.deployments.get(key)

    def pods(self, key: str) -> Sequence[Pod]:
        raise NotImplementedError

    def pods_are_live(self, key: str) -> bool:
        return key not in self.unheard

    def skew(self) -> float | None:
        return self.ahead

    async def read(self, key: str) -> Deployment | None:
        return self.deployments.get(key)

    async def refresh(self, since: float) -> bool:
        return False

    async def read_pods(self, key: str) -> Sequence[Pod]:
        return self.pods(key)

    async def try_out(self, write: Write) -> None:
        """Every write would be taken here."""

    async def post_event(self, notice: Notice) -> None:
        """Nobody looks at them here."""


@dataclass
class StillCluster(MappedCluster):
    """With pods and Services in maps too, and writes that are applied at once."""

    deployments: dict[str, Deployment]
    services: Mapping[str, Service] = field(default_factory=dict)
    pods_of: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    ahead: float | None = 0.0  # seconds of our clock before the API server's; None: not known

    def pods(self, key: str) -> Sequence[Pod]:
        return self.pods_of.get(key, ())

    def service(self, key: str) -> Service | None:
        return self.services.get(key)

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Nobody waits for a change here."""

    async def write(self, write: Write) -> WriteReply:
        found = self.deployments.get(write.key)
        after = apply_write(found, write) if found is not None else None
        if after is not None:
            self.deployments[write.key] = after
        return WriteReply(applied=after is not None, deployment=after or found)


@dataclass
class Ear:
    """Every notice that was told, in order."""

    notices: list[Notice] = field(default_factory=list)

    async def tell(self, notice: Notice) -> None:
        self.notices.append(notice)
