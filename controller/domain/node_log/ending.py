"""How a process of the node ended, by what its log says: which kind, which sentence, which place.

The telling line is chosen by level, never by what stands last: a process that goes down for a bad
block says so once, and then for thirty lines that it goes down.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.base.text import shown
from controller.domain.node_log.bad_block import bad_block_of
from controller.domain.node_log.causes import EndKind, is_of_the_block, side_of
from controller.domain.node_log.last_process import LastProcess, function_in, last_process
from controller.domain.node_log.lines import Level, Line
from controller.domain.record.parts import Cause

CLAUSE = 300  # characters of what is said of an end
_PLACE = 160
_ERROR = 200
_SIDE = 4000  # characters in which a side is looked for

# Of the machine: they explain a panic, too.
_OF_MACHINE = frozenset(
    {EndKind.DISK, EndKind.VOLUME, EndKind.OOM, EndKind.MACHINE, EndKind.DAMAGED}
)
# Bash and Go say so where a signal ended a process: 128 and its number.
_SIGNALS = {130: "SIGINT", 134: "SIGABRT", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}

TOLD_TO_STOP = "it was told to stop, and went down in order"
CUT_OFF = "its cause is no longer in what was kept of its log"


@dataclass(frozen=True)
class Ending:
    kind: EndKind
    sentence: str = ""  # a clause, fit to be shown; empty where nothing is known
    line: str = ""  # the telling line as it stands, fit to be shown; empty where there is none
    cause: Cause | None = None  # where it could not go on, as far as the line names it
    place: str = ""  # the same for ends that are of one cause; empty where none is known


def ending_of(
    lines: Iterable[str], code: int | None, *, oom_killed: bool = False, cut: bool
) -> Ending:
    """lines: of the log, oldest first, of one process or of several. code: the exit code of the
    last; None where it is not known. cut: whether there may have been more of the log before them.
    """
    process = last_process(lines)
    if oom_killed:
        return Ending(EndKind.OOM, "killed for the memory that it took (OOMKilled)")
    told = _told(process)
    if told is None:
        return _untold(process, code, cut=cut)
    line, text, panicked = told
    kind = _kind(process, text, panicked=panicked)
    cause = _cause(process, line, kind)
    sentence = shown(_sentence(process, line, kind, cause), CLAUSE)
    return Ending(kind, sentence, shown(line.text, CLAUSE), cause, _place(kind, cause, sentence))


def _told(process: LastProcess) -> tuple[Line, str, bool] | None:
    """The telling line, all that it says, and whether it tells of a panic."""
    if process.corrupt is not None and (process.fatal is None or _is_echo(process.fatal)):
        return process.corrupt, _text(process.corrupt), False
    if process.fatal is not None:
        return process.fatal, _text(process.fatal), process.fatal.message == "panicking"
    if process.crash is not None:
        return process.crash, process.crash.message + process.signal, True
    if process.caught is not None:
        return process.caught, _text(process.caught), True
    return (process.bare, process.bare.message, False) if process.bare is not None else None


def _is_echo(fatal: Line) -> bool:
    """It only finds a database closed that closed itself."""
    return fatal.fields.get("error", "").removesuffix(" ").endswith("closed")


def _text(line: Line) -> str:
    told = (line.fields.get(name, "") for name in ("reason", "error", "err", "panic"))
    return " ".join(filter(None, (line.message, *told)))


def _kind(process: LastProcess, text: str, *, panicked: bool) -> EndKind:
    side = side_of(text[:_SIDE])
    if side is EndKind.BAD_BLOCK and not is_of_the_block(text[:_SIDE]):
        return EndKind.FATAL
    if panicked:
        return side if side in _OF_MACHINE else EndKind.PANIC
    if side is None and process.bare is not None:  # the sentence that the process ends with
        side = side_of(process.bare.message[:_SIDE])
    return side or EndKind.FATAL


def _untold(process: LastProcess, code: int | None, *, cut: bool) -> Ending:
    code = process.code if code is None else code
    if code == 0 and process.stopping and process.code in (0, None):
        # Only a signal has it end so, without an error [scenes term-in-bootstrap, term-when-ready].
        return Ending(EndKind.STOPPED, TOLD_TO_STOP)
    if code == 0:
        return Ending(EndKind.ZERO, _last(process) if process.last else "")
    if process.stack:
        return Ending(EndKind.LOST, f"it crashed, and {CUT_OFF}, only Go's stack")
    killed = f"killed by {_SIGNALS[code]}" if code is not None and code in _SIGNALS else ""
    if cut and not process.begun and not killed and (code is not None or process.stopping):
        return Ending(EndKind.LOST, CUT_OFF)
    return Ending(EndKind.OTHER, killed or _last(process))


def _last(process: LastProcess) -> str:
    """What it said last, quoted where it is trouble or no line of its logger's."""
    if process.last is None:
        return ""
    level = process.last.level
    if process.stopping or (level is not None and level < Level.ERROR):
        return "its log names no cause"
    return shown(f"its log names no cause, and ends with: {process.last.message}", CLAUSE)


def _cause(process: LastProcess, line: Line, kind: EndKind) -> Cause | None:
    if kind is EndKind.BAD_BLOCK:
        return bad_block_of(line)
    error = line.fields.get("error") or line.fields.get("reason") or line.message
    return Cause(chain=line.chain, error=shown(_innermost(error), _ERROR)) if error else None


def _sentence(process: LastProcess, line: Line, kind: EndKind, cause: Cause | None) -> str:
    who = line.chain or "the node"
    if kind is EndKind.BAD_BLOCK and cause is not None:
        return _unverified(cause)
    if kind is EndKind.PANIC:
        reason = line.fields.get("reason") or line.message.removeprefix("panic: ")
        function = function_in(line.fields.get("from", "")) or process.frame
        return f"{who} panicked: {shown(reason, 160)}" + (f", in {function}" if function else "")
    if "remainingDiskPercentage" in line.fields:
        free, least = line.fields["remainingDiskPercentage"], line.fields["requiredDiskPercentage"]
        return f"low on disk space: {free}% is free, and the node ends itself below {least}%"
    if line.level is None:
        return line.message
    error = line.fields.get("error") or line.fields.get("err") or line.fields.get("reason", "")
    told = f"{line.message}: {_innermost(error)}" if error else line.message
    return f"{line.chain}: {told}" if line.chain else told


def _innermost(error: str) -> str:
    """Go wraps an error from the left: what is too long loses its wrapping, not its core."""
    while len(error) > _ERROR and ": " in error[:-1]:
        error = "…" + error.partition(": ")[2].removeprefix("…")
    return error


def _unverified(cause: Cause) -> str:
    who = cause.chain or "a chain"
    block = f"block {cause.height}" if cause.height is not None else "a block"
    name = f" ({cause.block[:7]}…)" if cause.block else ""
    return f"{who} cannot verify {block}{name}: {cause.error}"


def _place(kind: EndKind, cause: Cause | None, sentence: str) -> str:
    """Where two processes could not go on that ended at the same place."""
    if cause is not None and cause.block:
        return shown(f"{kind} {cause.chain} {cause.height} {cause.block}", _PLACE)
    return shown(f"{kind} {sentence}", _PLACE)
