"""The objects of one kind as last heard of; says what each hearing changed. No I/O."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from controller.kube.watch.decoding import metadata_of

T = TypeVar("T")


class Change(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One object, as it was and as it is."""

    before: T | None  # None for what was added
    after: T | None  # None for what is gone, or lost its label [27]


class Cache(Generic[T]):
    """Keys are `namespace/name`. Objects are immutable and may be kept by readers.

    owner_of: the key of what an object belongs to, for `owned`; None for nothing.
    """

    def __init__(self, owner_of: Callable[[T], str | None] = lambda _: None) -> None:
        self._objects: dict[str, T] = {}
        self._sorted: list[str] | None = None  # its keys; None when they are to be sorted anew
        self._owner_of = owner_of
        self._owned: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: str) -> T | None:
        return self._objects.get(key)

    def keys(self) -> Sequence[str]:
        """Sorted; sorted anew only after one came or went."""
        if self._sorted is None:
            self._sorted = sorted(self._objects)
        return self._sorted

    def owned(self, owner: str) -> Sequence[T]:
        """Objects of that owner, by key."""
        return [self._objects[key] for key in sorted(self._owned.get(owner, ()))]

    def put(self, found: T) -> list[Change[T]]:
        """Nothing if it is known just so; two changes, gone and added, if the name belongs to
        another object now [28].
        """
        metadata = metadata_of(found)
        key = metadata.key
        before = self._objects.get(key)
        if before is None:
            self._sorted = None
            self._insert(key, found)
            return [Change(None, found)]
        known = metadata_of(before)
        if known.uid != metadata.uid:
            self._discard(key, before)
            self._insert(key, found)
            return [Change(before, None), Change(None, found)]
        # A version alone may be told twice: where the server's memory was put back to an earlier
        # day, it counts on from there.
        if known.resource_version == metadata.resource_version and before == found:
            return []
        self._discard(key, before)
        self._insert(key, found)
        return [Change(before, found)]

    def remove(self, key: str, uid: str = "") -> list[Change[T]]:
        """Nothing if the key is unknown, or if another object has the name by now. uid: empty for
        whichever has it.
        """
        before = self._objects.get(key)
        if before is None or (uid and metadata_of(before).uid != uid):
            return []
        self._sorted = None
        del self._objects[key]
        self._discard(key, before)
        return [Change(before, None)]

    def replace(self, found: Iterable[T], keep: Iterable[str] = ()) -> list[Change[T]]:
        """Becomes equal to a whole list; what is known and not in it is gone [28]. keep: keys that
        are in the list and could not be read: they stay as they are.
        """
        changes: list[Change[T]] = []
        listed = set(keep)
        for each in found:
            listed.add(metadata_of(each).key)
            changes.extend(self.put(each))
        for key in self.keys():
            if key not in listed:
                changes.extend(self.remove(key))
        return changes

    def _insert(self, key: str, found: T) -> None:
        self._objects[key] = found
        if (owner := self._owner_of(found)) is not None:
            self._owned[owner].add(key)

    def _discard(self, key: str, before: T) -> None:
        """It is its owner's no more."""
        if (owner := self._owner_of(before)) is not None:
            self._owned[owner].discard(key)
            if not self._owned[owner]:
                del self._owned[owner]
