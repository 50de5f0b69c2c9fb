"""What holds for a while and is told once: however often it is seen in between."""

from collections.abc import KeysView
from typing import Generic, TypeVar

T = TypeVar("T")


class SaidOnce(Generic[T]):
    """Remembers, by key, what holds and was said of it; it tells nobody itself. Nothing is
    remembered over a restart: what still holds then is said again.

    Bounded by its keys: whoever names things that come and go calls `end` when one has gone.
    """

    def __init__(self) -> None:
        self._said: dict[str, T] = {}

    def begin(self, key: str, what: T) -> bool:
        """It is seen, perhaps again. Whether that is news: nothing was said of this key since its
        last end, or something else.
        """
        if key in self._said and self._said[key] == what:
            return False
        self._said[key] = what
        return True

    def end(self, key: str) -> T | None:
        """It holds no more. What was said last; None where nothing was, and so its end is no news
        either.
        """
        return self._said.pop(key, None)

    def keys(self) -> KeysView[str]:
        """Of what was said and has not ended."""
        return self._said.keys()
