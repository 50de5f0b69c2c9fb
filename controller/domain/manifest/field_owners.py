"""Who wrote a field, from managedFields: names the tool that took a pin back; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from controller.base.undecodable import UNDECODABLE
from controller.domain.metadata import ManagedField
from controller.domain.objects import Deployment


def image_manager(deployment: Deployment, container: str, *, init: bool = False) -> str | None:
    """The field manager that owns a container's image: of several, the one that wrote last; None
    where nobody does.
    """
    owners = [
        entry
        for entry in deployment.metadata.managed_fields or ()
        if _owns(entry, container, "f:initContainers" if init else "f:containers")
    ]
    if not owners:
        return None
    return max(owners, key=_time).manager


def _time(entry: ManagedField) -> float:
    return entry.time.timestamp() if entry.time else 0.0


def container_manager(
    deployment: Deployment, container: str, *, variables: Iterable[str], words: bool
) -> ManagedField | None:
    """The entry of the field manager that owns one of these variables of a container, or its
    command or args: of several, the one that wrote last; None where nobody does.
    """
    owners = []
    for entry in deployment.metadata.managed_fields or ():
        containers = _below(entry, "f:spec", "f:template", "f:spec", "f:containers") or {}
        held = next((h for key, h in containers.items() if _names(key, container)), None)
        if entry.subresource or not isinstance(held, Mapping):
            continue
        env = held.get("f:env")
        owned = env if isinstance(env, Mapping) else {}
        if any(_names(key, name) for key in owned for name in variables) or (
            words and ("f:args" in held or "f:command" in held)
        ):
            owners.append(entry)
    return max(owners, key=_time, default=None)


def last_manager(deployment: Deployment) -> ManagedField | None:
    """The entry of whoever wrote last, but for status and scale."""
    entries = (e for e in deployment.metadata.managed_fields or () if not e.subresource)
    return max(entries, key=_time, default=None)


def annotation_manager(deployment: Deployment, annotation: str) -> ManagedField | None:
    """The entry of the field manager that owns an annotation of the Deployment: of several, the one
    that wrote last; None where nobody does. Its time is of that manager's last write of any field.
    """
    owners = [
        entry
        for entry in deployment.metadata.managed_fields or ()
        if _below(entry, "f:metadata", "f:annotations", f"f:{annotation}") is not None
    ]
    return max(owners, key=_time, default=None)


def _owns(entry: ManagedField, container: str, where: str) -> bool:
    if entry.subresource:
        return False  # status and scale hold no image
    fields = _below(entry, "f:spec", "f:template", "f:spec", where)
    return any(
        _names(key, container) and isinstance(held, Mapping) and "f:image" in held
        for key, held in (fields or {}).items()
    )


def _below(entry: ManagedField, *path: str) -> Mapping[str, Any] | None:
    """What the entry holds below these keys; None where it does not."""
    fields: Any = _fields(entry)
    for step in path:
        fields = fields.get(step) if isinstance(fields, Mapping) else None
    return fields if isinstance(fields, Mapping) else None


def _names(key: str, name: str) -> bool:
    """Whether an element's key, such as `k:{"name":"node"}`, is of that name."""
    if not key.startswith("k:"):
        return False
    try:
        found = msgspec.json.decode(key[2:])
    except UNDECODABLE:
        return False
    return isinstance(found, dict) and found.get("name") == name


def _fields(entry: ManagedField) -> Any:
    try:
        return msgspec.json.decode(entry.fields_v1)
    except UNDECODABLE:
        return {}
