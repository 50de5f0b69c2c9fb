"""Fakes of the engine's ports, each with its own test in tests/unit/test_engine_fakes.py."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from controller.base.clock import Clock
from controller.base.errors import NotFound, Refused
from controller.domain.build import Platform, Quota
from controller.domain.evidence import BuildFacts, Place, PodEvent, Read
from controller.domain.objects import Pod
from controller.domain.reference import Repository
from store.api import StoreUnavailable
from store.memory import MemoryStore


def digest(seed: str) -> str:
    """A digest made of a few hex digits, such as `digest("1a")`."""
    return "sha256:" + (seed * 64)[:64]


class FakeRegistry:
    """A registry in memory. `hold` makes calls wait until `let_go`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tags: dict[tuple[Repository, str], str] = {}
        self._indexes: dict[str, dict[Platform, str]] = {}
        self._quotas: dict[Repository, Quota] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._under_way: dict[str, int] = {}
        # Every call: monotonic seconds, and "repository reference", for builds with the platform
        self.heads: list[tuple[float, str]] = []
        self.builds: list[tuple[float, str]] = []
        self.failing: Exception | None = None  # while set, each call raises it
        self.failing_hosts: dict[str, Exception] = {}  # the same for a host
        self.failing_builds: Exception | None = None  # the same for calls of `build`
        # Each call raises and removes the first; None lets a call through
        self.next_errors: deque[Exception | None] = deque()
        self.slow_hosts: dict[str, float] = {}  # host to seconds that a call takes
        self.busiest: dict[str, int] = {}  # host to the most calls that it had at the same time
        self.busiest_of_all = 0  # the same over all hosts

    def publish(
        self, repository: Repository, tag: str, index: str, builds: Mapping[Platform, str]
    ) -> None:
        """The tag stands for the index from now on; the index itself is there for ever."""
        self._tags[repository, tag] = index
        self._indexes[index] = dict(builds)

    def set_quota(self, repository: Repository, quota: Quota) -> None:
        self._quotas[repository] = quota

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    @property
    def under_way(self) -> int:
        """Calls that wait now."""
        return sum(self._under_way.values())

    async def head(self, repository: Repository, reference: str) -> str:
        self.heads.append((self._clock.monotonic(), f"{repository} {reference}"))
        await self._answer(repository)
        if ":" in reference:
            return reference
        try:
            return self._tags[repository, reference]
        except KeyError:
            raise NotFound(f"{repository} has no tag {reference}") from None

    async def build(self, repository: Repository, digest: str, platform: Platform) -> str:
        self.builds.append((self._clock.monotonic(), f"{repository} {digest} {platform}"))
        await self._answer(repository)
        if self.failing_builds:
            raise self.failing_builds
        try:
            return self._indexes[digest][platform]
        except KeyError:
            raise Refused(f"{digest} has no {platform}") from None

    def quota(self, repository: Repository) -> Quota | None:
        return self._quotas.get(repository)

    async def describe(self, repository: Repository, tag: str, build: str) -> BuildFacts:
        return BuildFacts()

    async def _answer(self, repository: Repository) -> None:
        host = repository.registry
        self._under_way[host] = self._under_way.get(host, 0) + 1
        self.busiest[host] = max(self.busiest.get(host, 0), self._under_way[host])
        self.busiest_of_all = max(self.busiest_of_all, self.under_way)
        try:
            await self._open.wait()
            if host in self.slow_hosts:
                await self._clock.sleep(self.slow_hosts[host])
        finally:
            self._under_way[host] -= 1
        error = self.next_errors.popleft() if self.next_errors else None
        error = error or self.failing or self.failing_hosts.get(host)
        if error:
            raise error


class BlindWitness:
    """A witness to whom nothing optional is granted."""

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        return Read(unread="missing right: get pods/log")

    async def events(self, pod: Pod) -> tuple[Sequence[PodEvent], str]:
        return (), "missing right: list events"

    async def place(self, pod: Pod) -> Place:
        return Place(node=pod.spec.node_name, unread=("missing right: get nodes",))


class AwayStore(MemoryStore):
    """A MemoryStore that is not reached while `away`. asked: calls about tags and builds."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0

    def _reach(self) -> None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("the store is away")

    async def build(self, index: str, platform: str) -> str | None:
        self._reach()
        return await super().build(index, platform)

    async def put_build(self, index: str, platform: str, build: str) -> None:
        self._reach()
        await super().put_build(index, platform, build)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        self._reach()
        await super().put_tag(repository, tag, fields)
