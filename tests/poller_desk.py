"""A poller at work on a fake clock, with a fake registry and a store that can be away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from controller.base.tasks import stop_all
from controller.domain.build import Platform
from controller.domain.followed import Followed
from controller.domain.reference import Repository
from controller.engine.polling.poller import Poller
from tests.engine_fakes import AwayStore, FakeRegistry, digest
from tests.fakes import FakeClock

INTERVAL = 60.0
REPOSITORY = Repository("registry.example", "a/b")
AMD64, ARM64 = Platform(), Platform(arch="arm64")
LATEST = Followed(REPOSITORY, "latest", AMD64)


class Desk:
    """changed, outages: what the poller told, in order."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.registry = FakeRegistry(self.clock)
        self.store = AwayStore()
        self.changed: list[Followed] = []
        self.outages: list[tuple[str, str | None]] = []
        self.poller = Poller(
            self.registry,
            self.store,
            self.clock,
            Random(7),
            interval=INTERVAL,
            on_change=self.changed.append,
            on_registry=lambda host, sentence: self.outages.append((host, sentence)),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self.publish("latest", "1")

    def publish(self, tag: str, name: str) -> None:
        """The tag stands for an index with a build for each of two platforms."""
        builds = {AMD64: digest(f"a{name}"), ARM64: digest(f"b{name}")}
        self.registry.publish(REPOSITORY, tag, digest(name), builds)

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.poller.run())]

    async def stop(self) -> None:
        await stop_all(self._tasks)

    def head_times(self) -> list[float]:
        """Seconds since the start of each HEAD."""
        return [at - 1000.0 for at, _ in self.registry.heads]

    def build_times(self) -> list[float]:
        return [at - 1000.0 for at, _ in self.registry.builds]


@asynccontextmanager
async def working_desk() -> AsyncIterator[Desk]:
    desk = Desk()
    desk.start()
    try:
        yield desk
    finally:
        await desk.stop()
