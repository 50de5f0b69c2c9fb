"""Tells of outages that concern no single Deployment, and of their ends."""

import asyncio

from controller.base.clock import Clock
from controller.domain.notice import Level, Notice
from controller.engine.ports import Sink


class OutageNotices:
    """Each call is one notice: that an outage is told once is the caller's care."""

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self._sink = sink
        self._clock = clock
        self._count = 0
        self._telling: set[asyncio.Task[None]] = set()

    async def store(self, sentence: str | None) -> None:
        """sentence: why the store is away; None when it answers again."""
        await self._tell("store", "StoreReached", "StoreUnreachable", sentence)

    def registry(self, host: str, sentence: str | None) -> None:
        """The same of a registry; does not wait for the sinks."""
        telling = self._tell(host, "RegistryReached", "RegistryUnreachable", sentence)
        task = asyncio.create_task(telling, name=f"notice of {host}")
        self._telling.add(task)  # the loop alone would let it be collected
        task.add_done_callback(self._telling.discard)

    async def _tell(self, what: str, reached: str, away: str, sentence: str | None) -> None:
        self._count += 1
        reason, now = reached if sentence is None else away, self._clock.now()
        await self._sink.tell(
            Notice(
                id=f"{reason.lower()}.{int(now.timestamp())}.{self._count}",
                at=now,
                level=Level.SUCCESS if sentence is None else Level.WARNING,
                title=f"{what}: {reason}",
                text=sentence or f"{what} answers again",
                reason=reason,
            )
        )
