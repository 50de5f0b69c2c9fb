"""How a process of the node ended: its exit code and its pod's status, with the end of its log."""

import re
from dataclasses import dataclass, replace

from controller.base.text import shown
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.node_log.causes import EndKind
from controller.domain.node_log.ending import CUT_OFF, Ending, ending_of
from controller.domain.node_log.last_process import split_lines
from controller.domain.objects import Container, StateTerminated
from controller.domain.record.parts import Cause

# `FallbackToLogsOnError` keeps the last 2048 bytes or 80 lines, whichever is less
# [K pkg/kubelet/kuberuntime/kuberuntime_container.go].
_KEPT_BYTES, _KEPT_LINES = 2048, 80

_GRANT = (
    f"{CUT_OFF}, which are its last 2048 bytes in the pod's status: grant pods/log (component"
    " evidence), and the controller reads more"
)
# What refuses a flag names it.
_FLAG = re.compile(r"(?:unknown flag: |invalid argument \".{0,400}?\" for \"(?:-\w, )?)--([\w-]+)")


@dataclass(frozen=True)
class ProcessEnd:
    kind: EndKind
    code: int  # exit code
    sentence: str = ""  # a clause on why, fit to be shown; empty where nobody knows it
    cause: Cause | None = None  # where it could not go on, as far as its log names it
    place: str = ""  # the same for ends of one cause; empty where that is not known

    def __str__(self) -> str:
        how = f"exit code {self.code}" + (" (OOMKilled)" if self.kind is EndKind.OOM else "")
        return f"{how}: {self.sentence}" if self.sentence else how


@dataclass(frozen=True)
class LogEnd:
    """The end of a process's log."""

    text: str
    cut: bool  # whether there was more of it before


def process_end_of(
    terminated: StateTerminated, log: LogEnd | None = None, container: Container | None = None
) -> ProcessEnd:
    """log: where it was read; else the pod's status may have its last bytes. container: what the
    manifest says of the node; None where that is not known.
    """
    end = log or _kept(terminated.message)
    ending = ending_of(
        split_lines(end.text),
        terminated.exit_code,
        oom_killed=terminated.reason == "OOMKilled",
        cut=end.cut,
    )
    if ending.kind is EndKind.LOST and log is None:
        ending = replace(ending, sentence=_GRANT)
    return _named(_by_flag(ending, container), terminated.exit_code)


def _kept(message: str) -> LogEnd:
    lines = message.count("\n") + 1
    return LogEnd(message, len(message.encode()) >= _KEPT_BYTES or lines >= _KEPT_LINES)


def _by_flag(ending: Ending, container: Container | None) -> Ending:
    """A refused flag that the manifest does not name is the image's own."""
    refused = _FLAG.search(ending.sentence) if ending.kind is EndKind.REFUSED else None
    if refused is None or container is None or NodeFlags.of(container).names(refused[1]):
        return ending
    sentence = f"{ending.sentence} (a flag that the image itself gives: the manifest names it not)"
    return replace(ending, kind=EndKind.OWN_FLAGS, sentence=shown(sentence, 400))


def _named(ending: Ending, code: int) -> ProcessEnd:
    return ProcessEnd(ending.kind, code, ending.sentence, ending.cause, ending.place)
