"""How often a node does things by itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Seconds."""

    # Between two runs of the checks, where the node is told nothing of it (30 in avalanchego [88]).
    health_seconds: float = 0.1
    log_seconds: float = 0.5  # between two lines of progress


DEFAULT_PACE = Pace()
