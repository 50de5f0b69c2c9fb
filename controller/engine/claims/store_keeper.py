"""Opens the store, looks at it now and then, and opens it again whenever it was lost: the one loop
that asks for it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.engine.claims.ledger import Ledger
from controller.engine.ports import Cluster, StateStore
from store.api import StoreItemUnusable, StoreMisused, StoreUnavailable

# Asking a store that is away: soon, then every half minute; it costs one connection.
STORE_BACKOFF = BackoffPolicy(first=1.0, cap=30.0)
# Seconds for which a store that failed must serve all before it is said to be there again.
STEADY = 10.0


def look_interval(settle: float) -> float:
    """Seconds between two looks at a store that others use too, where they grant nothing for
    `settle` seconds after a loss: a third, so that three looks fall into it. At least five, so that
    it stays one small command now and then; at most twenty, for others may settle for longer.
    """
    return min(max(settle / 3, 5.0), 20.0) if settle else 20.0


class StoreKeeper:
    """Has all Deployments looked at when the store is there again, those too that are gone."""

    def __init__(  # noqa: PLR0913 five collaborators, a name and two ears
        self,
        ledger: Ledger,
        store: StateStore,
        cluster: Cluster,
        clock: Clock,
        random: Random,
        *,
        cluster_names: tuple[str, ...],
        look_every: float | None,
        look: Callable[[str], None],
        tell: Callable[[str | None], Awaitable[None]],
    ) -> None:
        """cluster_names: as of `Ledger.open`. look_every: seconds between two looks at the store
        while it is well; None: never, where nobody else uses it. look: is given the key of what is
        to be looked at. tell: is given why the store is away, once, and None when it answers again.
        """
        self._ledger = ledger
        self._store = store
        self._cluster = cluster
        self._clock = clock
        self._backoff = Backoff(STORE_BACKOFF, clock, random)
        self._names = cluster_names
        self._look_every = look_every
        self._look = look
        self._tell = tell
        self._asked = asyncio.Event()
        self._opened = False  # once
        self._troubled = False  # it has failed somebody since it was last well
        self._told = False  # that it is away

    async def until_asked(self) -> None:
        """Returns when the store has answered once, or failed to."""
        await self._asked.wait()

    async def run(self) -> None:
        while True:
            delay = STORE_BACKOFF.first
            try:
                if not self._opened:
                    await self._ledger.open(*self._names)
                await self._ledger.mend()
                if self._troubled or not self._opened:
                    await self._look_at_the_absent()
            except (StoreUnavailable, StoreMisused) as error:
                self._asked.set()
                delay = await self._fails(str(error))
            else:
                self._asked.set()
                delay = await self._answers() or STORE_BACKOFF.first
            await self._clock.sleep(delay)

    async def _fails(self, why: str) -> float:
        """Seconds until it is asked again."""
        self._troubled = True
        if not self._told:
            self._told = True
            await self._tell(why)
        return self._backoff.next_delay()

    async def _answers(self) -> float | None:
        """Returns when the store has failed somebody: seconds until it is asked again, None if it
        was well for a while.
        """
        if self._troubled or not self._opened:
            self._opened = True
            for key in self._cluster.keys():  # noqa: SIM118 a method of a port
                self._look(key)
        if self._troubled and not await self._stays():
            return await self._fails(self._ledger.failure)
        self._backoff.reset()
        if self._told:
            await self._tell(None)
        self._told = False
        await self._watch()
        self._troubled = True
        return None

    async def _stays(self) -> bool:
        """Whether it fails nobody for a while. One that opens and then refuses what somebody asks
        is not to be opened each second, nor told of each time.
        """
        try:
            await self._clock.within(STEADY, self._ledger.until_lost())
        except TimeoutError:
            return True
        return False

    async def _watch(self) -> None:
        """Until the store has failed somebody."""
        if self._look_every is None:
            return await self._ledger.until_lost()
        while True:
            try:
                return await self._clock.within(self._look_every, self._ledger.until_lost())
            except TimeoutError:
                with contextlib.suppress(StoreUnavailable, StoreMisused):  # then it is lost
                    await self._ledger.look()

    async def _look_at_the_absent(self) -> None:
        """Deployments that went away while nobody looked: their runs are given up in time. Those
        that are not ours to watch are left to whoever watches them.
        """
        there = set(self._cluster.keys())
        try:
            known = await self._store.mirrors()
        except StoreItemUnusable as error:
            logger.bind(why=str(error)).warning("deployments that went away are not known")
            return
        for key in known:
            if key not in there and self._cluster.watches(key):
                self._look(key)
