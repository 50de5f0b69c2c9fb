"""Conditions that begin and end: told once, however often they are seen in between."""

from controller.base.clock import Clock


class Muffler:
    """Remembers which conditions hold.

    after: seconds that a condition must have lasted before it is told; one that ends sooner is
    never told, and neither is its end. Nothing is remembered over a restart: a condition that
    still holds then is told again.
    """

    def __init__(self, clock: Clock, after: float = 0.0) -> None:
        self._clock = clock
        self._after = after
        self._begun: dict[str, float] = {}
        self._told: set[str] = set()

    def begin(self, key: str) -> bool:
        """The condition is seen, perhaps again. Returns whether to tell: once until its end."""
        begun = self._begun.setdefault(key, self._clock.monotonic())
        if key in self._told or self._clock.monotonic() - begun < self._after:
            return False
        self._told.add(key)
        return True

    def end(self, key: str) -> bool:
        """The condition does not hold. Returns whether to tell: only if its beginning was told."""
        self._begun.pop(key, None)
        if key not in self._told:
            return False
        self._told.discard(key)
        return True

    def holding(self) -> list[str]:
        """The conditions that were told and have not ended, sorted."""
        return sorted(self._told)
