"""A map that never grows beyond its bound: what was put in first goes first."""

from collections.abc import Iterator, MutableMapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(MutableMapping[K, V]):
    """For what can be had again, or done twice, once it is forgotten. A key that is put in again
    keeps its place in the order; one that is popped first goes to its end.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held: dict[K, V] = {}

    def __setitem__(self, key: K, value: V) -> None:
        self._held[key] = value
        while len(self._held) > self._bound:
            del self._held[next(iter(self._held))]

    def __getitem__(self, key: K) -> V:
        return self._held[key]

    def __delitem__(self, key: K) -> None:
        del self._held[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)
