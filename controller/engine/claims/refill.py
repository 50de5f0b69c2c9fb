"""Refills the store from the records: it may be empty, rolled back or foreign, and what a record
proves must be claimed there before anything is granted (I8).
"""

from collections.abc import Iterable

from controller.domain.record.record import Record
from store.api import SCHEMA, Claim, Meta, StateStore, StoreMisused


async def refill(store: StateStore, cluster: str, epoch: str, records: Iterable[Record]) -> int:
    """How many claims the records prove; from now on only this epoch is granted any. Raises what
    the store raises, and StoreMisused for the store of another cluster, which is not touched.

    records: as far as they are believed of others (`domain.record.belief`).
    """
    _check_cluster(await store.meta(), cluster)
    claims = _one_each(records)
    await store.refill(Meta(SCHEMA, epoch, 0, cluster), claims)
    return len(claims)


def _one_each(records: Iterable[Record]) -> list[Claim]:
    """One claim for each build of a target, where several records tell of it: that of an open run
    before one that is over, and of those the earliest whose run is still remembered.
    """
    best: dict[tuple[str, str], tuple[tuple[bool, bool, str, str], Claim]] = {}
    for record in records:
        opened = record.run.id if record.run else ""
        for claim in claims_of(record):
            over = not opened or claim.run != opened
            rank = (over, not claim.run, claim.run, claim.owner)
            key = (claim.target, claim.build)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, claim)
    return [claim for _, claim in best.values()]


def _check_cluster(meta: Meta | None, cluster: str) -> None:
    if meta is not None and meta.cluster not in ("", cluster):
        raise StoreMisused(
            f"the store is the memory of another cluster ({meta.cluster}): give this one its own"
            " --store-prefix, or HDEL <prefix>:meta cluster to adopt it"
        )


def claims_of(record: Record) -> list[Claim]:
    """The claims that a record is proof of. Runs that are no longer remembered have no id left."""
    runs = {(o.target, o.build): o.run for o in record.outcomes}
    claims = {
        (target, build): Claim(target, build, runs.get((target, build), ""), record.key)
        for target, builds in record.tested.items()
        for build in builds
    }
    if record.run is not None:
        key = (record.run.target, record.run.build)
        claims[key] = Claim(*key, record.run.id, record.key)
    return list(claims.values())
