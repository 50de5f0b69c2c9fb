"""Refills the store from the records: it may be empty, rolled back or foreign, and what a record
proves must be claimed there before anything is granted (I8).

Several may use one store, each with records that the others do not see. So they share its epoch,
which nobody replaces but who can tell that it was rolled back.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator

from controller.base.clock import Clock
from controller.base.errors import Trouble
from controller.domain.record.record import Record
from store.api import Claim, Meta, StateStore, StoreUnavailable
from store.limits import check_cluster

# Records whose claims are gathered before others may go on: with a hundred builds each, some 3 ms.
_SLICE = 10


async def refill(
    store: StateStore,
    meta: Meta,
    records: Iterable[Record],
    clock: Clock,
    *,
    known: Meta | None = None,
) -> tuple[Meta, int]:
    """The memory that stands afterwards, and how many claims the records prove. Raises what the
    store raises, and StoreMisused for the store of another cluster, which is not touched.

    meta: what is written where nothing stands that can be joined. records: as far as they are
    believed of others (`domain.record.belief`). known: what stood when we last heard of it; None:
    we never did.
    """
    found = await store.meta()
    check_cluster(found, meta.cluster)
    claims = await _proved(records, clock)
    rolled_back = known and found and found.epoch == known.epoch and found.grants < known.grants
    instead_of = known.epoch if known and rolled_back else None
    return await store.refill(meta, claims, instead_of=instead_of), len(claims)


async def see_anew(refresh: Callable[[float], Awaitable[object]], since: float) -> None:
    """What a record proves that the watch has not told yet must be claimed too. Raises
    StoreUnavailable where the records cannot be seen. refresh: as `Ledger` is given it.
    """
    try:
        await refresh(since)
    except Trouble as trouble:
        raise StoreUnavailable(f"it cannot be refilled from the records: {trouble}") from trouble


async def all_is_seen(_since: float) -> None:
    """For records that are known otherwise than by a watch."""


def remembers(found: Meta | None, known: Meta) -> bool:
    """Whether the memory that was found is the one that is known, with all that it has granted."""
    if found is None or (found.epoch, found.cluster) != (known.epoch, known.cluster):
        return False
    return found.grants >= known.grants


class Proved:
    """One claim for each build of a target, where several records tell of it: that of an open run
    before one that is over, and of those the earliest whose run is still remembered.

    They are made as they are asked for. A hundred thousand that live at once have Python look
    through all of its objects again and again, for 100 ms each time; held as plain text they do not
    (python -m tests.bench --only years).
    """

    def __init__(self) -> None:
        # By target and build: whether the run is over, whether it is forgotten, its id, its owner
        self._best: dict[str, dict[str, tuple[bool, bool, str, str]]] = {}

    def add(self, record: Record) -> None:
        opened = record.run.id if record.run else ""
        for claim in claims_of(record):
            over = not opened or claim.run != opened
            rank = (over, not claim.run, claim.run, claim.owner)
            best = self._best.setdefault(claim.target, {})
            if claim.build not in best or rank < best[claim.build]:
                best[claim.build] = rank

    def __iter__(self) -> Iterator[Claim]:
        for target, best in self._best.items():
            for build, (_, _, run, owner) in best.items():
                yield Claim(target, build, run, owner)

    def __len__(self) -> int:
        return sum(map(len, self._best.values()))


async def _proved(records: Iterable[Record], clock: Clock) -> Proved:
    """The loop is given back now and then: a record that is looked at later than another is only
    newer.
    """
    found = Proved()
    for number, record in enumerate(records, 1):
        found.add(record)
        if number % _SLICE == 0:
            await clock.sleep(0.0)
    return found


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
