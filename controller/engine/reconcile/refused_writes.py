"""Writes that are not taken though nobody else was first, and when each is tried again.

Whatever has a Deployment looked at (a watch, the node, the resync) has its write decided again. It
is sent again only when its own delay is over, which grows with each refusal; what else the look is
for goes on meanwhile.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import Forbidden, Refused, Trouble, Unsettled, WriteRefused
from controller.domain.objects import Deployment
from controller.domain.record.write import Write, WriteReply

# A slip heals in seconds, a policy in hours: some fifteen tries an hour at last, and at most six
# minutes from the moment at which the write would be taken. Who heals a label that another hand
# takes off again and again does so at the same delays; an hour of quiet makes them short again.
WRITE_BACKOFF = BackoffPolicy(first=2.0, factor=2.5, cap=300.0, jitter=0.2, reset_after=3600.0)
# Seconds after a try until the next one where somebody has changed the Deployment: perhaps just so
# that it is taken.
SOON = 30.0
# Refusals in a row until one that may pass by itself is told to people.
LASTING = 3
# Seconds for which a Deployment is left as it is whose writes were undone a dozen times in a row.
UNSETTLED = 600.0


class Part(IntEnum):
    """What a write is about; one that is taken shows that those after it are, too."""

    PIN = 0  # images and run id
    RECORD = 1
    WORDS = 2  # label and message alone


def part_of(write: Write) -> Part:
    if write.pins:
        return Part.PIN
    return Part.WORDS if write.only_says else Part.RECORD


@dataclass
class Refusal:
    """One part of one Deployment's writes."""

    backoff: Backoff
    error: Trouble | None = None  # the last one; None: nothing was refused, it only waits
    stands: bool = False  # the write is still wanted, and was not taken
    changed: str = ""  # what stands otherwise than it was written
    tries: int = 0  # refused in a row
    last: float = -math.inf  # monotonic, of the last try
    until: float = -math.inf  # monotonic, before which there is no other
    generation: int = 0  # of the Deployment, when it was refused

    @property
    def lasting(self) -> bool:
        """Whether people are told."""
        passing = isinstance(self.error, WriteRefused) and self.error.passing
        return self.stands and (not passing or self.tries >= LASTING)


