"""What the controller would say of the end that a log tells of."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.domain.decide.end_reasons import reason_of
from controller.domain.failure_class import FailureClass, class_of
from controller.domain.node_log.causes import EndKind
from controller.domain.node_log.ending import Ending, ending_of
from controller.domain.record.parts import cause_fields

_IN_ORDER = "the node went down in order, as it does when it is told to: no failure by itself"
_WORDLESS = "exit code 0, and its log names no cause: no failure by itself, unless it is repeated"
_NO_END = "the log tells of no end: neither a fatal line nor a crash nor a shutdown"
_WHOLE_LOG = "give all of it (kubectl logs NAME --previous -c node)"


@dataclass(frozen=True)
class LogExplanation:
    reason: str  # of a failure; empty where the log alone makes none
    whose: str  # class of the reason; empty where there is no failure
    sentence: str
    line: str = ""  # the telling line; empty where there is none
    place: tuple[
        tuple[str, str], ...
    ] = ()  # of chain, height, block and error those that are known

    def as_dict(self) -> dict[str, object]:
        """For programs: a height is a number."""
        place = {k: int(v) if k == "height" else v for k, v in self.place}
        said = {"reason": self.reason, "class": self.whose, "sentence": self.sentence}
        return {**said, "line": self.line, **place}


def explain_log(
    lines: Iterable[str], code: int | None, *, oom_killed: bool = False
) -> LogExplanation:
    """lines: oldest first, all of a log or the end of it. code: exit code; None: not known."""
    ending = ending_of(lines, code, oom_killed=oom_killed, cut=True)
    if ending.kind in (EndKind.ZERO, EndKind.STOPPED):
        return LogExplanation("", "", _IN_ORDER if ending.kind is EndKind.STOPPED else _WORDLESS)
    if ending.kind is EndKind.OTHER and not ending.sentence.startswith("killed") and code is None:
        return LogExplanation("", FailureClass.UNCLEAR, _NO_END, ending.line)
    reason = reason_of(ending.kind)
    place = tuple(cause_fields(ending.cause).items())
    return LogExplanation(reason, class_of(reason), _sentence(ending, code), ending.line, place)


def _sentence(ending: Ending, code: int | None) -> str:
    if ending.kind is EndKind.LOST:
        return f"{ending.sentence}: {_WHOLE_LOG}"
    if ending.sentence:
        return ending.sentence
    how = "" if code is None else f" with exit code {code}"
    return f"the node ended{how}, and its log names no cause"
