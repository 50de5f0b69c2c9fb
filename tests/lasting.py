"""How much an object keeps, in all collections that it leads to: what lives long must not grow."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Set
from typing import Any

from controller.base.bounded_map import BoundedMap
from store.memory import MemoryStore


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The collections that hold more than they did, of what `sizes` said."""
    pairs = {way: (before.get(way, 0), size) for way, size in after.items()}
    return {way: (was, now) for way, (was, now) in pairs.items() if now > was}


def sizes(root: object, outside: Set[int] = frozenset()) -> dict[str, int]:
    """How much each collection below this object holds, by the way that leads there; those of the
    same way together. What has a bound of its own is left out, and a store in memory, which keeps
    what is for ever. outside: ids of objects at which the way ends.
    """
    found: Counter[str] = Counter()
    met = set(outside)
    for way, each in _below(type(root).__name__, root, met):
        found[way] += len(each)
    return dict(found)


def _below(way: str, at: Any, met: set[int]) -> Iterator[tuple[str, Any]]:
    if id(at) in met:
        return
    met.add(id(at))
    if isinstance(at, (BoundedMap, MemoryStore)):
        return
    if isinstance(at, Mapping):
        yield way, at
        for value in at.values():
            yield from _below(f"{way}[]", value, met)
    elif isinstance(at, (set, frozenset, list, tuple, deque)):
        yield way, at
        for value in at:
            yield from _below(f"{way}[]", value, met)
    elif type(at).__module__.startswith(("controller.", "store.")):
        for name, value in getattr(at, "__dict__", {}).items():
            yield from _below(f"{way}.{name}", value, met)
