"""Decodes objects, and lines of a watch into events."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union

import msgspec

from controller.base.errors import Garbled
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.metadata import CommonMetadata, Struct
from controller.kube.api.errors import Status

T = TypeVar("T")


class Changed(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """ADDED or MODIFIED: which of the two, only our cache can tell after a reconnect [30]."""

    object: T
    resource_version: str  # the position after it; so in all of these


@dataclass(frozen=True)
class Deleted:
    """DELETED: gone, or its label was taken off [27]."""

    key: str  # `namespace/name`
    uid: str  # empty where it did not say
    resource_version: str


@dataclass(frozen=True)
class Bookmark:
    """No object changed; the position moves on [13]."""

    resource_version: str


@dataclass(frozen=True)
class Failure:
    """ERROR: the stream ends with it [9, 11]."""

    status: Status


@dataclass(frozen=True)
class Unreadable:
    """An object of a shape that we do not know. It must not stop the watch."""

    key: str  # `namespace/name`; empty where not even that could be read
    resource_version: str  # likewise
    why: str  # fit to be shown


WatchEvent = Changed[T] | Deleted | Bookmark | Failure | Unreadable


class _Line(msgspec.Struct, frozen=True):
    type: str  # ADDED, MODIFIED, DELETED, BOOKMARK or ERROR
    object: msgspec.Raw = msgspec.Raw(b"null")


class _Identity(Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}" if self.name else ""


class _Partial(Struct, frozen=True):
    metadata: _Identity = _Identity()


class _Gone(msgspec.Struct, tag="DELETED", tag_field="type", gc=False):
    object: _Partial


class _Position(msgspec.Struct, tag="BOOKMARK", tag_field="type", gc=False):
    object: _Partial


def _line_of(tag: str, kind: type[T]) -> type[msgspec.Struct]:
    return msgspec.defstruct(tag, [("object", kind)], tag=tag, tag_field="type", gc=False)


_LINE = msgspec.json.Decoder(_Line)
_PARTIAL = msgspec.json.Decoder(_Partial)
_STATUS = msgspec.json.Decoder(Status)


def metadata_of(found: object) -> CommonMetadata:
    """Of any kind that is cached."""
    metadata = getattr(found, "metadata", None)
    if not isinstance(metadata, CommonMetadata):
        raise TypeError(f"{type(found).__name__} has no metadata")
    return metadata


class ObjectDecoder(Generic[T]):
    """JSON of one kind of object, and of the watch events that carry it."""

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        # The common events in one step, from lines to objects.
        self._changed = tuple(_line_of(tag, kind) for tag in ("ADDED", "MODIFIED"))
        self._lines = msgspec.json.Decoder(Union[(*self._changed, _Gone, _Position)])

    def object(self, raw: bytes | msgspec.Raw) -> T | Unreadable:
        """The object, or who it is where its shape is unknown. Raises Garbled for what is not
        JSON.
        """
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as exc:
            identity = _identity(raw)
            return Unreadable(identity.key, identity.resource_version, shown(exc))
        except UNDECODABLE as exc:
            raise Garbled(f"an object that is not JSON: {shown(exc)}") from exc

    def events(self, lines: bytes) -> "list[WatchEvent[T]]":
        """Of whole lines, blank ones left out. Raises Garbled where one is no watch event."""
        try:
            read = self._lines.decode_lines(lines)
        except UNDECODABLE:  # one of them is none of the common ones, or odd
            return [self.event(line) for line in lines.split(b"\n") if not line.isspace() and line]
        return [self._event(each) for each in read]

    def _event(self, read: Any) -> "WatchEvent[T]":
        if type(read) is _Position:
            return Bookmark(read.object.metadata.resource_version)
        if type(read) is _Gone:
            return _deleted(read.object.metadata)
        return Changed(read.object, read.object.metadata.resource_version)

    def event(self, line: bytes) -> "WatchEvent[T]":
        """One line of a watch. Raises Garbled for what is no watch event."""
        try:
            read = _LINE.decode(line)
        except UNDECODABLE as exc:
            raise Garbled(f"a watch line that is no event: {shown(line[:80])!r}") from exc
        match read.type:
            case "ADDED" | "MODIFIED":
                found = self.object(read.object)
                if isinstance(found, Unreadable):
                    return found
                return Changed(found, metadata_of(found).resource_version)
            case "DELETED":
                # Only who it was matters, so a shape that we do not know is no obstacle.
                return _deleted(_identity(read.object))
            case "BOOKMARK":
                return Bookmark(_identity(read.object).resource_version)
            case "ERROR":
                return Failure(_status(read.object))
        return Unreadable("", "", f"an event of the unknown type {shown(read.type, 40)}")


def _deleted(gone: _Identity) -> Deleted | Unreadable:
    if gone.key:
        return Deleted(gone.key, gone.uid, gone.resource_version)
    return Unreadable("", "", "a DELETED event without a name")


def _identity(raw: bytes | msgspec.Raw) -> _Identity:
    try:
        return _PARTIAL.decode(raw).metadata
    except UNDECODABLE:
        return _Identity()


def _status(raw: msgspec.Raw) -> Status:
    try:
        return _STATUS.decode(raw)
    except UNDECODABLE:
        # Something failed and cannot say what: as an internal error, it is tried again.
        return Status(
            kind="Status", code=500, message=shown(bytes(raw)[:200].decode(errors="replace"))
        )
