"""The history page by page, newest first, and no further than a person waits for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf, nextafter

from store.api import StateStore, Transition

# Transitions that a search looks through, or up to a page more: a second or two of a near store.
LOOKED_THROUGH = 10_000
PAGE = 1000  # transitions read at once
PARTIAL = f"only the newest {LOOKED_THROUGH} transitions were looked through"


@dataclass
class Search:
    """One search through the history of a target, or of all."""

    store: StateStore
    target: str | None  # None: all
    before: float | None = None  # seconds since 1970; None: up to now
    page: int = PAGE
    cut: bool = False  # LOOKED_THROUGH was met: older ones were not looked at

    async def pages(self) -> AsyncIterator[list[Transition]]:
        """Each transition once; no page is empty. Raises StoreUnavailable, and StoreMisused for a
        target that is no slug.
        """
        looked, before, again = 0, self.before, set[str]()
        while True:
            limit = self.page + len(again)
            page = await self.store.history(self.target, limit=limit, before=before)
            fresh = [each for each in page if each.id not in again]
            if not fresh:
                return
            if looked >= LOOKED_THROUGH:
                self.cut = True
                return
            yield fresh
            looked += len(fresh)
            # More of the last second may follow, and so the next page begins with that second.
            last = page[-1].at
            before, again = nextafter(last, inf), {each.id for each in page if each.at == last}
