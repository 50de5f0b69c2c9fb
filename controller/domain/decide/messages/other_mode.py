"""What is said of a run whose node came to its state in another way than its target asks for."""

from controller.domain.health.synced import RECEIVED

SKIPPED_BY_LOG = (
    "the log says syncMode Skipped: C replayed from genesis, so state sync was not tested"
)
REPLAYED_BY_COUNTERS = (
    "its counters say that C executed its blocks from genesis and received no state,"
    " so state sync was not tested"
)


def was_synced(how: str) -> str:
    """how: of `health.synced`."""
    told = "its counters say" if how == RECEIVED else f"the log says syncMode {how}"
    return f"{told}: C's state came from peers, so a full sync was not tested"


def unknown(why: str) -> str:
    """why: the log does not tell, in a clause."""
    return (
        f"it is not known whether C was state-synced: {why}, and its metrics do not tell; grant the"
        " component evidence or leave the metrics API on"
    )
