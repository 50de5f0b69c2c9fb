"""A bootstrap of which no counter moves: whether it stands at all, why, and how long it may."""

from collections.abc import Iterator

from controller.base.text import shown
from controller.domain.defaults import Rules
from controller.domain.node_http import NodeAnswer
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.stages import (
    EXECUTED,
    FETCHED,
    SAE_EXECUTED,
    STATE_SYNCED,
    VERTICES_EXECUTED,
    VERTICES_FETCHED,
)
from controller.domain.target import SyncMode

_COMPACTED = 5000  # blocks; of fewer, executing begins at once [112]


def may_sync_unseen(mode: str, progress: Progress, answer: NodeAnswer) -> bool:
    """Whether C may sync its state by counters that the page does not have, as SAE does [110]: what
    is not seen does not stand. When it fetches blocks, that is over. mode: of `SyncMode`.
    """
    told = f"C/{STATE_SYNCED}" in answer.counters
    may_sync = mode == SyncMode.STATE and f"C/{FETCHED}" in answer.counters
    return may_sync and not told and not _done(progress, "C", FETCHED)


def asks_in_vain(progress: Progress, answer: NodeAnswer) -> Iterator[str]:
    """A clause for each stage whose requests fail, and nothing comes of them."""
    for key, since in sorted(progress.failing.items()):
        name = shown(key.replace("/", " ", 1), 80)
        if answer.counters.get(key):
            yield f"{name}: {since:.0f} requests failed since"
        else:
            yield f"{name}: {answer.failed.get(key, since):.0f} requests failed, none succeeded"


def stall_patience(progress: Progress, rules: Rules) -> float:
    """Seconds; by what the node was doing, C before others; the longest where that is not known."""
    chain, _, stage = progress.last.get("C", progress.doing).partition("/")
    if stage == FETCHED and _may_compact(progress, chain):
        return rules.stall_executing
    if stage in (FETCHED, VERTICES_FETCHED):
        return rules.stall_fetching
    if stage in (EXECUTED, VERTICES_EXECUTED, SAE_EXECUTED):
        return rules.stall_executing
    return rules.stall_syncing


def _may_compact(progress: Progress, chain: str) -> bool:
    """Before it executes 5,000 blocks or more, avalanchego compacts what it fetched, for hours on
    mainnet, and no counter tells that from a fetch that has come to nothing: how many there are to
    fetch is not counted, and one locked chain stops all checks [112]. So the longer patience holds
    where that many wait, or none was executed yet: these may be of a life that nobody saw. It costs
    four hours until a fetch that came to nothing is called so, and no verdict.
    """
    fetched, executed = _done(progress, chain, FETCHED), _done(progress, chain, EXECUTED)
    return executed == 0 or fetched - executed >= _COMPACTED


def _done(progress: Progress, chain: str, stage: str) -> float:
    return progress.stages.get(f"{chain}/{stage}", Stage()).count
