"""How long to wait before trying again."""

from dataclasses import dataclass
from random import Random

from controller.base.clock import Clock


@dataclass(frozen=True)
class BackoffPolicy:
    """Exponential delays with jitter. The defaults are those of client-go's reflector [25]."""

    first: float = 0.8  # seconds
    factor: float = 2.0  # growth per attempt
    cap: float = 30.0  # seconds, before jitter
    jitter: float = 1.0  # the delay is drawn from [delay, delay * (1 + jitter)]
    # Seconds without failure after which the count starts again. Not at the first success: a server
    # that fails every second time stays slow.
    reset_after: float = 120.0


class Backoff:
    """The delays of one loop or one key under a policy."""

    def __init__(self, policy: BackoffPolicy, clock: Clock, random: Random) -> None:
        self._policy = policy
        self._clock = clock
        self._random = random
        self._failures = 0
        self._last_failure = 0.0

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def next_delay(self, at_least: float | None = None) -> float:
        """Notes a failure and says how many seconds to wait; never less than `at_least`."""
        now = self._clock.monotonic()
        if self._failures and now - self._last_failure > self._policy.reset_after:
            self._failures = 0
        # 2.0 ** 64 is far over any cap: the exponent is bounded so that it cannot overflow.
        delay = min(
            self._policy.cap, self._policy.first * self._policy.factor ** min(self._failures, 64)
        )
        self._failures += 1
        delay *= 1.0 + self._random.random() * self._policy.jitter
        delay = max(delay, at_least or 0.0)
        self._last_failure = now + delay
        return delay

    def reset(self) -> None:
        """Forgets the failures: for callers whose success means that all is well."""
        self._failures = 0