class RefusedWrites:
    """By key of a Deployment. Nothing is remembered over a restart."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._refusals: dict[tuple[str, Part], Refusal] = {}
        self._generations: dict[str, int] = {}  # of Deployments that have refusals

    def look(self, deployment: Deployment) -> None:
        """The Deployment is seen so: another generation than that of a refusal is a new chance."""
        key = deployment.metadata.key
        for _, refusal in self._of(key):
            undone = isinstance(refusal.error, Unsettled)
            if not undone and refusal.generation != deployment.metadata.generation:
                refusal.until = min(refusal.until, refusal.last + SOON)
        self._generations[key] = deployment.metadata.generation

    def holds(self, write: Write) -> float | None:
        """Seconds until the write may be sent; None: now."""
        found = self._refusals.get((write.key, part_of(write)))
        left = found.until - self._clock.monotonic() if found else 0.0
        return left if left > 0 else None

    def check(self, write: Write) -> None:
        """Raises what a write of its part was refused with, while it is not to be sent again."""
        left, found = self.holds(write), self._refusals.get((write.key, part_of(write)))
        if left is not None and found is not None and found.error is not None:
            found.stands = True
            raise _again(found, left)

    def refused(self, write: Write, error: WriteRefused | Forbidden) -> Trouble:
        """Notes it. The error to be raised: with when it is tried again, and `passing` False as
        soon as people are to hear of it.
        """
        found = self._tried(write.key, part_of(write))
        found.error, found.stands, found.changed = error, True, ""
        found.tries += 1
        return _again(found, found.until - found.last)

    def unsettled(self, key: str, error: Unsettled) -> None:
        """Nothing of it is written for a while, whatever its part."""
        for part in Part:
            found = self._tried(key, part)
            found.error, found.stands = error, True
            found.until = max(found.until, found.last + UNSETTLED)

    def taken(self, write: Write, reply: WriteReply) -> None:
        """A write was applied."""
        part = part_of(write)
        for other in Part:
            if part <= other < Part.WORDS:
                self._refusals.pop((write.key, other), None)
        words = self._refusals.get((write.key, Part.WORDS))
        if reply.changed or part is Part.WORDS:
            words = self._tried(write.key, Part.WORDS)
        if words is not None:
            words.error, words.stands, words.tries = None, False, 0
            words.changed = reply.changed
        if reply.deployment is not None:  # a generation of our own making is no new chance
            for _, refusal in self._of(write.key):
                refusal.generation = reply.deployment.metadata.generation

    def nothing_to_write(self, key: str, *, pin: bool) -> None:
        """What was refused is not wanted any more. pin: neither is the pin. The delays stay as long
        as they are until it was quiet for long.
        """
        now = self._clock.monotonic()
        for part, refusal in list(self._of(key)):
            if part is not Part.PIN or pin:
                refusal.stands, refusal.changed = False, ""
                if now - refusal.until > WRITE_BACKOFF.reset_after:
                    del self._refusals[key, part]

    def why_no_pin(self, key: str) -> str:
        """Why a run cannot be started now: what the API server said; empty while one can be."""
        found = self._refusals.get((key, Part.PIN))
        if found is None or not found.lasting or found.until <= self._clock.monotonic():
            return ""
        return "" if isinstance(found.error, Unsettled) else str(found.error)

    def again_in(self, key: str) -> float | None:
        """Seconds until the next part may be tried that waits; None: none does."""
        now = self._clock.monotonic()
        waits = [
            refusal.until - now
            for part, refusal in self._of(key)
            if refusal.until > now and (refusal.stands or part is Part.WORDS)
        ]
        return min(waits, default=None)

    def unrecorded(self, key: str) -> tuple[str, str] | None:
        """Reason and sentence of what stands refused and the record does not say; None: nothing."""
        for part, refusal in self._of(key):
            if part is Part.PIN:
                continue
            if refusal.lasting:
                return reason_of(refusal.error), str(refusal.error)
            if refusal.changed:
                return "WriteChanged", (
                    f"what the controller writes is changed on the way: {refusal.changed}; a"
                    " mutating webhook or policy of the cluster does so, and results are told"
                    " all the same"
                )
        return None

    def troubles(self) -> list[str]:
        """A sentence for each Deployment whose writes are refused, sorted."""
        said = {key: str(r.error) for (key, _), r in self._refusals.items() if r.lasting}
        return [f"a write to {key} is refused: {why}" for key, why in sorted(said.items())]

    def forget(self, key: str) -> None:
        for part in Part:
            self._refusals.pop((key, part), None)
        self._generations.pop(key, None)

    def _of(self, key: str) -> Iterator[tuple[Part, Refusal]]:
        for part in Part:
            found = self._refusals.get((key, part))
            if found is not None:
                yield part, found

    def _tried(self, key: str, part: Part) -> Refusal:
        found = self._refusals.get((key, part))
        if found is None:
            backoff = Backoff(WRITE_BACKOFF, self._clock, self._random)
            found = self._refusals[key, part] = Refusal(backoff)
        found.last = self._clock.monotonic()
        found.until = found.last + found.backoff.next_delay()
        found.generation = self._generations.get(key, 0)
        return found


def reason_of(error: Trouble | None) -> str:
    """The CamelCase word by which people are told of it."""
    match error:
        case Forbidden():
            return "Forbidden"
        case Unsettled():
            return "Unsettled"
        case _:
            return "WriteRefused"


def _again(refusal: Refusal, left: float) -> Trouble:
    match refusal.error:
        case Forbidden() | Unsettled():
            return type(refusal.error)(str(refusal.error))
        case Refused() as error:
            return WriteRefused(str(error), passing=not refusal.lasting, again_in=left)
        case _:
            raise AssertionError("nothing is refused")
