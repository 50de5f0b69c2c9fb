"""Who set which field: sets of paths, compared and written as FieldsV1.

A path is a tuple of FieldsV1 keys (`f:spec`, `k:{"name":"node"}`); a container's own membership,
written `.`, is the path of the container itself. Who changes a value with a plain write owns it
from then on and the others lose it (recordings 22, 28, 34).
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.schema import SETS, is_atomic, list_keys

Path = tuple[str, ...]
Paths = frozenset[Path]

# What the server itself sets belongs to nobody; a Service's addresses are given to it after
# owners are recorded (recording 45).
_UNOWNED = frozenset(
    {
        *(
            ("f:spec", f"f:{field}")
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
        ),
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{field}")
            for field in (
                "name",
                "namespace",
                "uid",
                "resourceVersion",
                "generation",
                "selfLink",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "managedFields",
            )
        ),
    }
)


@dataclass(frozen=True)
class Manager:
    """Who writes and how: one entry of managedFields belongs to each."""

    name: str
    operation: str = "Update"  # or `Apply`
    subresource: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of managedFields."""

    manager: Manager
    api_version: str
    time: str  # of the manager's last change
    paths: Paths  # the fields it owns


@dataclass(frozen=True)
class Difference:
    """Paths, of one object against another."""

    added: Paths
    modified: Paths  # another value
    removed: Paths


def children(value: Any, field: str, path: Path) -> dict[str, Any] | None:
    """The parts of a value that are owned one by one, by FieldsV1 key; None for one value."""
    if isinstance(value, dict) and value and not is_atomic(field, path):
        return {f"f:{key}": part for key, part in value.items()}
    if isinstance(value, list) and value:
        if field in SETS:
            return {f"v:{orjson.dumps(item).decode()}": item for item in value}
        if all(isinstance(item, dict) for item in value):
            keys = list_keys(field, value)
            if keys is not None:
                return {_item_key(item, keys): item for item in value}
    return None


def _item_key(item: Object, keys: tuple[str, ...]) -> str:
    # A port's protocol has a default, which an applied object may leave to the server.
    named = {k: item.get(k, "TCP" if k == "protocol" else None) for k in keys}
    return f"k:{orjson.dumps(named, option=orjson.OPT_SORT_KEYS).decode()}"


def _field(key: str) -> str:
    return key[2:] if key.startswith("f:") else ""


def all_paths(obj: Object) -> Paths:
    """Every path that the object has, containers included."""
    found: set[Path] = set()
    _collect(obj, "", (), found)
    return frozenset(path for path in found if not _is_unowned(path))


def _collect(value: Any, field: str, path: Path, found: set[Path]) -> None:
    if path:
        found.add(path)
    for key, part in (children(value, field, path) or {}).items():
        _collect(part, _field(key), (*path, key), found)


def applied_paths(obj: Object) -> Paths:
    """What an applied object lays claim to: its leaves and its list items, not its maps
    (recording 36).
    """
    paths = all_paths(obj)
    inner = {path[:-1] for path in paths}
    return frozenset(path for path in paths if path not in inner or path[-1].startswith("k:"))


def compare(old: Object, new: Object) -> Difference:
    """What a plain write changed."""
    added: set[Path] = set()
    modified: set[Path] = set()
    removed: set[Path] = set()

    def walk(left: Any, right: Any, field: str, path: Path) -> None:
        if left == right:
            return
        lefts, rights = children(left, field, path), children(right, field, path)
        if lefts is None and rights is None:
            modified.add(path)
            return
        lefts, rights = lefts or {}, rights or {}
        for key in lefts.keys() | rights.keys():
            below = (*path, key)
            if key not in lefts:
                _collect(rights[key], _field(key), below, added)
            elif key not in rights:
                _collect(lefts[key], _field(key), below, removed)
            else:
                walk(lefts[key], rights[key], _field(key), below)

    walk(old, new, "", ())
    sets = (added, modified, removed)
    return Difference(*(frozenset(p for p in paths if not _is_unowned(p)) for paths in sets))


def _is_unowned(path: Path) -> bool:
    return path in _UNOWNED or path[:2] in _UNOWNED


def read(metadata: Object) -> list[Entry]:
    """The entries of an object."""
    return [
        Entry(
            Manager(entry["manager"], entry["operation"], entry.get("subresource", "")),
            entry["apiVersion"],
            entry.get("time", ""),
            from_fields(entry.get("fieldsV1", {})),
        )
        for entry in metadata.get("managedFields") or []
    ]


def write(metadata: Object, entries: list[Entry]) -> None:
    """Sets the entries of an object: Apply before Update, older before newer."""
    kept = [entry for entry in entries if entry.paths]
    kept.sort(key=lambda e: (e.manager.operation, e.time, e.manager.name, e.manager.subresource))
    metadata["managedFields"] = [
        {
            "manager": entry.manager.name,
            "operation": entry.manager.operation,
            "apiVersion": entry.api_version,
            "time": entry.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(entry.paths),
            **({"subresource": entry.manager.subresource} if entry.manager.subresource else {}),
        }
        for entry in kept
    ]
    if not kept:
        del metadata["managedFields"]


def record_update(old: Object, new: Object, manager: Manager, api_version: str, time: str) -> None:
    """Sets managedFields of `new` after a plain write by `manager`. `old` is the blank object for
    a create. A write that changes nothing leaves the entries as they were (recording 24).
    """
    before = read(old["metadata"])
    difference = compare(old, new)
    gained = difference.added | difference.modified
    after: list[Entry] = []
    mine = Entry(manager, api_version, time, frozenset())
    for entry in before:
        if entry.manager == manager:
            mine = entry
        else:
            after.append(
                replace(entry, paths=entry.paths - difference.modified - difference.removed)
            )
    paths = (mine.paths - difference.removed) | gained
    if paths != mine.paths:
        mine = replace(mine, paths=paths, time=time, api_version=api_version)
    write(new["metadata"], [*after, mine])


def to_fields(paths: Paths) -> Object:
    """Paths as FieldsV1."""
    inner = {path[:n] for path in paths for n in range(1, len(path))}
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        if path in inner:
            node["."] = {}
    return tree


def from_fields(tree: Object, path: Path = ()) -> Paths:
    """FieldsV1 as paths."""
    found: set[Path] = set()
    if path and (not tree or "." in tree):
        found.add(path)
    for key, below in tree.items():
        if key != ".":
            found |= from_fields(below, (*path, key))
    return frozenset(found)
