"""A tiny API server in a process of its own, `python -m tests.bench.replay_server`: all that it
sends is made before it listens, so that it is never what is measured.

A watch of Deployments is the recorded events, one HTTP chunk an event, round after round while
somebody reads; as many leave in one send as the kernel takes. Other watches are silent. A list
is the pages of `tests.bench.many_objects`, or an empty one where no objects were asked for.

It speaks HTTP/1.1 without TLS, reads only the first line of a request, and trusts its caller.
"""

import argparse
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from tests.bench.many_objects import pages
from tests.bench.recorded_events import rounds

_ROUNDS = 12  # of other resourceVersions each; then the first again, which is another than the last
_EMPTY = b'{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}'
_VERSION = b'{"major":"1","minor":"35","gitVersion":"v1.35.0"}'


class Replay:
    """What is sent. objects: of each kind, in pages; 0 for empty lists and the watch."""

    def __init__(self, objects: int) -> None:
        self._pages: Mapping[str, list[bytes]] = pages(objects) if objects else {}
        self._watch = [] if objects else [_chunked(lines) for lines in rounds(_ROUNDS)]

    def serve(self, connection: socket.socket) -> None:
        """One connection, until its other side goes."""
        with connection, contextlib.suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for target in _requests(connection):
                for piece in self._answer(target):
                    connection.sendall(piece)

    def _answer(self, target: str) -> Iterator[bytes]:
        url = urlsplit(target)
        query = parse_qs(url.query)
        kind = url.path.rstrip("/").rpartition("/")[2]
        if "watch" in query:
            yield _head(b"Transfer-Encoding: chunked")
            yield from itertools.cycle(self._watch if kind == "deployments" else ())
            threading.Event().wait()  # silent
        elif kind == "version":
            yield _whole(_VERSION)
        else:
            found = self._pages.get(kind) or [_EMPTY]
            yield _whole(found[int(query.get("continue", ["0"])[0])])


def _chunked(lines: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)


def _head(about_body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s\r\n\r\n" % about_body


def _whole(body: bytes) -> bytes:
    return _head(b"Content-Length: %d" % len(body)) + body


def _requests(connection: socket.socket) -> Iterator[str]:
    """What the first line of each asks for."""
    left = b""
    while True:
        while b"\r\n\r\n" not in left:
            more = connection.recv(65536)
            if not more:
                return
            left += more
        head, _, left = left.partition(b"\r\n\r\n")
        yield head.split(b" ", 2)[1].decode()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=0)
    replay = Replay(parser.parse_args().objects)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=replay.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
