"""When a registry asks us to wait, and how much it says is left. No I/O.

Docker Hub has two limits. The pull limit answers in JSON and is counted by GETs; the abuse limit
answers in plain text and counts everything by address [78]. Neither is sure to say how long to
wait. That asking prolongs the abuse limit, and silence lifts it, is our caution and in no source.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

from yarl import URL

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.errors import Busy
from controller.base.text import shown
from controller.domain.build import Quota
from controller.registry.hosts import Endpoint
from controller.registry.said import quoted

# One poll interval first, and an hour at most: a window of the pull limit is six hours [75].
PULL_LIMIT = BackoffPolicy(first=60.0, cap=3600.0, jitter=0.2, reset_after=6 * 3600.0)
# How long it lasts is not known [78]. Five minutes at once, in case each request prolongs it.
ABUSE_LIMIT = BackoffPolicy(first=300.0, cap=3600.0, jitter=0.2, reset_after=6 * 3600.0)

# Seconds: no limit of a registry is longer than its window [75], and a slip in a header must not
# silence us for ever.
LONGEST_WAIT = 6 * 3600.0

_COUNT = re.compile(r"\s*(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?\s*")
_NUMBER = re.compile(r"\s*(\d{1,13})(?:\.\d*)?\s*")
# A number above is a moment since 1970, in seconds or in milliseconds: nobody asks us to wait for
# thirty years.
_FIRST_MOMENT = 1e9
_FIRST_MILLISECOND = 1e11
# In the order in which they are believed; the last are of products that send no Retry-After.
_WAITS = ("Retry-After", "X-Retry-After", "X-RateLimit-Reset", "RateLimit-Reset")


class Gate:
    """Keeps us from asking one registry before the moment that it named.

    name: of the registry, for sentences.
    """

    def __init__(self, name: str, clock: Clock, random: Random) -> None:
        self._name = name
        self._clock = clock
        self._not_before = clock.monotonic()
        self._said = ""  # by the registry, when it asked us to wait
        self._pull_limit = Backoff(PULL_LIMIT, clock, random)
        self._abuse_limit = Backoff(ABUSE_LIMIT, clock, random)

    def check(self) -> None:
        """Raises Busy, without a request, until the moment has come."""
        left = self._not_before - self._clock.monotonic()
        if left > 0:
            raise self._busy(left)

    def read(self, status: int, headers: Mapping[str, str], said: str = "") -> Busy | None:
        """The error to raise if this answer asks us to wait; the gate is closed then. said: what
        the answer says of it.
        """
        if status != 429 and not (status == 503 and "Retry-After" in headers):
            return None
        asked = wait_asked(headers, self._clock.now())
        if asked is None:
            # The type of the body, not the body: a HEAD has none.
            plain = "json" not in headers.get("Content-Type", "")
            asked = (self._abuse_limit if plain else self._pull_limit).next_delay()
        self._said = said
        # A second answer, to a request that was on its way, never shortens the wait.
        self._not_before = max(self._not_before, self._clock.monotonic() + asked)
        return self._busy(self._not_before - self._clock.monotonic())

    def _busy(self, seconds: float) -> Busy:
        return Busy(
            f"registry {self._name} asks us to wait: nothing is asked of it for"
            f" {format_duration(max(1.0, seconds))}{quoted(self._said)}",
            retry_after=seconds,
        )


HOSTS_KEPT = 1000  # of which is known when they ask us to wait; far more than are followed


class Gates:
    """One gate for each place that is asked, whoever asks there."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._gates = BoundedMap[URL, Gate](HOSTS_KEPT)

    def of(self, endpoint: Endpoint) -> Gate:
        gate = self._gates.get(endpoint.base)
        if gate is None:
            gate = Gate(endpoint.host, self._clock, self._random)
            self._gates[endpoint.base] = gate
        return gate


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a 429 or 503 asks for, bounded; None where it does not say.

    Retry-After is seconds or a date, and some write a Unix timestamp there; Hub's X-Retry-After is
    one [79]. Moments are compared with the answer's own Date where it has one: our clocks may
    disagree.
    """
    now = _date(headers.get("Date", "")) or now
    for name in _WAITS:
        seconds = _wait(headers.get(name, ""), now)
        if seconds is not None:
            return min(max(seconds, 1.0), LONGEST_WAIT)
    return None


def _wait(text: str, now: datetime) -> float | None:
    if match := _NUMBER.fullmatch(text):
        number = float(match[1])
        if number < _FIRST_MOMENT:
            return number
        return number / (1000 if number >= _FIRST_MILLISECOND else 1) - now.timestamp()
    date = _date(text)
    return None if date is None else (date - now).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def quota_in(headers: Mapping[str, str]) -> Quota | None:
    """What the answer says is left of the pull limit; None where it says nothing [76]."""
    limit = _COUNT.fullmatch(headers.get("ratelimit-limit", ""))
    remaining = _COUNT.fullmatch(headers.get("ratelimit-remaining", ""))
    if not limit or not remaining:
        return None
    return Quota(
        limit=int(limit[1]),
        remaining=int(remaining[1]),
        window=int(limit[2] or remaining[2] or 0),
        source=shown(headers.get("docker-ratelimit-source", ""), 64),
    )
