"""What tells a network that has moved on from one that is out of reach, and a build that cannot
read its blocks from one that is slow.
"""

from controller.domain.health.look import Overheard
from controller.domain.pace.progress import Progress, chain_of
from controller.domain.pace.stages import EXECUTED, FETCHED, STATE_SYNCED
from controller.domain.target import SyncMode

_SLACK = 120.0  # seconds between a look and what a line of the log tells of, by two clocks


def without_network(
    overheard: Overheard | None, since: float, cut_off: str, *, known: bool
) -> tuple[bool, str]:
    """Whether the network has moved on from a node without a peer, and the sentence for it. Newer
    peers among many are nothing: they must have come since the node was alone (since: seconds since
    1970), unless it is known of this life already. cut_off: why it has no network.
    """
    words = overheard.words if overheard else None
    if words is None or not words.newer:
        unread = overheard.unread if overheard else ""
        why = f"; why, its log may tell: grant the component evidence ({unread})"
        return False, cut_off + (why if unread else "")
    if not known and (words.newer_at is None or words.newer_at < since - _SLACK):
        return False, cut_off
    newer = " and ".join(filter(None, (", ".join(words.newer[:-1]), words.newer[-1])))
    refused = f"peers run {newer} and refuse this node's {words.own}"
    return True, f"{refused}: the network has moved on ({cut_off})"


def nothing_fetched(progress: Progress, mode: str, *, first_life: bool) -> bool:
    """Whether C has begun, and fetched and executed nothing in all lives of its node [scene
    cannot-parse]. A later process on the same data may have fetched before anybody counted, and one
    that syncs its state must tell of that too.
    """
    if not first_life or mode == SyncMode.P_CHAIN or "C" in progress.last:
        return False
    if progress.heights.get("C"):
        return False
    counted = {key: value for key, value in progress.raw.items() if chain_of(key) == "C"}
    asked = {f"C/{FETCHED}", f"C/{EXECUTED}"}
    if mode == SyncMode.STATE:
        asked.add(f"C/{STATE_SYNCED}")
    return asked <= counted.keys() and not any(counted.values())


def unreadable(peers: int, overheard: Overheard | None) -> str:
    """Nothing that the node says tells whether it is the network's doing or the build's."""
    words = overheard.words if overheard else None
    versions = (
        f" ({words.newer[-1]} among them, this is {words.own})" if words and words.own else ""
    )
    return (
        f"C has not fetched one block from {peers} peer{'' if peers == 1 else 's'}{versions}:"
        " either the network has moved on and this build cannot read its blocks, or it is a fault"
        " of the build"
    )
