"""Values that are forgotten after their time, in the memory of one process."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """now: seconds that never go back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[K, tuple[float, V]] = {}
        # When the first may be over: until then nobody needs to look through all. Too early where
        # its time was renewed, which costs one look and no more.
        self._first = math.inf

    def put(self, key: K, value: V, seconds: float) -> None:
        self._forget()
        until = self._now() + seconds
        self._held[key] = (until, value)
        self._first = min(self._first, until)

    def get(self, key: K) -> V | None:
        self._forget()
        held = self._held.get(key)
        return None if held is None else held[1]

    def _forget(self) -> None:
        now = self._now()
        if now < self._first:
            return
        self._held = {key: held for key, held in self._held.items() if held[0] > now}
        self._first = min((until for until, _ in self._held.values()), default=math.inf)
