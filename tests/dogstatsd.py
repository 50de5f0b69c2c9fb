"""A parser of DogStatsD's events, written from Datadog's description of the datagram [132, 134] and
not from the client that we send with. Strict: what an agent would only guess is refused.
"""

import re
from dataclasses import dataclass, field

_HEAD = re.compile(rb"_e\{(\d+),(\d+)\}:")
ALERT_TYPES = {"info", "success", "warning", "error"}
_FIELDS = {b"d": "date", b"h": "host", b"k": "key", b"p": "priority", b"s": "source", b"t": "alert"}


@dataclass
class Event:
    """One event as Datadog would show it."""

    title: str
    text: str  # with its lines
    fields: dict[str, str] = field(default_factory=dict)  # by the names of _FIELDS
    tags: list[str] = field(default_factory=list)


def parse_event(datagram: bytes) -> Event:
    """Raises ValueError for what is no event, whole and alone."""
    head = _HEAD.match(datagram)
    if head is None:
        raise ValueError("no head")
    title_end = head.end() + int(head[1])
    text_end = title_end + 1 + int(head[2])
    rest = datagram[text_end:].removesuffix(b"\n")
    if datagram[title_end : title_end + 1] != b"|" or len(datagram) < text_end:
        raise ValueError("the lengths are not those of title and text")
    if b"\n" in datagram[:text_end] or b"\n" in rest:
        raise ValueError("a second message begins")
    found = Event(
        _text(datagram[head.end() : title_end]), _text(datagram[title_end + 1 : text_end])
    )
    if not found.title:
        raise ValueError("no title")
    parts = rest.split(b"|")
    if parts[0]:
        raise ValueError("something follows the text")
    for part in parts[1:]:
        _take(found, part)
    return found


def _take(event: Event, part: bytes) -> None:
    if part.startswith(b"#"):
        if event.tags:
            raise ValueError("tags stand twice")
        event.tags = part[1:].decode().split(",")
        return
    name, colon, value = part.partition(b":")
    if not colon or name not in _FIELDS or _FIELDS[name] in event.fields:
        raise ValueError(f"unknown field {part!r}")
    event.fields[_FIELDS[name]] = value.decode()
    if name == b"t" and value.decode() not in ALERT_TYPES:
        raise ValueError("no alert type")
    if name == b"d":
        int(value)


def _text(raw: bytes) -> str:
    """Line breaks are written as a backslash and an n."""
    return raw.decode().replace("\\n", "\n")
