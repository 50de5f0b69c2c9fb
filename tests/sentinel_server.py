"""Real sentinels for tests: `redis-server --sentinel`, which tells in its log what it does."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import redis

from tests.redis_servers import RedisServer, free_port, program


class SentinelServer:
    """One of a primary that it calls `mymaster`. It decides alone."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        self.port = port

    def until(self, event: str) -> None:
        """Returns when its log has told of the event, such as `+switch-master`."""
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            told.append(line)
            if event in line:
                return
        raise RuntimeError(f"the sentinel ended before {event}:\n" + "".join(told[-20:]))

    def fail_over(self, password: str = "") -> None:
        """Has it make its replica the primary; returns when that is done."""
        with redis.Redis(port=self.port, password=password or None, protocol=2) as client:
            while not self._begins(client):
                threading.Event().wait(0.1)
        self.until("+switch-master")

    def _begins(self, client: redis.Redis) -> bool:
        """False while it has not yet heard from the replica how that stands."""
        try:
            client.execute_command("SENTINEL", "FAILOVER", "mymaster")
        except redis.ResponseError as error:
            if "NOGOODSLAVE" not in str(error):
                raise
            return False
        return True


@contextlib.contextmanager
def sentinel_server(
    folder: Path, primary: RedisServer, config: Sequence[str] = ()
) -> Iterator[SentinelServer]:
    """It ends with the block. It has found the primary's replica."""
    folder.mkdir()
    port = free_port()
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"dir {folder}",
        f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1",
        "sentinel down-after-milliseconds mymaster 60000",
        *config,
    ]
    conf = folder / "sentinel.conf"
    conf.write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [program("redis-server"), str(conf), "--sentinel"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = SentinelServer(process, port)
        server.until("+slave slave")
        yield server
    finally:
        process.kill()
        process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()
