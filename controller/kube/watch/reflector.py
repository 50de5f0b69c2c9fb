"""Keeps a replica equal to a collection: list, watch from there, and the answer to each failure.

Three loops, each within the one before: for ever; one list and its watches; one watch.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Generic, Never, Protocol, TypeVar

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import Busy, Refused, Trouble, Unavailable
from controller.base.http_errors import NotConnected
from controller.kube.api.errors import Expired, refusal
from controller.kube.api.resources import Operation
from controller.kube.watch.asked_lists import AskedLists
from controller.kube.watch.decoding import (
    Bookmark,
    Changed,
    Deleted,
    Failure,
    Unreadable,
    WatchEvent,
)
from controller.kube.watch.listing import Listing

T = TypeVar("T")


@dataclass(frozen=True)
class ReflectorTimes:
    """Seconds, but for the two that say otherwise."""

    # asked of the server, at random between the two, so that not all watches end together
    # (client-go's five to ten minutes [15])
    shortest_watch: float = 300.0
    longest_watch: float = 600.0
    # a watch from a position that the server has not reached yet is accepted and stays silent for
    # ever, so the list is taken anew now and then [12]
    relist_every: float = 1200.0
    relist_jitter: float = 0.2  # share of relist_every, more or less
    # a watch that ends sooner is a failure, or a broken server would be asked in a hot loop [25]
    hardly: float = 1.0
    # a watch that stood so long was a good one, however it ended: load balancers cut what is idle,
    # after half a minute or more
    good: float = 10.0
    # rights come back when a person gives them: trying faster only fills audit logs
    refused: float = 30.0
    # number of watches that fail in a row from one position before it is doubted [11]
    fruitless: int = 3
    # a position from which nothing came for so long is doubted, not even a bookmark, which a quiet
    # server sends late but sends: one whose memory was put back to an earlier day has not got to
    # that position yet, and says nothing for ever [12]
    silent: float = 300.0
    # a replica that heard nothing for so long may be old: more than the silence that ends a stream
    # of which a bookmark was due, and less than anything is patient
    stale: float = 120.0


class Offer(Protocol[T]):
    """What a reflector reads from; `list_and_watch.ListAndWatch` is one."""

    @property
    def plural(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    async def listing(self) -> Listing[T]: ...

    def watch(
        self, resource_version: str, timeout: float
    ) -> AsyncGenerator[list[WatchEvent[T]], None]: ...


class Replica(Protocol[T]):
    """What a reflector keeps equal. Neither may raise, and `apply` not wait: a slow reader is cut
    off [26].
    """

    async def replace(self, listing: Listing[T]) -> None: ...

    def apply(self, event: "Changed[T] | Deleted | Unreadable") -> None: ...


class Reflector(Generic[T]):
    """Fills one replica from one offer, for ever."""

    def __init__(
        self,
        offer: Offer[T],
        replica: Replica[T],
        clock: Clock,
        random: Random,
        times: ReflectorTimes | None = None,
        policy: BackoffPolicy | None = None,
    ) -> None:
        self._offer = offer
        self._replica = replica
        self._clock = clock
        self._random = random
        self._times = times or ReflectorTimes()
        self._backoff = Backoff(policy or BackoffPolicy(), clock, random)
        self._position = ""
        self._fruitless = 0
        # monotonic seconds of the last list, of the last sign of life of list or watch, and of the
        # last word from which the position is
        self._listed = self._heard = self._moved = 0.0
        self._asked = AskedLists()
        self._operation = Operation("watch", offer.plural, offer.namespace)
        self._log = logger.bind(kind=offer.plural, namespace=offer.namespace or "*")
        self.trouble: str | None = None  # a sentence while it does not keep up
        self.synced = asyncio.Event()  # set when the first list has been put into the replica

    def keeps_up(self) -> bool:
        """Whether the replica is known to be as the collection is now, or was moments ago."""
        heard = self._clock.monotonic() - self._heard <= self._times.stale
        return self.synced.is_set() and self.trouble is None and heard

    @property
    def listed(self) -> float | None:
        """Monotonic seconds at which the last list was asked for; None before the first."""
        return self._listed if self.synced.is_set() else None

    async def relist(self) -> None:
        """Lists anew at once, whatever the watch says. Raises what the list raises."""
        await self._asked.ask()

    async def run(self) -> Never:
        """The outermost loop; never ends. Known trouble is answered here, not raised."""
        while True:
            try:
                await self._asked.answer(self._list())
            except Busy as exc:  # it said when it may be asked again
                await self._back_off(exc)
            except Trouble as exc:
                await self._asked.unless_asked(self._back_off(exc))
            else:
                await self._asked.unless_asked(self._watch_until_relist())

    async def _list(self) -> None:
        asked_at = self._clock.monotonic()
        listing = await self._offer.listing()
        await self._replica.replace(listing)
        # Taken only now: events before the list are in it, events after it follow in the watch.
        self._position = listing.resource_version
        self._fruitless = 0
        self._listed = asked_at
        self._heard = self._moved = self._clock.monotonic()
        self.synced.set()
        self._log.bind(count=len(listing.objects), resource_version=self._position).debug("listed")

    async def _watch_until_relist(self) -> None:
        """The middle loop: one list's watches, each from where the last one got to. Returns when
        only a list helps, or when it is time for one.
        """
        jitter = 1.0 + self._times.relist_jitter * (2.0 * self._random.random() - 1.0)
        relist_at = self._clock.monotonic() + self._times.relist_every * jitter
        # No watch is begun that would end too soon to tell from a failure.
        while (left := relist_at - self._clock.monotonic()) > 5 * self._times.hardly:
            try:
                await self._watch(left)
            except Expired as exc:
                self._log.bind(resource_version=self._position).info("watch position expired")
                await self._back_off(exc, trouble=False)
                return
            except (Busy, NotConnected) as exc:
                # The server is overloaded or away: the position is as good as it was [25].
                await self._back_off(exc)
            except Trouble as exc:
                self._fruitless += 1
                await self._back_off(exc)
                if self._fruitless >= self._times.fruitless:
                    return
            else:
                self._fruitless = 0
                if self._clock.monotonic() - self._moved > self._times.silent:
                    self._log.bind(resource_version=self._position).debug("position is silent")
                    return

    async def _watch(self, left: float) -> None:
        """The innermost loop: one request. Returns at its clean end, and also where a good one was
        cut or fell silent; raises Expired, and every other trouble, an end that came too soon among
        them.
        """
        began = self._clock.monotonic()
        try:
            await self._hear(left)
        except (Busy, NotConnected):
            raise
        except Unavailable as exc:
            if self._clock.monotonic() - began < self._times.good:
                raise
            self._log.bind(why=str(exc)).debug("watch was cut")
        lasted = self._clock.monotonic() - began
        if lasted < self._times.hardly:
            raise Unavailable(f"the watch ended after {lasted:.1f} seconds, to {self._operation}")
        if lasted >= self._times.good:
            self._backoff.reset()

    async def _hear(self, left: float) -> None:
        drawn = self._random.uniform(self._times.shortest_watch, self._times.longest_watch)
        async with aclosing(self._offer.watch(self._position, min(drawn, left))) as batches:
            async for events in batches:
                self._heard = self._clock.monotonic()
                self._recovered()
                for event in events:
                    self._take(event)

    def _take(self, event: WatchEvent[T]) -> None:
        """Of what was heard just now."""
        if isinstance(event, Failure):
            raise refusal(event.status.code, event.status, self._operation)
        if not isinstance(event, Bookmark):
            self._replica.apply(event)
        if event.resource_version:
            self._position = event.resource_version
            self._moved = self._heard
            self._fruitless = 0

    async def _back_off(self, exc: Trouble, *, trouble: bool = True) -> None:
        at_least: float | None = None
        if isinstance(exc, Busy):
            at_least = exc.retry_after
        elif isinstance(exc, Refused):
            at_least = self._times.refused
        delay = self._backoff.next_delay(at_least)
        log = self._log.bind(why=str(exc), delay_seconds=round(delay, 1))
        if trouble and self.trouble is None:
            log.warning("watch is in trouble")
        else:
            log.debug("watch waits")
        if trouble:
            self.trouble = str(exc)
        await self._clock.sleep(delay)

    def _recovered(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            self._log.info("watch has recovered")
