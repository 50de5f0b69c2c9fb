"""What a store still keeps though nothing needs it, and how it is cleared away while others use it.

Never among it: claims and what is pending, which decide what is tested; builds, seen builds and
what stands in a history, which are what people ask about years later.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# A followed tag is written at each poll. Whoever follows one that was away for so long writes it
# anew at the next.
TAG_IDLE_SECONDS = 30 * 86400.0


class Kind(StrEnum):
    """As people read it."""

    COPY = "copy"  # of a Deployment's record; a candidate: the store cannot tell who is gone
    TAG = "tag"  # for which its registry has not answered for TAG_IDLE_SECONDS
    TRANSITION = "transition"  # that stands in no history
    RUN = "run"  # without an end of its keeping
    EVIDENCE = "evidence"  # the same


# These are not removed: their keeping ends from now on as it should have.
EXPIRING = frozenset((Kind.RUN, Kind.EVIDENCE))


@dataclass(frozen=True)
class Leftover:
    """One thing, as it stood when it was found."""

    kind: Kind
    name: str  # the Deployment, `repository:tag`, the id, or `target/run`
    stamp: str  # of a copy its record, of a tag its time, of a transition its target; else empty
    size: int | None = None  # bytes of memory; None: the server does not say
    # Of a copy: target and build of each claim that its record proves
    proves: tuple[tuple[str, str], ...] = ()


class Sweeper(ABC):
    """A store that can be swept. Both methods raise `StoreUnavailable` and `StoreMisused`."""

    @abstractmethod
    def leftovers(self, *, now: float) -> AsyncIterator[list[Leftover]]:
        """In small steps, so that nobody else waits for long. now: seconds since 1970."""

    @abstractmethod
    async def clear(self, found: Sequence[Leftover], *, evidence_seconds: float) -> list[Leftover]:
        """Those that were cleared. What has changed since it was found stays; so does the copy of a
        Deployment with a pending claim, or of one whose record proves a claim that does not stand.
        evidence_seconds: for which evidence without an end is kept from now on.
        """
