"""The moments between what happens outside and what the controller makes of it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from controller.simulator.apiserver.server import Seen


@dataclass
class Moments:
    """Of one target, in seconds of `time.perf_counter`; 0.0: not yet."""

    told: float = 0.0  # the event's bytes were sent, or the registry answered with a new digest
    asked: float = 0.0  # the patch has arrived
    tried: float = 0.0  # the dry run before it has arrived
    accepted: float = 0.0  # the patch is committed
    elsewhere: float = 0.0  # seconds in which node and registry made their answers, and the dry run

    @property
    def whole(self) -> float:
        """Seconds, the simulator's share included."""
        return self.accepted - self.told

    @property
    def share(self) -> float:
        """Seconds of the simulator's."""
        return self.accepted - self.asked + self.elsewhere


class Ear(deque[Seen]):
    """The server's list of requests, which tells of each as it comes."""

    def __init__(self, hear: Callable[[Seen], None]) -> None:
        super().__init__(maxlen=100)
        self._hear = hear

    def append(self, seen: Seen) -> None:
        super().append(seen)
        self._hear(seen)
