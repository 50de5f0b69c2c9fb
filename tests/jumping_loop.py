"""An event loop whose clock jumps when nothing is left to do, and the clock that reads it.

Whoever waits for six hours waits no time at all, as long as nobody outside the process has a hand
in it: six hours are then the product's own, and no test knows how fast the machine is. Sockets on
the loopback address stay real. Before the clock jumps, everything that can be done has been done:

* every callback that is ready has run, and no socket has anything to read;
* no byte that was sent is still on its way to a socket of this process;
* no thread works for the loop, and no program that it started runs; and every server in another
  process, such as a real redis-server, has answered what it was asked. While one of them works, the
  clock goes as the machine's does: what it will do next, and when, nobody here can know.

looptime on PyPI does much the same. Before each jump it yields to the loop a fixed number of times
(42) instead of looking whether bytes are on their way, and it lets programs run into time limits.
"""

import asyncio
import fcntl
import selectors
import socket
import sys
import termios
import time
from asyncio import selector_events
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.base.clock import SystemClock

BEGIN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
# Real seconds. For bytes that the kernel has taken and not yet handed over, which on the loopback
# address is none at all, but for a machine whose cores are all busy.
_ON_ITS_WAY = 0.001
_TRIES = 50
# Real seconds between two looks at the clock while a thread or a program works.
_STEP = 0.05
_LINUX = sys.platform.startswith("linux")
# In the kernel's struct tcp_info (include/uapi/linux/tcp.h); sent and resent: since Linux 4.19.
_BYTES_RECEIVED, _BYTES_SENT, _BYTES_RETRANS = 128, 200, 208


class JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Waits for sockets, and instead of waiting for time moves it on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0  # seconds
        self.jumps = 0
        self.outside = 0  # threads and programs that work for the loop
        self.sent: dict[int, _Connection] = {}  # what may not have arrived yet, by descriptor
        self.ends: dict[Any, int] = {}  # addresses of our ends of connections, to descriptors
        self.foreign: set[_Connection] = set()  # connections to other processes

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        tries = _TRIES
        while tries and self._is_anything_on_its_way():
            tries = tries - 1 if _LINUX else 0
            if ready := super().select(_ON_ITS_WAY):
                return ready
        if self.outside or timeout is None or any(each.is_asking() for each in self.foreign):
            return self._as_the_machine(timeout)
        self.now += timeout
        self.jumps += 1
        return []

    def _as_the_machine(self, timeout: float | None) -> Any:
        """Nothing but the outside can go on: its time is the machine's."""
        began = time.monotonic()
        ready = super().select(None if timeout is None else min(timeout, _STEP))
        if timeout is not None:
            self.now += min(timeout, time.monotonic() - began)
        return ready

    def _is_anything_on_its_way(self) -> bool:
        if not _LINUX:
            return True  # there is no way to tell: one short wait for each jump
        if not self.sent:
            return False
        for fd, connection in list(self.sent.items()):
            if connection.get_write_buffer_size():
                continue  # the kernel takes no more: its reader has something to read
            # An acknowledgement may be late by 40 ms where the bytes have long arrived.
            if _unacknowledged(fd) and not _has_arrived(fd, self.ends.get(connection.far_end)):
                return True
            del self.sent[fd]
        return False


def _unacknowledged(fd: int) -> int:
    """Bytes that were sent there and are not acknowledged; 0 for what is no connection."""
    try:
        raw = fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0\0\0\0")
    except OSError:  # a listener, a pipe, the selector's own
        return 0
    return int.from_bytes(raw, sys.byteorder)


def _has_arrived(fd: int, peer: int | None) -> bool:
    """Whether the socket at the other end was given all that was sent there. peer: of this process;
    None where it is another's, or closed: then nothing here will hear of it.
    """
    if peer is None:
        return True
    sent = _tcp_info(fd, _BYTES_SENT) - _tcp_info(fd, _BYTES_RETRANS)
    return sent <= _tcp_info(peer, _BYTES_RECEIVED)


def _tcp_info(fd: int, offset: int) -> int:
    with _borrowed(fd) as found:
        raw = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int.from_bytes(raw[offset : offset + 8], sys.byteorder)


@contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    """A socket object for a descriptor that somebody else owns and closes."""
    found = socket.socket(fileno=fd)
    try:
        yield found
    finally:
        found.detach()


class _Connection(selector_events._SelectorSocketTransport):
    """A connection of the loop's that notes what it has sent, and whether it waits for an answer.

    far_end: address of the other end.
    """

    def __init__(self, loop: "JumpingLoop", *args: Any, server: Any) -> None:
        super().__init__(loop, *args, server)
        self._jumping = loop.jumping
        self._near_end, self.far_end = self._extra["sockname"], self._extra.get("peername")
        if isinstance(self._near_end, tuple):  # of TCP
            self._jumping.ends[self._near_end] = self._sock_fd
        self._asked = False  # since something was read
        if server is None and self.far_end not in loop.listening:
            self._jumping.foreign.add(self)

    def is_asking(self) -> bool:
        """Whether nothing has come since it wrote; or something has, and its reader wants more: an
        answer may come in pieces.
        """
        reader = getattr(self.get_protocol(), "_stream_reader", None)
        return self._asked or (reader is not None and reader._waiter is not None)

    def write(self, data: Any) -> None:
        self._sends()
        super().write(data)

    def writelines(self, list_of_data: Any) -> None:
        self._sends()
        super().writelines(list_of_data)

    def _sends(self) -> None:
        self._jumping.sent[self._sock_fd] = self
        self._asked = True

    def _read_ready(self) -> None:
        self._asked = False
        super()._read_ready()

    def _call_connection_lost(self, exc: Any) -> None:
        self._jumping.foreign.discard(self)
        self._jumping.sent.pop(self._sock_fd, None)
        if self._jumping.ends.get(self._near_end) == self._sock_fd:
            del self._jumping.ends[self._near_end]
        super()._call_connection_lost(exc)


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop on a JumpingSelector; its time begins at 0. listening: addresses of its servers."""

    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        self.listening: set[Any] = set()
        super().__init__(self.jumping)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.jumping.now

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        server = await super().create_server(*args, **kwargs)
        self.listening.update(each.getsockname() for each in server.sockets)
        return server

    def _make_socket_transport(
        self, sock: Any, protocol: Any, waiter: Any = None, *, extra: Any = None, server: Any = None
    ) -> Any:
        return _Connection(self, sock, protocol, waiter, extra, server=server)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Its thread's time is the machine's."""
        future = super().run_in_executor(executor, func, *args)
        self.jumping.outside += 1
        future.add_done_callback(self._is_done)
        return future

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        self.jumping.outside += 1
        try:
            transport = await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
        except BaseException:
            self.jumping.outside -= 1
            raise
        # Not its exit: what it started may hold its output open a moment longer, and whoever reads
        # to the end waits for that.
        if transport._finished:
            self.jumping.outside -= 1
        else:
            lost = transport._call_connection_lost

            def is_lost(exc: BaseException | None) -> None:
                self.jumping.outside -= 1
                lost(exc)

            transport._call_connection_lost = is_lost
        return transport

    def _is_done(self, _: object) -> None:
        self.jumping.outside -= 1


class LoopClock(SystemClock):
    """The time of the loop that runs: its wall clock shows BEGIN at the loop's beginning.

    ahead: seconds by which this wall clock is off.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=asyncio.get_running_loop().time() + self.ahead)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
