"""What the engine remembers of each Deployment's record, so that no older one is believed (I7)."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from loguru import logger

from controller.base.errors import TargetFault
from controller.domain.metadata import Metadata
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, decode_record
from store.api import StateStore, StoreItemUnusable

# Seconds in which a watch that is well has shown what we wrote.
CATCHING_UP = 30.0


@dataclass(frozen=True)
class _Ours:
    """What the API server returned to us."""

    deployment: Deployment
    # Of what the cache showed when it was read; None for a write of ours, which the cache has not
    # shown while it shows an earlier generation
    beside: Metadata | None
    at: float  # monotonic seconds


class RecordMemory:
    """The newest record seen or written, by key. The store's mirror is read once for each key."""

    def __init__(self, store: StateStore, monotonic: Callable[[], float] = lambda: 0.0) -> None:
        """monotonic: seconds of a clock that is never put back."""
        self._store = store
        self._records: dict[str, Record] = {}
        self._open: set[str] = set()
        self._monotonic = monotonic
        self._objects: dict[str, _Ours] = {}
        self._asked: set[str] = set()
        self._on_object: Callable[[str], None] = lambda _key: None
        self._unclaimed: set[str] = set()

    def on_object(self, handler: Callable[[str], None]) -> None:
        """Calls `handler` with each key of which `freshest` may answer otherwise from now on,
        whatever the cache says. The handler must only note the key.
        """
        self._on_object = handler

    def unclaimed(self, key: str) -> bool:
        """Whether the store has said, since it was last opened, that no claim of this Deployment's
        waits for its pin; nobody but us makes one.
        """
        return key in self._unclaimed

    def note_pending(self, key: str, *, maybe: bool) -> None:
        """maybe: a claim of this Deployment's may wait for its pin."""
        if maybe:
            self._unclaimed.discard(key)
        else:
            self._unclaimed.add(key)

    def refilled(self) -> None:
        """The store may have forgotten everything, and been told by others of what we claimed."""
        self._unclaimed.clear()

    def known(self, key: str) -> bool:
        """Whether the store was asked for its copy."""
        return key in self._asked

    def record(self, key: str) -> Record | None:
        return self._records.get(key)

    def open_runs(self) -> Set[str]:
        """Keys of those whose newest record has an open run."""
        return self._open

    def written(self, deployment: Deployment, record: Record | None) -> None:
        """Notes an accepted write and the object that the API server returned for it."""
        self._keep(_Ours(deployment, None, self._monotonic()))
        if record is not None:
            self.note(record)

    def read_anew(self, deployment: Deployment, beside: Deployment | None) -> None:
        """Notes a reading past the cache: it is the truth until the cache shows another version
        than `beside`, which it showed when the reading was asked for. It may be older than what we
        wrote: the cluster's memory may have been put back to an earlier day.
        """
        shown = beside.metadata if beside is not None else None
        self._keep(_Ours(deployment, shown, self._monotonic()))

    def note(self, record: Record) -> None:
        newest = self._records.get(record.key)
        if newest is None or record.seq >= newest.seq:
            self._records[record.key] = record
            (self._open.add if record.run is not None else self._open.discard)(record.key)

    def freshest(self, key: str, cached: Deployment | None) -> Deployment | None:
        """The cached object, or the one that our last write or reading returned while the cache is
        behind it.

        Resource versions are opaque [4], so "behind" is told by generation, which moves with every
        write of ours [recording 30] and never goes back for one uid.
        """
        ours = self._objects.get(key)
        if ours is None or cached is None:
            return cached
        a, b = ours.deployment.metadata, cached.metadata
        if a.uid == b.uid and a.generation > b.generation:
            return ours.deployment
        if ours.beside is not None and _is_same(ours.beside, b):
            return ours.deployment
        del self._objects[key]
        return cached

    def overdue_in(self, key: str) -> float | None:
        """Seconds until the cache should have shown what we wrote or read, zero or less where it
        has not: then only a reading tells. None while it is not behind, as of the last `freshest`.
        """
        ours = self._objects.get(key)
        return None if ours is None else ours.at + CATCHING_UP - self._monotonic()

    async def ask(self, key: str) -> None:
        """Reads the store's copy, once. Raises StoreUnavailable."""
        if key in self._asked:
            return
        try:
            fields = await self._store.mirrored(key)
        except StoreItemUnusable as error:
            # As good as none: the record on the Deployment is the truth, and claims stand apart.
            logger.bind(deployment=key, why=str(error)).warning("copy of the record cannot be read")
            fields = {}
        self._asked.add(key)
        if "record" not in fields:
            return
        namespace, _, name = key.partition("/")
        try:
            self.note(decode_record(fields["record"], namespace, name))
        except TargetFault as fault:
            # The record on the Deployment is the truth; a copy that does not parse is none.
            why = f"field record of its hash (`deployment:{key}` below the prefix): {fault}"
            logger.bind(deployment=key, why=why).warning("copy of the record cannot be read")

    def forget(self, key: str) -> None:
        self._records.pop(key, None)
        self._open.discard(key)
        self._asked.discard(key)
        self._unclaimed.discard(key)
        if self._objects.pop(key, None) is not None:
            self._on_object(key)

    def _keep(self, ours: _Ours) -> None:
        key = ours.deployment.metadata.key
        self._objects[key] = ours
        self._on_object(key)


def _is_same(a: Metadata, b: Metadata) -> bool:
    """Whether both are of one version of one object."""
    same = (a.uid, a.resource_version) == (b.uid, b.resource_version)
    return same and bool(a.resource_version)
