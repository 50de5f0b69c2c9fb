"""Standard output and error, whatever the shell made of them: full, closed or gone.

At its end the interpreter writes what is left in a stream, and complains in its own words where it
cannot; so whatever cannot be written is told before, in ours.
"""

import errno
import io
import os
import sys
from typing import TextIO


class _Output(io.TextIOWrapper):
    """Remembers its first failure: what could not be written is not tried again at the end."""

    lost: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.lost = self.lost or error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.lost = self.lost or error
            raise


class _Closed(io.TextIOBase):
    """What stands for a standard output that was closed before we began (`>&-`)."""

    encoding = "utf-8"
    lost: OSError | None = None

    def write(self, _text: str) -> int:
        self.lost = OSError(errno.EBADF, os.strerror(errno.EBADF))
        raise self.lost


def mend() -> None:
    """Streams that are closed become some that fail like files, instead of none at all."""
    out = sys.stdout
    if out is None:
        sys.stdout = _Closed()
    elif type(out) is io.TextIOWrapper:
        encoding, errors, lines = out.encoding, out.errors, out.line_buffering
        sys.stdout = _Output(out.detach(), encoding, errors, line_buffering=lines)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the process's life


def output_error() -> OSError | None:
    """Why standard output did not take all that was written to it; None: it did."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    lost = getattr(sys.stdout, "lost", None)
    return lost if isinstance(lost, OSError) else None


def give_up(stream: TextIO) -> None:
    """What a stream still has and cannot write is lost, quietly."""
    try:
        stream.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
