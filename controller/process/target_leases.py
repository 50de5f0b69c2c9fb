"""The Leases of Deployments that have a monitor: who holds it looks after the Deployment."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import Trouble
from controller.base.said_once import SaidOnce
from controller.base.tasks import supervise
from controller.domain.manifest.monitor import monitor_container
from controller.domain.objects import Deployment
from controller.kube.api.client import KubeClient
from controller.kube.lease import LeaseClaim, LeaseLock, LeaseTimes

# Seconds for giving one back: several are, at once, in the time that a stop may take.
RELEASE_PATIENCE = 5.0


@dataclass(frozen=True)
class _Claimed:
    lock: LeaseLock
    lease: str  # `namespace/name`
    task: asyncio.Task[None]  # attempts, and gives it back when it is cancelled


class TargetLeases:
    """`Custody` of the engine's ports for a controller: the Lease of the Deployment's name, in its
    namespace, which its monitor claims too. Of a Deployment without a monitor none is asked for.

    While another holds one, or it cannot be read, it is looked at once in its duration only: a
    Lease that stood still that long is to be seen so, and whoever takes over later by half a minute
    costs nothing, where each look of each Deployment is a request (I11).
    """

    def __init__(
        self,
        client: KubeClient,
        identity: str,
        clock: Clock,
        random: Random,
        times: LeaseTimes,
    ) -> None:
        """identity: as in `LeaseClaim`."""
        self._client = client
        self._identity = identity
        self._clock = clock
        self._random = random
        self._times = replace(times, aside=times.duration)
        self._claimed: dict[str, _Claimed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}  # the last of each key, until it ends
        self._handlers: list[Callable[[str], None]] = []
        self._said = SaidOnce[str]()

    def on_change(self, handler: Callable[[str], None]) -> None:
        self._handlers.append(handler)

    def elsewhere(self, deployment: Deployment) -> str | None:
        key = deployment.metadata.key
        if monitor_container(deployment) is None:
            self.forget(key)
            return None
        claimed = self._claimed.get(key) or self._claim(deployment)
        lock = claimed.lock
        if lock.held:
            return None
        if lock.trouble is not None:
            return f"its Lease {claimed.lease} cannot be had: {lock.trouble}"
        if lock.holder in ("", self._identity):
            return ""
        return f"{lock.holder} holds its Lease {claimed.lease}"

    def forget(self, key: str) -> None:
        """Gives the Lease back, if it is ours."""
        self._said.end(key)
        claimed = self._claimed.pop(key, None)
        if claimed is not None:
            claimed.task.cancel()

    def troubles(self) -> list[str]:
        """Sentences, one for each Lease that cannot be read or written."""
        return [
            f"Lease {claimed.lease} cannot be had: {claimed.lock.trouble}"
            for claimed in self._claimed.values()
            if claimed.lock.trouble is not None and not claimed.lock.held
        ]

    async def close(self) -> None:
        """Gives all back, so that the monitors need not wait."""
        for key in list(self._claimed):
            self.forget(key)
        if self._tasks:
            await asyncio.wait(self._tasks.values())  # each waits for the one before it

    def _claim(self, deployment: Deployment) -> _Claimed:
        metadata, key = deployment.metadata, deployment.metadata.key
        lock = LeaseLock(
            self._client,
            LeaseClaim(metadata.namespace, self._identity, metadata.name),
            self._clock,
            self._random,
            self._times,
        )
        lock.on_standing(lambda: self._turned(key))
        name = f"lease of {key}"
        task = asyncio.create_task(self._keep(name, lock, self._tasks.get(key)), name=name)
        task.add_done_callback(lambda _: self._ended(key, task))
        self._tasks[key] = task
        self._claimed[key] = claimed = _Claimed(lock, key, task)
        return claimed

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]

    async def _keep(self, name: str, lock: LeaseLock, before: asyncio.Task[None] | None) -> None:
        """before: gives back the same Lease under the same name, so it must be done first."""
        try:
            if before is not None:
                await asyncio.wait([before])
            await supervise(name, lock.run, self._clock, self._random)
        finally:
            if before is not None:
                await asyncio.wait([before])
            await self._release(name, lock)

    async def _release(self, name: str, lock: LeaseLock) -> None:
        try:
            await self._clock.within(RELEASE_PATIENCE, lock.release())
        except (Trouble, TimeoutError) as trouble:
            logger.bind(task=name, why=str(trouble)).warning("Lease not given back; it runs out")

    def _turned(self, key: str) -> None:
        claimed = self._claimed.get(key)
        if claimed is None:
            return
        trouble = None if claimed.lock.held else claimed.lock.trouble
        if trouble is None:
            self._said.end(key)
        elif self._said.begin(key, trouble):
            logger.bind(lease=claimed.lease, why=trouble).warning(
                "a Deployment that has a monitor is left alone while its Lease cannot be had"
            )
        for handler in self._handlers:
            handler(key)
