"""A bearer token in a file that somebody else rotates [40-42]."""

from pathlib import Path

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import Unavailable
from controller.base.text import shown

# The kubelet writes a new token at four fifths of an hour or more; client-go looks every minute.
REREAD_SECONDS = 60.0
LARGEST_TOKEN = 64 * 1024  # real ones are about a kilobyte


class TokenFile:
    """The token as last read; a file that is empty or away for a moment is no reason to lose it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._token = ""
        self._read_at: float | None = None
        self._complained = False

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    def token(self) -> str:
        """The token, read again if the last reading is a minute old. Raises Unavailable while
        none was ever read.
        """
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= REREAD_SECONDS:
            self.reread()
        if not self._token:
            raise Unavailable(f"no token in {shown(self._path)} yet")
        return self._token

    def reread(self) -> None:
        """Looks at the file now, whatever the last reading's age: the API server said 401."""
        self._read_at = self._clock.monotonic()
        try:
            with self._path.open("rb") as file:
                text = file.read(LARGEST_TOKEN).decode("ascii", errors="replace").strip()
        except OSError as exc:
            self._complain(shown(exc))
            return
        if not text or not text.isprintable() or "\ufffd" in text:
            self._complain("the file holds no token")
            return
        self._token = text
        self._complained = False

    def _complain(self, why: str) -> None:
        if self._token and not self._complained:
            logger.bind(path=str(self._path), why=why).warning("token file kept its old token")
            self._complained = True
