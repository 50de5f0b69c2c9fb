"""How C came to its state, as far as any life of a run's node has told: by its log or its counters.

What was synced once stays synced: a later process may skip what is done.
"""

from controller.domain.node_log.running import DYNAMIC, SKIPPED, STATIC
from controller.domain.pace.progress import Progress
from controller.domain.pace.sync_evidence import SyncedBy, synced_by

RECEIVED = "Received"  # the counters say that its state came from peers

STATE_SYNCED = frozenset({STATIC, DYNAMIC, RECEIVED})
KNOWN = STATE_SYNCED | {SKIPPED}


def synced_after(before: str, told: str, progress: Progress) -> str:
    """One of KNOWN, or empty where nothing has told yet. before: as of the look before. told: by
    the log of the process that runs.
    """
    if before in STATE_SYNCED:
        return before
    if told in STATE_SYNCED:
        return told
    if synced_by(progress) is SyncedBy.STATE:
        return RECEIVED
    return told or before
