"""The node's log, in avalanchego's manner."""

from collections import deque
from typing import Any

import orjson

from controller.base.clock import Clock

_KEPT = 2000  # lines; a container's log is rotated too


class NodeLog:
    """Lines of one process, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: deque[str] = deque(maxlen=_KEPT)

    def write(self, level: str, place: str, message: str, **fields: Any) -> None:
        """place: chain and source line as avalanchego names them, `<C Chain> bootstrap/x.go:1`."""
        stamp = self._clock.now().strftime("%m-%d|%H:%M:%S.%f")[:-3]
        text = f"[{stamp}] {level} {place} {message}"
        self.lines.append(f"{text} {orjson.dumps(fields).decode()}" if fields else text)

    def raw(self, line: str) -> None:
        """What goes to stderr before there is a log, or past it."""
        self.lines.append(line)

    def text(self, tail: int | None = None) -> str:
        lines = list(self.lines)
        return "".join(
            f"{line}\n" for line in (lines if tail is None else lines[-tail:] if tail else [])
        )
