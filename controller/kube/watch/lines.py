"""Splits the bytes of a watch into lines; no I/O, no decoding.

Bytes are split before they are decoded, so a character that is cut between two chunks does no harm.
"""

from controller.base.errors import Garbled

# etcd bounds an object at 1.5 MiB and the API server's own limits keep every event far below this:
# a longer line is not a watch.
LONGEST_LINE = 64 * 1024 * 1024


class LineSplitter:
    """Chunks in, whole lines out. What follows the last newline is kept for the next chunk, and is
    no event if the stream ends there: whoever watches again gets it again.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        # Kept in pieces and joined once: a line of 20 MB comes in hundreds of chunks.
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """The lines that this chunk completes, as they are, each with its newline; empty where it
        completes none. Raises Garbled where a line that does not end in its first chunk grows too
        long.
        """
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._keep(chunk)
            return b""
        if self._pieces:
            self._measure(chunk.index(b"\n"))
            lines = b"".join((*self._pieces, memoryview(chunk)[:end]))
        else:
            lines = chunk[:end]
        self._pieces.clear()
        self._size = 0
        self._keep(chunk[end:])
        return lines

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._measure(len(piece))
            self._size += len(piece)
            self._pieces.append(piece)

    def _measure(self, more: int) -> None:
        if self._size + more > self._longest:
            raise Garbled(f"a watch line is longer than {self._longest} bytes")
