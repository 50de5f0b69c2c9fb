"""How long the simulated cluster takes over things: short for tests, a little longer to watch."""

from dataclasses import dataclass, field
from math import inf

from controller.simulator.node import Pace


@dataclass(frozen=True)
class Speed:
    """Durations in seconds."""

    probe: float | None = 0.05  # between readiness probes; None: as the manifest says
    # Between restarts of a container, which double, the first one being at once: the first pause,
    # the longest, and the life of a process after which they begin anew [62].
    restart_first: float = 0.1
    restart_cap: float = 1.0
    restart_reset: float = 10.0
    pull_first: float = 0.1  # between tries to pull an image, which double too
    pull_cap: float = 1.0
    attach: float = 0.1  # between tries to attach a volume
    # Between the start of an init container as process 1 and its handler of SIGTERM: one that comes
    # earlier is lost. Not where the pod has shareProcessNamespace.
    deaf: float = 0.0
    create: float = 0.1  # between tries to make a container of its manifest
    longest_grace: float = 2.0  # a pod's terminationGracePeriodSeconds is cut to this
    node: Pace = field(default_factory=Pace)  # of the nodes themselves

    def restart_delay(self, crashes: int) -> float:
        """Before the next start, after so many crashes in a row."""
        if crashes < 2:
            return 0.0
        doubling: float = self.restart_first * 2.0 ** min(crashes - 2, 30)
        return min(self.restart_cap, doubling)

    def pull_delay(self, failures: int) -> float:
        doubling: float = self.pull_first * 2.0 ** min(failures - 1, 30)
        return min(self.pull_cap, doubling)


# A real kubelet's [62] and a real node's [88]; the log's lines are ours. For a clock that jumps.
REAL_SPEED = Speed(
    probe=None,
    restart_first=10.0,
    restart_cap=300.0,
    restart_reset=600.0,
    pull_first=10.0,
    pull_cap=300.0,
    attach=60.0,
    create=14.0,  # [scene configerror]
    longest_grace=inf,
    node=Pace(health_seconds=30.0, log_seconds=60.0),
)
