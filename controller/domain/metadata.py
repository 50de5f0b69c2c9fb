"""Metadata of an object as decoded from the API server, and the manner of all structs that are."""

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import force_setattr

from controller.base.undecodable import UNDECODABLE

# Different values of each part that is kept once for all objects that have it. A fleet has tens; of
# more, the one that was not seen for longest goes.
SHARED = 1024


class Struct(msgspec.Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """The manner of all of them: immutable, camelCase on the wire, unknown fields skipped.

    Nothing decoded holds itself, so the collector of cycles need not look at them: it took 18 us
    of the 59 us of an event (the collector switched off and on; --only watch_throughput).
    """


class OwnerReference(Struct, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ManagedField(Struct, frozen=True):
    """Who wrote which fields. fieldsV1 stays undecoded until somebody asks who took a pin back."""

    manager: str = ""
    operation: str = ""
    time: datetime | None = None
    subresource: str = ""
    fields_v1: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"{}"), name="fieldsV1")


class CommonMetadata(Struct, frozen=True):
    """Of every kind."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    def label(self, name: str) -> str | None:
        return (self.labels or {}).get(name)

    def annotation(self, name: str) -> str | None:
        return (self.annotations or {}).get(name)

    def written(self, name: str) -> str | None:
        """As `annotation`, of one that a person writes: without the blanks and ends of lines around
        it, which a file or a paste leaves there.
        """
        value = self.annotation(name)
        return None if value is None else value.strip()


_MANAGERS = msgspec.json.Decoder(list[ManagedField] | None)
_TIME = b'"time":"'
_TIME_SIZE = len("2026-11-23T06:15:59Z")


class Managed(NamedTuple):
    """managedFields as JSON, without the times of its entries: but for those, it is the same bytes
    in most Deployments of a fleet, and then the same object (2.9 KB each).
    """

    text: bytes = b"null"
    # What follows each `"time":"`, one after the other; empty where they still stand in the text
    times: bytes = b""

    @classmethod
    def of(cls, raw: bytes) -> "Managed":
        head, *rest = raw.split(_TIME)
        times = b"".join([part[:_TIME_SIZE] for part in rest])
        if len(times) != _TIME_SIZE * len(rest):
            return cls(raw)  # they are no times as an API server writes them
        text = _TIME.join([head, *[part[_TIME_SIZE:] for part in rest]])
        return cls(_same(text), times)

    def whole(self) -> bytes:
        """As it came."""
        if not self.times:
            return self.text
        head, *rest = self.text.split(_TIME)
        ends = range(_TIME_SIZE, len(self.times) + 1, _TIME_SIZE)
        times = [self.times[end - _TIME_SIZE : end] for end in ends]
        return _TIME.join((head, *(time + part for time, part in zip(times, rest, strict=True))))


@lru_cache(SHARED)
def _same(text: bytes) -> bytes:
    """The object that was first of those that are equal."""
    return text


if TYPE_CHECKING:
    Kept = Managed
else:  # how it comes; `Metadata.__post_init__` cuts it
    Kept = msgspec.Raw


class Metadata(CommonMetadata, frozen=True):
    """With who wrote which fields: of Deployments only, nobody asks it of others."""

    # Not decoded before somebody asks: half of the bytes of an object.
    managed: Kept = msgspec.field(default=Managed(), name="managedFields")

    def __post_init__(self) -> None:
        if isinstance(self.managed, msgspec.Raw):
            force_setattr(self, "managed", Managed.of(bytes(self.managed)))

    @property
    def managed_fields(self) -> list[ManagedField] | None:
        """Decoded anew each time; None where there are none, or of a shape that we do not know."""
        try:
            found: list[ManagedField] | None = _MANAGERS.decode(self.managed.whole())
        except UNDECODABLE:
            return None
        return found
