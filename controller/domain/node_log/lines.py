"""One line of a node's log, in whichever of the formats that stand in one log.

With `log-format=json` the C-chain's VM still prints plain lines, and what is said before the logger
stands, or last when a start fails, is a bare sentence; so is all that Go itself prints.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE

LONGEST = 64 * 1024  # characters of a line that are looked at: a stack in a field has some KB

_VALUE = 4000  # characters of a field that are kept
_FIELDS = 24  # of a line


class Level(IntEnum):
    """As avalanchego orders them; CRIT of the C-chain's VM ends the process as FATAL does."""

    VERBO = 0
    DEBUG = 1
    TRACE = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6


@dataclass(frozen=True)
class Line:
    text: str  # as it stands, bounded; not yet fit to be shown
    level: Level | None = None  # None: a bare line
    message: str = ""  # of a bare line all of it
    logger: str = ""  # such as `C Chain`; empty where it names none
    fields: Mapping[str, str] = field(default_factory=dict)  # name to value
    whole: bool = True  # False: its beginning or its end was cut off

    @property
    def chain(self) -> str:
        """Alias or id of the chain that speaks; empty where none does."""
        return self.logger.removesuffix(" Chain") if self.logger.endswith(" Chain") else ""


_LEVELS = {level.name: level for level in Level} | {"CRIT": Level.FATAL, "EROR": Level.ERROR}
_LEVELS |= {"DBUG": Level.DEBUG, "TRCE": Level.TRACE}
# What terminals are told by escape sequences: colours, in the plain format.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[a-zA-Z]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\))?")
# What kubectl (--timestamps) and container runtimes put before a line.
_PREFIX = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?"
)
_PLAIN = re.compile(
    r"\[\d\d-\d\d\|[\d:.]{8,15}\] (?P<level>[A-Z]{4,5})\s{1,4}(?:<(?P<logger>[^>]{1,80})> )?"
    r"(?:[\w/.-]{1,120}\.go:\d{1,6} )?(?P<rest>.*)",
    re.DOTALL,
)
# The C-chain's VM: a message, blanks, and `name=value` with quotes where there are blanks in it.
_PAIR = re.compile(r'\s([A-Za-z_][\w.]{0,40})=("(?:[^"\\]|\\.){0,4000}"|[^\s"]{1,4000})')
# What a JSON line that was cut off still says.
_TOLD = re.compile(r'"([A-Za-z]{1,40})":(?:"((?:[^"\\]|\\.){0,20000})(?:"|$)|(\d{1,20}))')
_ESCAPED = re.compile(r"\\(.)")


def parse_line(raw: str) -> Line:
    """Of any text, without its end of line."""
    text = _ESCAPES.sub("", raw[:LONGEST]).rstrip("\r\n")
    text = text[found.end() :] if (found := _PREFIX.match(text)) else text
    if text.startswith("{"):
        return _json(text)
    plain = _PLAIN.match(text)
    if plain is not None and plain["level"] in _LEVELS:
        return _plain(text, plain)
    return Line(text, message=text)


def _json(text: str) -> Line:
    whole = True
    try:
        told = msgspec.json.decode(text)
    except UNDECODABLE:
        whole, told = False, _told(text)
    if not isinstance(told, dict):
        return Line(text, message=text)
    level = _LEVELS.get(str(told.pop("level", "")).upper())
    message, logger = str(told.pop("msg", ""))[:_VALUE], shown(told.pop("logger", ""), 80)
    for passed_over in ("timestamp", "caller"):
        told.pop(passed_over, None)
    if level is None and whole:
        return Line(text, message=text)
    return Line(text, level, message, logger, _fields(told), whole)


def _told(text: str) -> dict[str, object]:
    return {
        found[1]: _ESCAPED.sub(_meant, found[2]) if found[2] is not None else found[3]
        for found in _TOLD.finditer(text)
    }


def _meant(escape: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(escape[1], escape[1])


def _fields(told: Mapping[str, object]) -> dict[str, str]:
    return {str(name)[:40]: str(value)[:_VALUE] for name, value in list(told.items())[:_FIELDS]}


def _plain(text: str, plain: re.Match[str]) -> Line:
    level, logger, rest = _LEVELS[plain["level"]], plain["logger"] or "", plain["rest"]
    message, brace, tail = rest.partition(" {")
    if brace and tail.startswith('"'):
        return _with_json(text, (level, message, logger), "{" + tail)
    pairs = {found[1]: found[2].strip('"') for found in _PAIR.finditer(rest)}
    first = _PAIR.search(rest)
    message = rest[: first.start()] if first else rest
    return Line(text, level, message.strip()[:_VALUE], shown(logger, 80), _fields(pairs))


def _with_json(text: str, said: tuple[Level, str, str], tail: str) -> Line:
    level, message, logger = said
    whole = True
    try:
        told = msgspec.json.decode(tail)
    except UNDECODABLE:
        whole, told = False, _told(tail)
    fields = _fields(told) if isinstance(told, dict) else {}
    return Line(text, level, message.strip()[:_VALUE], shown(logger, 80), fields, whole)
