"""The last process that a log tells of: how it began, what went wrong first, how it stopped.

The first fatal line of a process is its cause; later ones are its echo. A line *about* shutting
down is no cause at all [scene bad-block].
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from controller.domain.node_log.lines import LONGEST, Level, Line, parse_line

# What begins and ends the text that Go prints of a crash; what begins a sentence without a logger.
_CRASH = re.compile(
    r"panic: |fatal error: |runtime: |runtime/cgo: |SIG[A-Z]{2,6}: |unexpected fault address "
    r"|\[signal SIG|Caught SIG[A-Z]{2,6} "
)
_BARE = re.compile(
    r"couldn't \w|failed to \w|Error: |unknown flag|exec |standard_init_linux|exec format"
    r"|/\S{0,200}: (?:cannot execute|not found|No such file|Permission denied)"
)
_LAST_WORD = re.compile(r"couldn't (?:configure flags|load node config|start node)")
_FRAME = re.compile(r"(?:goroutine \d+ |created by |\t\S+\.go:\d+|\S+\.\S*\(.*\)$|\[originating)")
_STACK = re.compile(r"goroutine \d+ |\t\S+\.go:\d+")
# Most lines by far are of these levels, and tell nothing: they are not read any further.
_QUIET = re.compile(r'\{"level":"(?:info|warn|debug|trace|verbo)"')
_LOUD = re.compile("initializing node|fd-limit|shut|caught", re.IGNORECASE)
_LOOKED_AT = 400  # characters of such a line
_BEGINS = ("initializing node", "fd-limit is less than recommended")
_STOPS = ("shutting down node", "finished node shutdown")
# An error line that a fatal line only echoes: the database ended itself, and all else finds it
# closed [scene db-tables-flipped].
_CORRUPT = "closing database to avoid possible corruption"
_CAUGHT = "caught panic"


@dataclass
class LastProcess:
    """What its lines have told so far; memory is that of a few lines, however long a log is."""

    begun: bool = False  # its first line is among those that were read
    fatal: Line | None = None  # the first at level fatal
    corrupt: Line | None = None  # the error line of a database that closes itself
    caught: Line | None = None  # the first that speaks of a panic that was caught
    crash: Line | None = None  # the first that Go printed of its crash
    signal: str = ""  # what Go printed after it: of which signal it died
    frame: str = ""  # the function in which it crashed; empty where none is told
    bare: Line | None = None  # the first sentence without a logger
    stopping: bool = False  # it has said that it shuts down
    code: int | None = None  # with which exit code, as it said then; None where it did not
    stack: bool = False  # frames of a stack were read
    last: Line | None = None  # the last line with anything in it
    over: bool = False  # it has said its last word

    def is_followed_by(self, line: Line) -> bool:
        """Whether this line is another process's."""
        if line.level is not None and line.message.startswith(_BEGINS):
            told = (self.fatal, self.crash, self.bare, self.last if self.stopping else None)
            return self.last is None or self.over or any(told)
        if line.level is None:  # a start that fails is told twice, with a level and without
            return self.over and self.bare is None and _BARE.match(line.message) is not None
        return self.over

    def take(self, line: Line) -> None:
        self.last = line
        if line.level is None:
            self._take_bare(line)
        else:
            self._take_logged(line, line.level)

    def _take_logged(self, line: Line, level: Level) -> None:
        if level is Level.FATAL and self.fatal is None:
            self.fatal = line
        elif level is Level.ERROR and line.message.startswith(_CORRUPT):
            self.corrupt = self.corrupt or line
        if level >= Level.ERROR and _CAUGHT in line.message.lower():
            self.caught = self.caught or line
        if line.message.startswith(_STOPS):
            self.stopping = True
            told = line.fields.get("exitCode", "")
            self.code = int(told) if told.isdecimal() and len(told) < 4 else self.code
            self.over = self.over or line.message.startswith(_STOPS[1])

    def _take_bare(self, line: Line) -> None:
        text = line.message
        if _CRASH.match(text):
            self.signal += f" {text[:200]}" if self.crash and len(self.signal) < 400 else ""
            self.crash = self.crash or line
        elif _FRAME.match(text):
            self.stack = self.stack or _STACK.match(text) is not None
            self.frame = self.frame or _function(text)
        elif _CAUGHT in text.lower():
            self.caught = self.caught or line
        elif self.crash is None and _BARE.match(text):
            self.bare = self.bare or line
            self.over = self.over or _LAST_WORD.match(text) is not None


_RUNTIME = re.compile(r"(?:panic|runtime[./].*|.*\.StopOnPanic|.*\.RecoverAndPanic|created by.*)$")


def _function(frame: str) -> str:
    """Such as `core.(*StateProcessor).Process`; empty for a frame of Go's own."""
    if frame.startswith(("\t", "goroutine ", "created by ", "[")):
        return ""
    name = re.sub(r"\([^()]*\)$", "", frame.split("({", 1)[0].split("(0x", 1)[0]).strip()
    return "" if _RUNTIME.match(name) else name.rpartition("/")[2]


def function_in(stack: str) -> str:
    """The function that panicked, in a stack as a field of a line holds it."""
    frames = (line for line in stack[:8000].split("\n") if not line.startswith("\t"))
    return next(filter(None, map(_function, frames)), "")


def last_process(lines: Iterable[str]) -> LastProcess:
    """lines: with or without their ends, oldest first."""
    process = LastProcess()
    for raw in lines:
        line = _quiet(raw) or parse_line(raw)
        if not line.text.strip():
            continue
        if process.is_followed_by(line):
            process = LastProcess(begun=True)
        process.take(line)
    return process


def _quiet(raw: str) -> Line | None:
    if _QUIET.match(raw) and not _LOUD.search(raw, 0, _LOOKED_AT):
        return Line(raw[:_LOOKED_AT], Level.INFO, whole=False)
    return None


def split_lines(text: str) -> Iterator[str]:
    """Of a text of any length; what lies beyond LONGEST in a line is left out of it."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start : min(end, start + LONGEST)]
        start = end + 1
