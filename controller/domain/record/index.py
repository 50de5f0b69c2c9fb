"""All records together, by what one Deployment's decision asks of the others; pure."""

from collections.abc import Iterable, Iterator, Set

from controller.domain.record.record import Record
from controller.domain.run import Reason


class RecordIndex:
    """Each is kept below every target that it speaks of, so that a question costs what there is on
    that target, however many Deployments there are.
    """

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._keys: dict[str, set[str]] = {}  # by target
        self._open: set[str] = set()
        self._told: set[str] = set()  # keys of those in `troubled`
        self._troubled: tuple[Record, ...] | None = ()  # None: to be made anew

    def put(self, key: str, record: Record | None) -> None:
        """What is believed of this Deployment from now on; None: nothing."""
        before = self._records.pop(key, None)
        if before is not None:
            self._drop(key, before)
        if record is None:
            return
        self._records[key] = record
        for target in targets_of(record):
            self._keys.setdefault(target, set()).add(key)
        if record.run is not None:
            self._open.add(key)
        if _tells_of_trouble(record):
            self._told.add(key)
            self._troubled = None

    def on(self, targets: Iterable[str], *, but: str) -> tuple[Record, ...]:
        """Those that test, have tested or have ended a run on any of the targets, by key, without
        the Deployment `but`.
        """
        found: set[str] = set()
        for target in targets:
            found |= self._keys.get(target, _NONE)
        found.discard(but)
        return tuple(self._records[key] for key in sorted(found))

    def troubled(self) -> tuple[Record, ...]:
        """Those whose run has conditions that people were told of, or had its network's trouble, by
        key.
        """
        if self._troubled is None:
            self._troubled = tuple(self._records[key] for key in sorted(self._told))
        return self._troubled

    def open_runs(self) -> Set[str]:
        """Keys of those whose run is open."""
        return self._open

    def records(self) -> Iterator[Record]:
        """All, in no order."""
        return iter(tuple(self._records.values()))

    def _drop(self, key: str, record: Record) -> None:
        for target in targets_of(record):
            keys = self._keys[target]
            keys.discard(key)
            if not keys:
                del self._keys[target]
        self._open.discard(key)
        if key in self._told:
            self._told.discard(key)
            self._troubled = None


_NONE: frozenset[str] = frozenset()


def targets_of(record: Record) -> set[str]:
    """Slugs of those that it tells of."""
    found = {outcome.target for outcome in record.outcomes}
    found.update(record.tested)
    if record.run is not None:
        found.add(record.run.target)
    return found


def _tells_of_trouble(record: Record) -> bool:
    now = record.run is not None and bool(record.run.conditions)
    return now or any(o.reason == Reason.NETWORK_TROUBLE for o in record.outcomes)
