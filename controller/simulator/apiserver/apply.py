"""Server-side apply: merges what a manager applies, refuses what others own (recordings 35, 36).

Not played: list items that lose their last owner's order, and defaults of unapplied keys.
"""

from dataclasses import replace
from typing import Any

import orjson

from controller.simulator.apiserver import managed_fields
from controller.simulator.apiserver.managed_fields import Entry, Manager, Path, Paths, children
from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.storage import copied


def apply_configuration(
    live: Object, applied: Object, manager: Manager, *, force: bool, resource: Resource
) -> tuple[Object, list[Entry]]:
    """The merged object and its new owners, with the time of this manager's entry left empty.

    Raises StatusError 409 where a field that would change belongs to another manager, unless
    `force`: then those lose it.
    """
    applied = copied(applied)
    applied.get("metadata", {}).pop("managedFields", None)
    paths = managed_fields.applied_paths(applied)
    before = managed_fields.read(live["metadata"])
    others = [entry for entry in before if entry.manager != manager]
    changed = frozenset(
        path for path in paths if _changes(value_at(live, path), value_at(applied, path), path)
    )
    conflicts = [
        (entry.manager, path) for entry in others for path in sorted(entry.paths & changed)
    ]
    if conflicts and not force:
        raise _conflict(conflicts, resource)
    others = [replace(entry, paths=entry.paths - changed) for entry in others]
    merged = _merge(live, applied, "", ())
    previous = next((entry.paths for entry in before if entry.manager == manager), frozenset())
    owned = frozenset(path for entry in others for path in entry.paths)
    for path in sorted(previous - paths, key=len):  # an item first, while it has its name still
        if path not in owned and not any(o[: len(path)] == path for o in owned | paths):
            _delete(merged, path)
    mine = Entry(manager, resource.group_version, "", paths)
    return merged, [*others, mine]


def _changes(old: Any, new: Any, path: Path) -> bool:
    """Whether the value itself differs; a list item as such never does."""
    return not path[-1].startswith("k:") and old != new


def value_at(obj: Object, path: Path) -> Any:
    """The value, or None where there is none."""
    node: Any = obj
    field = ""
    for depth, key in enumerate(path):
        parts = children(node, field, path[:depth])
        if parts is None or key not in parts:
            return None
        node, field = parts[key], key[2:] if key.startswith("f:") else ""
    return node


def _merge(live: Any, applied: Any, field: str, path: Path) -> Any:
    lefts, rights = children(live, field, path), children(applied, field, path)
    if rights is None or lefts is None:
        return applied
    merged = dict(lefts)
    for key, value in rights.items():
        name = key[2:] if key.startswith("f:") else ""
        merged[key] = _merge(lefts[key], value, name, (*path, key)) if key in lefts else value
    if isinstance(applied, list):
        return [merged[key] for key in _ordered(list(lefts), list(rights))]
    return {key[2:]: value for key, value in merged.items()}


def _ordered(live: list[str], applied: list[str]) -> list[str]:
    """Keys of list items: those that are applied in their order there, what only others have before
    the applied item that it stood before.
    """
    found, pending = [], list(applied)
    for key in live:
        if key not in applied:
            found.append(key)
        elif key == next((k for k in pending if k in live), None):
            count = pending.index(key) + 1
            found += pending[:count]
            del pending[:count]
    return found + pending


def _delete(obj: Object, path: Path) -> None:
    parent = value_at(obj, path[:-1]) if len(path) > 1 else obj
    if isinstance(parent, dict):
        parent.pop(path[-1][2:], None)
    elif isinstance(parent, list):
        victim = value_at(obj, path)
        if victim is not None:
            parent.remove(victim)


def _conflict(conflicts: list[tuple[Manager, Path]], resource: Resource) -> StatusError:
    using = f"using {resource.group_version}"
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager.name}"{_through(manager)} {using}',
            "field": _dotted(path),
        }
        for manager, path in conflicts
    ]
    number = f"{len(causes)} conflict" + ("s" if len(causes) > 1 else "")
    if len({cause["message"] for cause in causes}) == len(causes) == 1:
        text = f"{causes[0]['message']}: {causes[0]['field']}"
    else:
        text = _grouped(causes)
    return StatusError(409, "Conflict", f"Apply failed with {number}: {text}", {"causes": causes})


def _grouped(causes: list[dict[str, str]]) -> str:
    by_message: dict[str, list[str]] = {}
    for cause in causes:
        by_message.setdefault(cause["message"], []).append(cause["field"])
    lines = []
    for message, fields in by_message.items():
        lines += [f"conflicts with {message.removeprefix('conflict with ')}:"]
        lines += [f"- {field}" for field in fields]
    return "\n".join(lines)


def _through(manager: Manager) -> str:
    return f' with subresource "{manager.subresource}"' if manager.subresource else ""


def _dotted(path: Path) -> str:
    text = ""
    for key in path:
        if key.startswith("k:"):
            named = orjson.loads(key[2:])
            text += (
                "[" + ",".join(f"{k}={orjson.dumps(v).decode()}" for k, v in named.items()) + "]"
            )
        elif key.startswith("v:"):
            text += f"[={key[2:]}]"
        else:
            text += f".{key[2:]}"
    return text


__all__ = ["Paths", "apply_configuration", "value_at"]
