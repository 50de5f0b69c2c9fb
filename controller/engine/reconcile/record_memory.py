"""What the engine remembers of each Deployment's record, so that no older one is believed (I7)."""

from loguru import logger

from controller.base.errors import TargetFault
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, decode_record
from store.api import StateStore, StoreItemUnusable


class RecordMemory:
    """The newest record seen or written, by key. The store's mirror is read once for each key."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._records: dict[str, Record] = {}
        self._objects: dict[str, Deployment] = {}
        self._asked: set[str] = set()

    def known(self, key: str) -> bool:
        """Whether the store was asked for its copy."""
        return key in self._asked

    def record(self, key: str) -> Record | None:
        return self._records.get(key)

    def written(self, deployment: Deployment, record: Record | None) -> None:
        """Notes an accepted write and the object that the API server returned for it."""
        self._objects[deployment.metadata.key] = deployment
        if record is not None:
            self.note(record)

    def note(self, record: Record) -> None:
        newest = self._records.get(record.key)
        if newest is None or record.seq >= newest.seq:
            self._records[record.key] = record

    def freshest(self, key: str, cached: Deployment | None) -> Deployment | None:
        """The cached object, or the one that our last write returned while the cache is behind it.

        Resource versions are opaque [4], so "behind" is told by generation, which moves with every
        write of ours [recording 30] and never goes back for one uid.
        """
        ours = self._objects.get(key)
        if ours is None or cached is None:
            return cached
        a, b = ours.metadata, cached.metadata
        if a.uid == b.uid and a.generation > b.generation:
            return ours
        del self._objects[key]
        return cached

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
        self._objects.pop(key, None)
        self._asked.discard(key)
