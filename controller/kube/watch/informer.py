"""One collection kept in a cache, and told about: a reflector, a cache and handlers."""

from collections.abc import AsyncIterator, Callable, Sequence
from random import Random
from typing import Generic, Never, TypeVar

from loguru import logger

from controller.base.backoff import BackoffPolicy
from controller.base.clock import Clock
from controller.kube.watch.cache import Cache, Change
from controller.kube.watch.decoding import Changed, Deleted, Unreadable, metadata_of
from controller.kube.watch.listing import Listing
from controller.kube.watch.reflector import Offer, Reflector, ReflectorTimes

T = TypeVar("T")
P = TypeVar("P")

# Of a list, that are compared or told in one step. Ten thousand pods at once held the loop for a
# tenth of a second (--only first_sync).
_PART = 500


class Informer(Generic[T]):
    """cache: to be read by anybody. Handlers are called from the reading loop and may only note a
    key: a slow reader is cut off by the server [26].
    """

    def __init__(
        self,
        offer: Offer[T],
        cache: Cache[T],
        clock: Clock,
        random: Random,
        times: ReflectorTimes | None = None,
        policy: BackoffPolicy | None = None,
    ) -> None:
        self.cache = cache
        self.name = f"{offer.plural} in {offer.namespace or 'all namespaces'}"
        self._kind = offer.plural
        self._clock = clock
        self._handlers: list[Callable[[Change[T]], None]] = []
        self._unreadable: dict[str, str] = {}
        self._reflector = Reflector(offer, self, clock, random, times, policy)

    def on_change(self, handler: Callable[[Change[T]], None]) -> None:
        self._handlers.append(handler)

    @property
    def synced(self) -> bool:
        return self._reflector.synced.is_set()

    def keeps_up(self) -> bool:
        """Whether the cache is known to be as the collection is now, or was moments ago."""
        return self._reflector.keeps_up()

    @property
    def listed(self) -> float | None:
        """Monotonic seconds at which the last list was asked for; None before the first."""
        return self._reflector.listed

    async def relist(self) -> None:
        """Lists anew at once. Raises what the list raises."""
        await self._reflector.relist()

    async def wait_synced(self) -> None:
        await self._reflector.synced.wait()

    def troubles(self) -> list[str]:
        """A sentence for the watch, if it is in trouble, and one for each object that cannot be
        read.
        """
        watch = [self._reflector.trouble] if self._reflector.trouble else []
        return watch + [
            f"{self._kind} {key or 'without a name'} cannot be read: {why}"
            for key, why in sorted(self._unreadable.items())
        ]

    async def run(self) -> Never:
        await self._reflector.run()

    async def replace(self, listing: Listing[T]) -> None:
        """As the reflector's replica: the whole list."""
        here = {each.key for each in listing.unreadable}
        self._unreadable = {k: why for k, why in self._unreadable.items() if k in here}
        for each in listing.unreadable:
            self._note_unreadable(each)
        replacement = self.cache.replacement(keep=here)
        async for part in self._parts(listing.objects):
            replacement.add(part)
        async for changes in self._parts(replacement.finish()):
            self._tell(changes)

    def apply(self, event: Changed[T] | Deleted | Unreadable) -> None:
        """As the reflector's replica: one event."""
        if isinstance(event, Changed):
            if self._unreadable:
                self._unreadable.pop(metadata_of(event.object).key, None)
            self._tell(self.cache.put(event.object))
        elif isinstance(event, Deleted):
            self._unreadable.pop(event.key, None)
            self._tell(self.cache.remove(event.key, event.uid))
        else:
            self._note_unreadable(event)

    def _note_unreadable(self, event: Unreadable) -> None:
        if event.key not in self._unreadable:  # said once, until it could be read again
            logger.bind(kind=self._kind, key=event.key, why=event.why).warning(
                "object cannot be read"
            )
        self._unreadable[event.key] = event.why

    async def _parts(self, whole: Sequence[P]) -> AsyncIterator[Sequence[P]]:
        """Others have the loop between two of them."""
        for begin in range(0, len(whole), _PART):
            if begin:
                await self._clock.sleep(0)
            yield whole[begin : begin + _PART]

    def _tell(self, changes: Sequence[Change[T]]) -> None:
        for change in changes:
            for handler in self._handlers:
                handler(change)
