"""Whether the run has tested the sync mode of its target: a verdict speaks of nothing else."""

from enum import Enum

from controller.domain.decide.messages import other_mode as say
from controller.domain.health.look import Overheard
from controller.domain.health.observed_time import Attention
from controller.domain.health.synced import RECEIVED, STATE_SYNCED
from controller.domain.node_log.running import SKIPPED
from controller.domain.pace.sync_evidence import SyncedBy, synced_by
from controller.domain.target import SyncMode


class Tested(Enum):
    YES = "yes"
    NO = "no"  # another one, by what log or counters say
    UNKNOWN = "unknown"  # neither tells


def tested_mode(mode: str, attention: Attention) -> tuple[Tested, str]:
    """With a sentence, where it has not, or it is not known. Of full syncs nothing need be told:
    only what was synced is told by everybody.
    """
    if mode == SyncMode.P_CHAIN:
        return Tested.YES, ""
    counted = synced_by(attention.progress)
    synced = attention.synced
    if synced not in STATE_SYNCED and counted is SyncedBy.STATE:
        synced = RECEIVED
    if mode != SyncMode.STATE:
        if synced in STATE_SYNCED:
            return Tested.NO, say.was_synced(synced)
        return Tested.YES, ""
    if synced in STATE_SYNCED:
        return Tested.YES, ""
    if synced == SKIPPED:
        return Tested.NO, say.SKIPPED_BY_LOG
    if counted is SyncedBy.REPLAY:
        return Tested.NO, say.REPLAYED_BY_COUNTERS
    return Tested.UNKNOWN, say.unknown(_silence(attention.overheard))


def _silence(overheard: Overheard | None) -> str:
    """Why the log does not tell."""
    if overheard is None:
        return "its log was not read"
    return overheard.unread or "its log does not say, or says it no more"
