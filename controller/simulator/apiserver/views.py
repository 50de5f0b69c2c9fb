"""How stored objects look to a client: by group (events have two views) and by what it accepts."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.tables import COLUMNS, cells

# Core v1 Event to events.k8s.io/v1 Event; what is not named has the same name in both.
_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_EVENT_NAMES_BACK = {new: old for old, new in _EVENT_NAMES.items()}


def to_view(resource: Resource, obj: Object) -> Object:
    """A stored object as this resource shows it; shares its parts with the stored one."""
    names = _EVENT_NAMES if resource.group == "events.k8s.io" else {}
    rest = {names.get(k, k): v for k, v in obj.items() if k not in {"kind", "apiVersion"}}
    return {"kind": resource.kind, "apiVersion": resource.group_version, **rest}


def from_view(resource: Resource, obj: Object) -> Object:
    """The other way, for what a client sends."""
    if resource.group != "events.k8s.io":
        return obj
    return {_EVENT_NAMES_BACK.get(k, k): v for k, v in obj.items()}


class View:
    """One client's wish: objects whole, as metadata only, or as rows of a table."""

    def __init__(
        self,
        resource: Resource,
        accept: str,
        now: Callable[[], datetime],
        include: str = "Metadata",
    ) -> None:
        self._resource = resource
        self._now = now
        self._include = include
        self._as = _wanted(accept)
        self._headed = False

    def one(self, obj: Object) -> Object:
        """A single object, or the object of a watch event."""
        if self._as == "Table":
            # A watch describes the columns once, in its first event.
            table = self._table([obj], {"resourceVersion": obj["metadata"]["resourceVersion"]})
            if self._headed:
                table["columnDefinitions"] = None
            self._headed = True
            return table
        if self._as:
            return self._partial(obj)
        return to_view(self._resource, obj)

    def bookmark(self, metadata: Object) -> Object:
        """The object of a BOOKMARK event: type, version, and no field set."""
        blank = self._resource.blank(metadata)
        if self._as == "Table":
            return {**self._table([blank], metadata), "columnDefinitions": None, "rows": []}
        return self._partial(blank) if self._as else blank

    def many(self, objects: list[Object], metadata: Object) -> Object:
        """A list; its items do not repeat kind and apiVersion (recording 4)."""
        resource = self._resource
        if self._as == "Table":
            return self._table(objects, metadata)
        if self._as:
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
                "items": [self._partial(obj) for obj in objects],
            }
        items = [to_view(resource, obj) for obj in objects]
        for item in items:
            del item["kind"], item["apiVersion"]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.group_version,
            "metadata": metadata,
            "items": items,
        }

    @staticmethod
    def _partial(obj: Object) -> Object:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj["metadata"],
        }

    def _table(self, objects: list[Object], metadata: Object) -> Object:
        columns = COLUMNS.get(self._resource.plural, COLUMNS[""])
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": [
                {
                    "name": name,
                    "type": kind,
                    "format": "name" if name == "Name" else "",
                    "description": "",
                    "priority": 0,
                }
                for name, kind in columns
            ],
            "rows": [self._row(obj) for obj in objects],
        }

    def _row(self, obj: Object) -> Object:
        row: Object = {"cells": cells(self._resource.plural, obj, self._now())}
        if self._include == "Object":
            row["object"] = to_view(self._resource, obj)
        elif self._include != "None":
            row["object"] = self._partial(obj)
        return row


def _wanted(accept: str) -> str:
    """`Table`, `PartialObjectMetadata` or nothing: the first of what is accepted that we have."""
    for part in accept.split(","):
        found: Any = re.search(r";\s*as=(\w+)", part)
        kind = found[1] if found else ""
        if kind in {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}:
            return kind.removesuffix("List")
        if not kind and "json" in part:
            return ""
    return ""
