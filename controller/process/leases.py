"""The Leases of the watched namespaces together: only who holds all of them leads."""

import asyncio
from collections.abc import Callable

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import Trouble
from controller.base.said_once import SaidOnce
from controller.kube.lease import LeaseLock

LOOK = 5.0  # seconds between two looks at whom we stand by for


class Leases:
    """None at all, in a dry run, counts as held. The locks' own loops run elsewhere.

    on_status: is given one sentence of how we stand.
    """

    def __init__(self, locks: list[LeaseLock], clock: Clock, on_status: Callable[[str], None]):
        self.locks = locks
        self._clock = clock
        self._on_status = on_status
        self._turned = asyncio.Event()
        self._stopped = False
        self._standing_by = SaidOnce[str]()
        self._without = SaidOnce[bool]()
        for lock in locks:
            lock.on_change(lambda _held: self._turned.set())
            lock.on_standing(self._turned.set)

    @property
    def held(self) -> bool:
        return all(lock.held for lock in self.locks)

    @property
    def stands_by(self) -> bool:
        """Whether one is another's, or not looked at yet, and nothing is wrong."""
        return not self.held and all(lock.trouble is None for lock in self.locks)

    def stop(self) -> None:
        """Both waits end."""
        self._stopped = True
        self._turned.set()

    async def wait_held(self) -> None:
        """Until all are ours, or `stop`. Whose they are meanwhile is known after the first look."""
        while not self.held and not self._stopped:
            self._turned.clear()
            lock = next(each for each in self.locks if not each.held)
            status = f"standing by: {lock.holder} holds the Lease" if lock.anothers else "no Lease"
            self._on_status(f"{status} ({lock.trouble})" if lock.trouble else status)
            self._tell(lock)
            try:
                await self._clock.within(LOOK, self._turned.wait())
            except TimeoutError:
                continue
        self._standing_by.end("")
        self._without.end("")

    def _tell(self, lock: LeaseLock) -> None:
        if lock.trouble is None:
            self._without.end("")
        elif self._without.begin("", True):  # once, in whatever words it goes on
            logger.bind(why=lock.trouble).error("the Lease cannot be had")
        if lock.anothers and self._standing_by.begin("", lock.holder):
            logger.bind(holder=lock.holder).info("controller stands by")

    async def wait_lost(self) -> None:
        """Until one is not ours any more, or `stop`."""
        while self.held and not self._stopped:
            self._turned.clear()
            await self._turned.wait()

    async def release(self) -> None:
        for lock in self.locks:
            try:
                await lock.release()
            except Trouble as trouble:
                logger.bind(why=str(trouble)).warning("Lease not given back; it will run out")
