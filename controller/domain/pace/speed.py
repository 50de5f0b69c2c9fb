"""How fast a stage of a bootstrap went: over the last minutes, and over all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WINDOW = 600.0  # seconds that a rate is of: phases alternate within minutes [112]
POINTS = 8  # of a trail at most: enough to see blocks grow heavier, and to stay small

_SAMPLE = 60.0  # seconds at least between two samples
_FIRST = 300.0  # seconds between the points of a trail that begins


@dataclass(frozen=True)
class Samples:
    """Counts of all stages at times of the last minutes."""

    taken: tuple[tuple[float, Mapping[str, float]], ...] = ()  # (monotonic s, counts), oldest first

    def then(self, at: float, counts: Mapping[str, float]) -> "Samples":
        kept = tuple(sample for sample in self.taken if at - WINDOW <= sample[0] <= at)
        if kept and at - kept[-1][0] < _SAMPLE:
            return Samples(kept)
        return Samples((*kept, (at, counts)))

    def rate(self, at: float, key: str, count: float) -> float | None:
        """Per second over what is known of the window; None if that is less than a minute."""
        oldest = next((sample for sample in self.taken if key in sample[1]), None)
        if oldest is None or at - oldest[0] < _SAMPLE:
            return None
        return (count - oldest[1][key]) / (at - oldest[0])


@dataclass(frozen=True)
class Trail:
    """What a stage had done after each `every` seconds of moving, oldest first. When there are too
    many points every second one goes, and the next are twice as far apart. Of what was not seen it
    makes a straight line.
    """

    every: float = _FIRST  # seconds
    counts: tuple[float, ...] = ()  # empty before the first point

    def then(self, seconds: float, count: float) -> "Trail":
        """seconds: of moving, from the stage's beginning."""
        every, counts = self.every, self.counts
        last_at, last = every * len(counts), counts[-1] if counts else 0.0
        while seconds >= (at := every * (len(counts) + 1)):
            counts = (*counts, last + (count - last) * (at - last_at) / (seconds - last_at))
            if len(counts) > POINTS:
                every, counts = 2 * every, counts[1::2]
        return Trail(every, counts)

    def seconds_at(self, count: float, end: tuple[float, float]) -> float:
        """After how many seconds of moving that much was done; end: the seconds and the count with
        which the stage ended.
        """
        for (since, before), (at, reached) in self._legs(end):
            if count <= reached and reached > before:
                return since + (at - since) * (count - before) / (reached - before)
        return end[0]

    def speed_at(self, count: float, end: tuple[float, float]) -> float | None:
        """Per second of moving when that much was done; None where it is not known."""
        for (since, before), (at, reached) in self._legs(end):
            if count < reached and at > since:
                return (reached - before) / (at - since)
        return None

    def _legs(
        self, end: tuple[float, float]
    ) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
        since = (0.0, 0.0)
        for number, count in enumerate(self.counts, 1):
            reached = (self.every * number, count)
            yield since, reached
            since = reached
        yield since, end
