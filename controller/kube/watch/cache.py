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
        key = metadata_of(found).key
        before = self._objects.get(key)
        changes = _changes(before, found)
        if not changes:
            return changes
        if before is None:
            self._sorted = None
        else:
            self._discard(key, before)
        self._insert(key, found)
        return changes

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

    def replacement(self, keep: Iterable[str] = ()) -> "Replacement[T]":
        """Begins to become equal to a whole list. keep: keys that are in the list and could not be
        read: they stay as they are.
        """
        kept = [found for key in keep if (found := self.get(key)) is not None]
        return Replacement(self, Cache(self._owner_of), kept)

    def become(self, other: "Cache[T]") -> None:
        """Holds what the other holds, which is not to be used any more."""
        self._objects, self._owned, self._sorted = other._objects, other._owned, None

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


class Replacement(Generic[T]):
    """A whole list that takes the place of what a cache holds [28]: compared part by part, for the
    loop is not to be held by thousands, and put in its place at once. The cache must not change
    meanwhile.
    """

    def __init__(self, cache: Cache[T], empty: Cache[T], kept: Iterable[T]) -> None:
        self._cache = cache
        self._next = empty
        self._changes: list[Change[T]] = []
        for each in kept:
            self._next.put(each)

    def add(self, found: Iterable[T]) -> None:
        """So much more of the list."""
        for each in found:
            before = self._cache.get(metadata_of(each).key)
            changes = _changes(before, each)
            self._changes += changes
            self._next.put(each if changes or before is None else before)

    def finish(self) -> list[Change[T]]:
        """From now on the cache is equal to the list: what it knew and the list has not is gone."""
        for key in self._cache.keys():  # noqa: SIM118 a method of ours, which sorts
            if self._next.get(key) is None:
                self._changes.append(Change(self._cache.get(key), None))
        self._cache.become(self._next)
        return self._changes


def _changes(before: T | None, found: T) -> list[Change[T]]:
    if before is None:
        return [Change(None, found)]
    known, metadata = metadata_of(before), metadata_of(found)
    if known.uid != metadata.uid:
        return [Change(before, None), Change(None, found)]
    # A version alone may be told twice: where the server's memory was put back to an earlier day,
    # it counts on from there.
    if known.resource_version == metadata.resource_version and before == found:
        return []
    return [Change(before, found)]
