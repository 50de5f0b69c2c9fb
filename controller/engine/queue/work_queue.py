"""WorkQueue: which keys are to be looked at, by whom and when. It knows nothing of what they name.

What holds, whoever calls what in which order:

* Stingy: a key added many times before a worker takes it is processed once.
* One worker a key: between `get` and `done` nobody else is given that key. A key that is added
  meanwhile is given out again after `done`: nothing that was added is lost.
* Fair: first in, first out; a key that was added while it was processed goes to the back.
* A key has at most one delayed add: the earlier of two deadlines stands. When it comes, it is an
  `add` like any other; it is never early.
* After `shut_down` no key is given out and none is taken; keys that are being processed may be
  finished and `done`.

What is not promised: that a delay holds a key back (an `add` takes it at once, whatever was
delayed or failed before); that a delayed add goes away when the key is processed for another
reason; that delays pass while nobody runs `run_timer`; any memory after the process. Who needs a
key looked at for sure finds it again by the resync.

Sets, as in client-go: a key that is *waiting* is in `_waiting` and, unless a worker has it, in
`_order`; a key that a worker has is in `_processing`. Everything here is for one event loop; the
methods that are not async are each one step of it.
"""

import asyncio
import math
from collections import deque
from random import Random

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import BootstrapError
from controller.engine.queue.alarm import Alarm
from controller.engine.queue.deadlines import Deadlines

# One second heals a conflict, five minutes is the resync: a key is never looked at less often.
# Half of jitter, so that keys that failed together come back apart. Only success forgets failures,
# not quiet: a key that fails every five minutes is quiet in between.
KEY_BACKOFF = BackoffPolicy(first=1.0, cap=300.0, jitter=0.5, reset_after=math.inf)


class Closed(BootstrapError):
    """The queue was shut down: the worker's day is over."""


class WorkQueue:
    """See the module's text for what holds. Keys are any strings."""

    def __init__(self, clock: Clock, random: Random, policy: BackoffPolicy = KEY_BACKOFF) -> None:
        self._clock = clock
        self._random = random
        self._policy = policy
        self._waiting: dict[str, float] = {}  # key to the moment it was added, oldest first
        self._order: deque[str] = deque()
        self._processing: set[str] = set()
        self._something = asyncio.Event()  # there is a key in `_order`, or the end has come
        self._deadlines = Deadlines[str]()
        self._timer = Alarm(clock)
        self._timer_due = math.inf  # when the timer wakes by itself
        self._failures: dict[str, Backoff] = {}
        self._closed = False

    @property
    def depth(self) -> int:
        """How many keys wait to be processed, those that wait for their own worker included."""
        return len(self._waiting)

    def oldest_age(self) -> float:
        """Seconds that the key that waits longest has waited; 0.0 if none waits."""
        for added in self._waiting.values():
            return self._clock.monotonic() - added
        return 0.0

    def add(self, key: str) -> None:
        """The key is to be processed, from now on seen."""
        if self._closed or key in self._waiting:
            return
        self._waiting[key] = self._clock.monotonic()
        if key not in self._processing:
            self._order.append(key)
            self._something.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Adds the key so many seconds from now, or sooner if that was asked before; at once for
        zero or less.
        """
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        deadline = self._clock.monotonic() + seconds
        if not self._deadlines.bring_forward(key, deadline):
            return
        if deadline < self._timer_due:
            self._timer.ring()

    def add_failed(self, key: str, at_least: float | None = None) -> float:
        """Adds the key after its backoff, never less than `at_least` seconds; the number of times
        that this was called since the last `forget` makes it longer. Returns the seconds.
        """
        backoff = self._failures.get(key)
        if backoff is None:
            backoff = self._failures[key] = Backoff(self._policy, self._clock, self._random)
        delay = backoff.next_delay(at_least)
        self.add_after(key, delay)
        return delay

    def forget(self, key: str) -> None:
        """The key's failures count no more. What is waiting or delayed stays so."""
        self._failures.pop(key, None)

    async def get(self) -> str:
        """The next key, as soon as there is one; the caller owes a `done`. Raises Closed."""
        while not self._order and not self._closed:
            # Wakes every idle worker for one key: they are few, and a worker that is cancelled
            # while it wakes takes no key with it.
            self._something.clear()
            await self._something.wait()
        if self._closed:
            raise Closed("the work queue is shut down")
        key = self._order.popleft()
        del self._waiting[key]
        self._processing.add(key)
        return key

    def done(self, key: str) -> None:
        """The caller has finished with what `get` gave it. KeyError for anything else."""
        self._processing.remove(key)
        if key in self._waiting and not self._closed:
            self._order.append(key)
            self._something.set()

    def shut_down(self) -> None:
        """No key is given out any more, and `get` raises Closed; waiting keys are dropped: the
        next process finds them by looking.
        """
        self._closed = True
        self._waiting.clear()
        self._order.clear()
        self._deadlines.clear()
        self._failures.clear()
        self._something.set()
        self._timer.ring()

    async def run_timer(self) -> None:
        """Makes delayed adds come due; one task, until `shut_down`."""
        while not self._closed:
            now = self._clock.monotonic()
            for key in self._deadlines.due(now):
                self.add(key)
            self._timer_due = self._deadlines.first()
            await self._timer.wait(None if math.isinf(self._timer_due) else self._timer_due - now)
