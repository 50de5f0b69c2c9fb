"""Lines of a node's log, recorded or simulated, in one form."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.scenes import scenes

_PLAIN = re.compile(
    r"\[\d\d-\d\d\|\d\d:\d\d:\d\d\.\d{3}\] (?P<level>[A-Z]+) "
    r"(?:<(?P<chain>[PXC]) Chain> )?(?P<file>[^ :]+):\d+ ?(?P<rest>.*)"
)
_FIELDS = re.compile(r" \{\".*\}$")
_ATTRIBUTES = re.compile(r" +(?:\w+|\"[^\"]+\")=.*$")
_HEAD = ("level", "timestamp", "logger", "caller", "msg")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Line:
    """One line: who says what at which level, and the names of what it says beside."""

    level: str
    chain: str  # whose logger, `C`; empty: the node's
    file: str  # of avalanchego's source, without the line
    message: str
    fields: tuple[str, ...] = ()  # of the JSON form alone
    form: str = "json"  # or `plain`

    @property
    def said(self) -> tuple[str, str, str]:
        return self.level, self.chain, self.message


def lines(log: str | bytes) -> list[Line]:
    """Those that are of either form; what is said without a logger is left out."""
    text = log.decode() if isinstance(log, bytes) else log
    return [line for raw in text.splitlines() if (line := parsed(raw)) is not None]


def parsed(raw: str) -> Line | None:
    if raw.startswith("{"):
        pairs = json.loads(raw, object_pairs_hook=list)
        names = tuple(name for name, _ in pairs)
        found = dict(reversed(pairs))  # the first of those of one name
        head = [name for name in _HEAD if name in names]
        assert list(names[: len(head)]) == head, raw
        assert _STAMP.fullmatch(found["timestamp"]), raw
        chain = found.get("logger", "").removesuffix(" Chain")
        file = found["caller"].rpartition(":")[0]
        return Line(found["level"], chain, file, found["msg"], names[len(head) :])
    match = _PLAIN.fullmatch(raw)
    if match is None:
        return None
    message = _ATTRIBUTES.sub("", _FIELDS.sub("", match["rest"])).strip()
    chain = match["chain"] or ""
    return Line(match["level"].lower(), chain, match["file"], message, form="plain")


def vocabulary() -> set[Line]:
    """Every line of every scene."""
    return {line for scene in scenes() for line in lines(scene.log)}


def behind(marker: str, all_lines: Iterable[Line]) -> list[Line]:
    """What follows the first line of that message, and it."""
    found = list(all_lines)
    first = next(number for number, line in enumerate(found) if line.message == marker)
    return found[first:]


def unasked(all_lines: Iterable[Line]) -> Iterator[Line]:
    """Without the warnings that come from being asked."""
    return (line for line in all_lines if line.message != "failing check")
