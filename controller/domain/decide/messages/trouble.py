"""What is wrong with an open run now, as its message says it: a sentence for each kind."""

from collections.abc import Sequence

from controller.base.durations import format_duration
from controller.base.instants import minute


def going_on(plain: str, sentences: Sequence[str]) -> str:
    """plain: what the run is doing. sentences: what is wrong, the newest first."""
    return f"{plain}: {'. '.join(sentences)}" if sentences else plain


def condition_since(type_: str, since: float, sentence: str, outlook: str) -> str:
    """sentence, outlook: empty where they are not known now. since: seconds since 1970, as all
    times here: a duration would have to be written again and again.
    """
    seen = f": {sentence}" if sentence else ""
    return f"{type_} since {minute(since)}{seen}{outlook}"


def node_ended(how: str, at: float, in_a_row: int, outlook: str, *, down: bool) -> str:
    """how: exit code and why, in a clause. down: it has not been started again yet."""
    row = f"{in_a_row} in a row" if in_a_row > 1 else "once"
    now = "it waits to be started again" if down else "it was started again"
    return f"the node ended at {minute(at)}, {row}, {how}; {now}; {outlook}"


def fails_at_same_place() -> str:
    return "the run fails if it ends at the same place once more"


def fails_at_zeros(limit: int) -> str:
    return f"the run fails at {limit} ends with exit code 0 that nobody asked for"


def fails_at(limit: int, calm: float) -> str:
    """calm: seconds of being up, after which the ends before it are forgotten."""
    return f"the run fails at {limit} in a row, none up for {format_duration(calm)}"


def exit_clause(code: int | None, kind: str, line: str) -> str:
    """code: None where it is not known. kind: of `EndKind`. line: why, or empty."""
    told = "with an exit code that is not known" if code is None else f"with exit code {code}"
    return told + (" (out of memory)" if kind == "oom" else "") + (f": {line}" if line else "")
