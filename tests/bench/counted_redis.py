"""Counts what clients ask of a real redis-server, by its MONITOR."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import redis

_OWN = "count-until-here"


class RedisCount:
    """asked: command to how often a client has sent it; what scripts call inside is not counted."""

    def __init__(self, url: str) -> None:
        self._admin = redis.Redis.from_url(url, socket_timeout=None)
        self._monitor = self._admin.monitor()
        self._asked = Counter[str]()
        self._reached = threading.Event()
        self._number = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def taken(self) -> Counter[str]:
        """What was asked since this was called before."""
        self._number += 1
        self._reached.clear()
        self._admin.echo(f"{_OWN}-{self._number}")
        if not self._reached.wait(10.0):
            raise TimeoutError("the server does not tell what it is asked")
        found, self._asked = self._asked, Counter()
        return found

    def _listen(self) -> None:
        for said in self._monitor.listen():
            command = str(said["command"])
            name = command.partition(" ")[0].upper()
            if _OWN in command:
                self._reached.set()
            elif said["client_type"] != "lua" and name not in ("CLIENT", "MONITOR", "SELECT"):
                self._asked[name] += 1

    def begin(self) -> None:
        self._monitor.__enter__()
        self._thread.start()
        self.taken()


@contextmanager
def counted_redis(url: str) -> Iterator[RedisCount]:
    """Empties the server first."""
    redis.Redis.from_url(url).flushall()
    count = RedisCount(url)
    count.begin()
    yield count
