"""Who wrote a field, from managedFields: names the tool that took a pin back; pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.base.undecodable import UNDECODABLE
from controller.domain.objects import Deployment, ManagedField


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


def _names(key: str, container: str) -> bool:
    """Whether an element's key, such as `k:{"name":"node"}`, is of that container."""
    if not key.startswith("k:"):
        return False
    try:
        found = msgspec.json.decode(key[2:])
    except UNDECODABLE:
        return False
    return isinstance(found, dict) and found.get("name") == container


def _fields(entry: ManagedField) -> Any:
    try:
        return msgspec.json.decode(entry.fields_v1)
    except UNDECODABLE:
        return {}
