"""How long the simulated cluster takes over things: short for tests, a little longer to watch."""

from dataclasses import dataclass, field

from controller.simulator.node import Pace


@dataclass(frozen=True)
class Speed:
    """Seconds.

    probe: between readiness probes, whatever the manifest says. restart_first, restart_cap: the
    back-off between restarts of a container, doubling, the first restart being at once (10 and 300
    in a real kubelet [62]); restart_reset: a process that ran so long starts it anew. pull_first,
    pull_cap: between tries to pull. attach: between tries to attach a volume. longest_grace: a
    pod's grace is cut to this.
    node: of the nodes themselves.
    """

    probe: float = 0.05
    restart_first: float = 0.1
    restart_cap: float = 1.0
    restart_reset: float = 10.0
    pull_first: float = 0.1
    pull_cap: float = 1.0
    attach: float = 0.1
    longest_grace: float = 2.0
    node: Pace = field(default_factory=Pace)

    def restart_delay(self, crashes: int) -> float:
        """Before the next start, after so many crashes in a row."""
        if crashes < 2:
            return 0.0
        doubling: float = self.restart_first * 2.0 ** min(crashes - 2, 30)
        return min(self.restart_cap, doubling)

    def pull_delay(self, failures: int) -> float:
        doubling: float = self.pull_first * 2.0 ** min(failures - 1, 30)
        return min(self.pull_cap, doubling)
