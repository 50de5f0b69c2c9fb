"""What the log of a node that runs says of its network and of C's state sync.

Any text is taken; a line that cannot be read says nothing.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.domain.node_log.lines import Line, parse_line

# How C came to its state, as avalanchego says it once [scene state-sync]
STATIC, DYNAMIC, SKIPPED = "Static", "Dynamic", "Skipped"

_LONGEST_TEXT = 4 << 20  # characters of the end: 2,000 lines have less
_LONGEST_LINE = 4096  # characters of a line that are looked at: ours have some four hundred
_MOST_VERSIONS = 8
_MOST_LINES = 500  # of one kind, the newest

_NEWER = re.compile(r"(?:peer|beacon) attempting to connect with newer version")
_SUMMARY = re.compile(r"accepted state summary")
_MODES = (STATIC, DYNAMIC, SKIPPED)  # one that synced is told before one that skipped
_VERSION = re.compile(r"[A-Za-z][A-Za-z-]{0,31}/([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})")
_INSTANT = re.compile(
    r'"timestamp": ?"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})[.0-9]{0,12}Z"'
)
_STAMP = re.compile(r"\[([0-9]{2}-[0-9]{2}\|[0-9]{2}:[0-9]{2}:[0-9]{2})[.0-9]{0,12}\]")


@dataclass(frozen=True)
class RunningWords:
    """Empty where the log does not say."""

    newer: tuple[str, ...] = ()  # versions of peers that are newer than the node's, sorted
    own: str = ""  # the node's, as it tells it beside them
    newer_at: float | None = None  # when the last of them came, seconds since 1970; None: untold
    sync_mode: str = ""  # `Static`, `Dynamic` or `Skipped`, of C


def read_running(text: str, now: float) -> RunningWords:
    """now: wall clock, seconds since 1970; a plain line has no year."""
    text = text[-_LONGEST_TEXT:]
    found: dict[tuple[int, ...], str] = {}
    own, newer_at = "", None
    for line in _lines(text, _NEWER):
        mine, theirs = (line.fields.get(name, "") for name in ("myVersion", "peerVersion"))
        if not _number(theirs) > _number(mine) > ():
            continue
        own = mine
        found[_number(theirs)] = theirs
        newer_at = _later(newer_at, _time_of(line.text, now))
    newest = sorted(found)[-_MOST_VERSIONS:]
    return RunningWords(tuple(found[n] for n in newest), own, newer_at, _sync_mode(text))


def _sync_mode(text: str) -> str:
    """Of C: a later start may skip what is done."""
    told = {line.fields.get("syncMode") for line in _lines(text, _SUMMARY) if line.chain == "C"}
    return next((mode for mode in _MODES if mode in told), "")


def _lines(text: str, message: re.Pattern[str]) -> Iterator[Line]:
    """Those whose message begins so, the newest last."""
    places = [found.start() for found in message.finditer(text)][-_MOST_LINES:]
    for at in places:
        start = text.rfind("\n", max(0, at - _LONGEST_LINE), at) + 1
        if start == 0 and at > _LONGEST_LINE:
            continue  # its beginning is too far away
        end = text.find("\n", at, start + _LONGEST_LINE)
        line = parse_line(text[start : end if end >= 0 else start + _LONGEST_LINE])
        if line.level is not None and message.match(line.message):
            yield line


def _number(version: str) -> tuple[int, ...]:
    """Empty where it is none."""
    found = _VERSION.fullmatch(version)
    return tuple(map(int, found.groups())) if found else ()


def _later(one: float | None, other: float | None) -> float | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _time_of(line: str, now: float) -> float | None:
    try:
        if told := _INSTANT.search(line):
            return datetime.fromisoformat(f"{told[1]}+00:00").timestamp()
        if told := _STAMP.match(line):
            return _nearest(told[1], datetime.fromtimestamp(now, UTC))
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _nearest(stamp: str, now: datetime) -> float:
    """Raises ValueError for what is no day of a year near."""
    times = []
    for year in sorted({(now + timedelta(days=days)).year for days in (-180, 0, 180)}):
        with suppress(ValueError):  # 29 February is not of every year
            at = datetime.strptime(f"{year}-{stamp}Z", "%Y-%m-%d|%H:%M:%S%z")
            times.append(at.timestamp())
    return min(times, key=lambda at: abs(at - now.timestamp()))
