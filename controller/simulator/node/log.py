"""The node's log, in avalanchego's manner."""

from collections import deque
from typing import Any

import orjson

from controller.base.clock import Clock

_KEPT = 2000  # lines; a container's log is rotated too


class NodeLog:
    """Lines of one process, oldest first. Once it is closed, what is written to it is lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self._closed = False

    def write(self, level: str, place: str, message: str, **fields: Any) -> None:
        """place: chain and source line as avalanchego names them, `<C Chain> bootstrap/x.go:1`."""
        stamp = self._clock.now().strftime("%m-%d|%H:%M:%S.%f")[:-3]
        text = f"[{stamp}] {level} {place} {message}"
        self.raw(f"{text} {orjson.dumps(fields).decode()}" if fields else text)

    def raw(self, line: str) -> None:
        """What goes to stderr before there is a log, or past it."""
        if not self._closed:
            self.lines.append(line)

    def close(self) -> None:
        """The process is gone: its last words stay the last."""
        self._closed = True

    def text(self, tail: int | None = None) -> str:
        lines = list(self.lines)
        return "".join(
            f"{line}\n" for line in (lines if tail is None else lines[-tail:] if tail else [])
        )
