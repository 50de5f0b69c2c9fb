"""Who wrote a field, from managedFields: names the tool that took a pin back; pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

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
    return max(owners, key=lambda entry: entry.time.timestamp() if entry.time else 0.0).manager


def _owns(entry: ManagedField, container: str, where: str) -> bool:
    if entry.subresource:
        return False  # status and scale hold no image
    fields: Any = _fields(entry)
    for step in ("f:spec", "f:template", "f:spec", where):
        fields = fields.get(step) if isinstance(fields, Mapping) else None
    if not isinstance(fields, Mapping):
        return False
    return any(
        _names(key, container) and isinstance(held, Mapping) and "f:image" in held
        for key, held in fields.items()
    )


def _names(key: str, container: str) -> bool:
    """Whether an element's key, such as `k:{"name":"node"}`, is of that container."""
    if not key.startswith("k:"):
        return False
    try:
        found = msgspec.json.decode(key[2:])
    except msgspec.DecodeError:
        return False
    return isinstance(found, dict) and found.get("name") == container


def _fields(entry: ManagedField) -> Any:
    try:
        return msgspec.json.decode(entry.fields_v1)
    except msgspec.DecodeError:
        return {}
