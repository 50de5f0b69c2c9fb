"""What the counters say of how a chain came to its state: synced, or replayed from genesis."""

from enum import StrEnum

from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.stages import EXECUTED, STATE_SYNCED

# Of its height: who replays executes all of a chain, but for what was counted while nobody looked,
# and who syncs its state executes what came after the summary.
_MOST = 0.5
_NEARLY_ALL = 0.9  # where no page told what was synced


class SyncedBy(StrEnum):
    STATE = "state"  # its state was received from peers
    REPLAY = "replay"  # its blocks were executed, and no state was received


def synced_by(progress: Progress, chain: str = "C") -> SyncedBy | None:
    """None where the counters of all lives do not say, as before the chain has a height: then
    either is possible. A name that no page had is no zero, as of SAE's state sync [110]; and a
    chain of which most was executed though some state was received is neither.
    """
    executed = progress.stages.get(f"{chain}/{EXECUTED}", Stage()).count
    received = progress.stages.get(f"{chain}/{STATE_SYNCED}")
    height = progress.heights.get(chain, 0)
    if height <= 0:
        return None
    if received is None:
        return SyncedBy.REPLAY if executed >= _NEARLY_ALL * height else None
    most = executed >= _MOST * height
    if received.count > 0:
        return None if most else SyncedBy.STATE
    return SyncedBy.REPLAY if most else None
