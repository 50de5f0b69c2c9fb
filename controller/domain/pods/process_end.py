"""How a process of the node ended, from its exit code, its pod's status and its last lines."""

import re
from dataclasses import dataclass
from enum import StrEnum

from controller.base.text import shown
from controller.domain.objects import StateTerminated

LINE = 200  # characters of a log line that a record keeps


class EndKind(StrEnum):
    """What ended a process."""

    OOM = "oom"  # killed for the memory that it took
    VOLUME = "volume"  # its disk fails
    DISK = "disk"  # the node itself, low on disk space [91]
    REFUSED = "refused"  # it refused its flags, its data or the machine's architecture
    PANIC = "panic"  # caught, and so with exit code 0 [117]
    ZERO = "zero"  # exit code 0, and no line that tells why
    FATAL = "fatal"  # by a line that says so [116]
    OTHER = "other"  # nothing tells


@dataclass(frozen=True)
class ProcessEnd:
    kind: EndKind
    code: int  # exit code
    line: str = ""  # the telling one of its last lines; empty where nobody knows it

    def __str__(self) -> str:
        how = f"exit code {self.code}" + (" (OOMKilled)" if self.kind is EndKind.OOM else "")
        return f"{how}: {self.line}" if self.line else how


_VOLUME = re.compile(
    r"input/output error|read-only file system|stale (?:NFS )?file handle"
    r"|structure needs cleaning|transport endpoint is not connected",
    re.IGNORECASE,
)
_DISK = re.compile(r"low on disk space|no space left on device", re.IGNORECASE)
_REFUSED = re.compile(
    r"couldn't load node config|couldn't configure flags|couldn't read chain configs"
    r"|invalid genesis hash|exec format error|unknown flag|invalid argument \".*\" for"
    r"|couldn't start node: .*(?:config|genesis|flag)",
    re.IGNORECASE,
)
_PANIC = re.compile(r"caught panic", re.IGNORECASE)
_FATAL = re.compile(
    r"\bFATAL\b|^panic: |^fatal error: |shutting down chain|failed to verify block"
    r"|error creating required chain|couldn't start node",
    re.IGNORECASE,
)
# The order in which a line is looked for: what tells most first.
_TELLING = (
    (EndKind.VOLUME, _VOLUME),
    (EndKind.DISK, _DISK),
    (EndKind.REFUSED, _REFUSED),
    (EndKind.PANIC, _PANIC),
    (EndKind.FATAL, _FATAL),
)
_STAMP = re.compile(r"^\[[0-9|:.\- ]+\]\s*")


def process_end_of(terminated: StateTerminated, words: str = "") -> ProcessEnd:
    """words: the end of the process's log, where it was read; else the pod's status may have it
    (`terminationMessagePolicy: FallbackToLogsOnError`).
    """
    code = terminated.exit_code
    kind, line = _telling(words or terminated.message)
    if terminated.reason == "OOMKilled":
        kind = EndKind.OOM
    elif code == 0 and kind is not EndKind.PANIC:
        kind = EndKind.ZERO
    return ProcessEnd(kind, code, line)


def _telling(words: str) -> tuple[EndKind, str]:
    lines = [line for line in words.splitlines() if line.strip()]
    for kind, pattern in _TELLING:
        found = next((line for line in reversed(lines) if pattern.search(line)), None)
        if found is not None:
            return kind, shown(_STAMP.sub("", found), LINE)
    return EndKind.OTHER, shown(_STAMP.sub("", lines[-1]), LINE) if lines else ""
