"""What the poller knows of a followed reference. Values and bookkeeping; nobody is asked here."""

import math
from dataclasses import dataclass
from datetime import datetime
from random import Random

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import Busy, Fault, Garbled, NoAccess, NotFound, Refused, Unavailable
from controller.base.text import shown
from controller.domain.build import Build, Quota, Resolution
from controller.domain.followed import Followed

# Failures in a row after which trouble is no blip any more: with the poll interval between them
# that is two minutes at least, and a restart of a registry takes less.
LASTING_FAILURES = 3

# Characters of an error: ours, and what the registry says itself.
LONGEST_ERROR = 480

# Seconds. A HEAD costs no pull [76]: ten minutes after a registry is back, its tags are followed.
HEAD_CAP = 600.0
# Seconds. A GET that fails may cost a pull, of 100 in six hours that the nodes' pulls share [75].
GET_CAP = 3600.0


@dataclass(frozen=True)
class TagState:
    """What is known of a followed reference."""

    # What it stood for when it was last resolved; stays while errors last. None: never resolved.
    resolution: Resolution | None = None
    last_success: datetime | None = None  # wall time at which that was last confirmed
    error: str | None = None  # one sentence; None: the last attempt did not fail
    lasting: bool = False  # waiting will not mend the error, or it has for LASTING_FAILURES not
    failures: int = 0  # attempts in a row that failed
    no_access: bool = False  # the error is that the registry does not let us in
    quota: Quota | None = None  # what the registry last said is left; None: nothing


def backoff_for(interval: float, cap: float, clock: Clock, random: Random) -> Backoff:
    """interval: seconds, the first delay. Only success ends it, hence no reset by quiet."""
    return Backoff(
        BackoffPolicy(first=interval, cap=cap, jitter=0.1, reset_after=math.inf), clock, random
    )


def wait_asked(error: Exception) -> float:
    """Seconds that the other side asked us to wait, or 0.0."""
    return (error.retry_after or 0.0) if isinstance(error, Busy) else 0.0


class TagBook:
    """The book of one Followed."""

    def __init__(self, followed: Followed, interval: float, clock: Clock, random: Random) -> None:
        self.followed = followed
        self.resolution: Resolution | None = None
        self.last_success: datetime | None = None
        self.error: str | None = None
        self.lasting = False
        self.no_access = False
        self.failures = 0
        self.retry_at = clock.monotonic()  # before it, a build that could not be had is not asked
        self._interval = interval
        self._clock = clock
        self._backoff = backoff_for(interval, GET_CAP, clock, random)
        self._refused_digest: str | None = None
        self._build_error: Exception | None = None

    def look(self) -> tuple[Resolution | None, bool, bool]:
        """What others act on: when it differs, they are told."""
        return self.resolution, self.error is not None, self.lasting

    def state(self, quota: Quota | None) -> TagState:
        return TagState(
            self.resolution,
            self.last_success,
            self.error,
            self.lasting,
            self.failures,
            self.no_access,
            quota,
        )

    def resolved(self, digest: str, build: Build) -> None:
        self.resolution = Resolution(digest, build)
        self.last_success = self._clock.now()
        self.error, self.lasting, self.failures, self.no_access = None, False, 0, False
        self._backoff.reset()
        self._build_error = None

    def failed(self, error: Exception) -> None:
        """An attempt failed; the resolution stays what it was."""
        self.failures += 1
        self._show(error)

    def build_failed(self, digest: str, error: Exception) -> None:
        """The build behind the digest could not be had: it waits for a backoff. Another digest may
        be asked for at once, unless it is the registry that is in trouble and not the index.
        """
        self.failed(error)
        delay = self._backoff.next_delay(max(self._interval, wait_asked(error)))
        self.retry_at = self._clock.monotonic() + delay
        self._refused_digest = None if isinstance(error, Unavailable) else digest
        self._build_error = error

    def must_wait(self, digest: str) -> bool:
        """Whether the build behind this digest must not be asked for yet; if so, the error that
        made it wait is the one that stands, whatever failed and mended meanwhile.
        """
        if self._build_error is None or self._clock.monotonic() >= self.retry_at:
            return False
        if self._refused_digest not in {None, digest}:
            return False
        self._show(self._build_error)
        return True

    def _show(self, error: Exception) -> None:
        self.error = shown(error, LONGEST_ERROR)
        self.no_access = isinstance(error, NoAccess)
        final = isinstance(error, Refused | NotFound | Garbled | Fault)
        self.lasting = final or self.failures >= LASTING_FAILURES
