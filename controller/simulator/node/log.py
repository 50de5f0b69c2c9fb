"""The node's log as avalanchego writes it, in either of its formats [scene full, full-plain]."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson

from controller.base.clock import Clock
from controller.simulator.node.go_text import duration

_KEPT = 2000  # lines; a container's log is rotated too
_STEM = 40  # characters that the C-chain's VM fills a message up to, if something follows it

Field = tuple[str, Any]  # name and value; a name may come twice


@dataclass(frozen=True)
class Took:
    """A duration among the fields: nanoseconds in one format, Go's text in the other."""

    seconds: float


class NodeLog:
    """Lines of one process, oldest first. Once it is closed, what is written to it is lost.

    as_json: avalanchego's own lines are JSON; the others never are.
    """

    def __init__(self, clock: Clock, *, as_json: bool = False) -> None:
        self._clock = clock
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self.written = 0  # lines ever, those that are kept no more too
        self._as_json = as_json
        self._closed = False

    def write(self, level: str, caller: str, message: str, *fields: Field, chain: str = "") -> None:
        """A line of avalanchego itself. level: in capitals. caller: file and line of its source.
        chain: which one's logger, `C`; empty for the node's.
        """
        if not self._as_json:
            place = f"<{chain} Chain> {caller}" if chain else caller
            told = f" {_document(fields, plain=True)}" if fields else ""
            self.raw(f"[{self._stamp()}] {level} {place} {message}{told}")
            return
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        head: list[Field] = [("level", level.lower()), ("timestamp", at)]
        if chain:
            head.append(("logger", f"{chain} Chain"))
        head += [("caller", caller), ("msg", message)]
        self.raw(_document([*head, *fields], plain=False))

    def vm(self, caller: str, message: str, more: str = "", level: str = "INFO") -> None:
        """A line of the C-chain's VM, which has a format of its own. more: `key=value`s."""
        text = f"{message:<{_STEM}} {more}" if more else message
        self.raw(f"[{self._stamp()}] {level} <C Chain> {caller} {text}")

    def raw(self, text: str) -> None:
        """What goes to stderr before there is a log, or past it; may be of several lines."""
        if not self._closed:
            lines = text.split("\n")
            self.lines.extend(lines)
            self.written += len(lines)

    def close(self) -> None:
        """The process is gone: its last words stay the last."""
        self._closed = True

    def text(self, tail: int | None = None) -> str:
        lines = list(self.lines)
        return "".join(
            f"{line}\n" for line in (lines if tail is None else lines[-tail:] if tail else [])
        )

    def _stamp(self) -> str:
        return self._clock.now().strftime("%m-%d|%H:%M:%S.%f")[:-3]


def _document(fields: list[Field] | tuple[Field, ...], *, plain: bool) -> str:
    """The fields in their order; names may come twice, as they do in avalanchego's own lines."""
    colon, comma = (": ", ", ") if plain else (":", ",")
    pairs = (f"{_json(name)}{colon}{_json(_value(value, plain))}" for name, value in fields)
    return "{" + comma.join(pairs) + "}"


def _value(value: Any, plain: bool) -> Any:
    if not isinstance(value, Took):
        return value
    return duration(value.seconds) if plain else round(value.seconds * 1e9)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
