"""Opens the store, and opens it again whenever it was lost: the one loop that asks for it."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.engine.claims.ledger import Ledger
from controller.engine.ports import Cluster, StateStore
from store.api import StoreMisused, StoreUnavailable

# Asking a store that is away: soon, then every half minute; it costs one connection.
STORE_BACKOFF = BackoffPolicy(first=1.0, cap=30.0)


class StoreKeeper:
    """Has all Deployments looked at when the store is there again, those too that are gone."""

    def __init__(  # noqa: PLR0913 five collaborators, an id and two ears
        self,
        ledger: Ledger,
        store: StateStore,
        cluster: Cluster,
        clock: Clock,
        random: Random,
        *,
        cluster_id: str,
        look: Callable[[str], None],
        tell: Callable[[str | None], Awaitable[None]],
    ) -> None:
        """look: is given the key of what is to be looked at. tell: is given why the store is away,
        once, and None when it answers again.
        """
        self._ledger = ledger
        self._store = store
        self._cluster = cluster
        self._clock = clock
        self._backoff = Backoff(STORE_BACKOFF, clock, random)
        self._cluster_id = cluster_id
        self._look = look
        self._tell = tell
        self._asked = asyncio.Event()

    async def until_asked(self) -> None:
        """Returns when the store has answered once, or failed to."""
        await self._asked.wait()

    async def run(self) -> None:
        told = opened = False
        while True:
            delay = STORE_BACKOFF.first
            try:
                if not opened:
                    await self._ledger.open(self._cluster_id)
                await self._ledger.mend()
                if told or not opened:
                    await self._look_at_the_absent()
            except (StoreUnavailable, StoreMisused) as error:
                self._asked.set()
                delay = self._backoff.next_delay()
                if not told:
                    told = True
                    await self._tell(str(error))
            else:
                self._asked.set()
                self._backoff.reset()
                if told:
                    await self._tell(None)
                if told or not opened:
                    told, opened = False, True
                    for key in self._cluster.keys():  # noqa: SIM118 a method of a port
                        self._look(key)
                await self._ledger.until_lost()
            await self._clock.sleep(delay)

    async def _look_at_the_absent(self) -> None:
        """Deployments that went away while nobody looked: their runs are given up in time."""
        there = set(self._cluster.keys())
        for key in await self._store.mirrors():
            if key not in there:
                self._look(key)
