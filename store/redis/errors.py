"""The one place where what redis-py raises becomes ours, and where calls get their time limit."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from redis import exceptions as foreign

from store.api import StoreError, StoreMisused, StoreUnavailable

T = TypeVar("T")

# Where the code of an error stands in the sentence that Redis 6 makes of an error in a script, and
# in the one that redis-py makes of an error in a transaction.
_IN_SCRIPT = re.compile(
    r"(?:-|@user_script:\d+: )"
    r"(OOM|READONLY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|WRONGTYPE|NOPERM|BUSY|CROSSSLOT)\b"
)
_IN_TRANSACTION = re.compile(r" of pipeline caused error: \(['\"]([A-Z]+) ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

# What passes, and what a person must mend, by the code that the server's error begins with.
_PASSES = {
    "OOM": "is out of memory (maxmemory is reached): give it more, nothing is written until then",
    "READONLY": "is a read-only replica: the address should lead to the primary",
    "LOADING": "is still loading its data",
    "BUSY": "is busy with a script",
    "MISCONF": "refuses writes because it cannot save to its disk: see its log and its disk",
    "NOREPLICAS": "refuses writes because too few of its replicas are connected",
    "MASTERDOWN": "is a replica whose primary is away",
}
# Said by a server that may not be, or not for long, the one that the name leads to: after a
# failover it stays connected, and says so for ever. No connection to it is used again.
_ELSEWHERE = frozenset({"READONLY", "LOADING", "NOREPLICAS", "MASTERDOWN", "NOAUTH", "WRONGPASS"})
_CLUSTER = (
    "is a Redis Cluster, which is not supported, because one claim touches several keys, and there"
    " each may be on another server: name a Redis that is no cluster, alone, with replicas, or"
    " behind sentinels (redis+sentinel://)"
)
_TO_MEND = {
    "NOAUTH": "wants a password, and none was given",
    "WRONGPASS": "refuses the user or password",
    "NOPERM": "does not let this user run our commands on our keys: widen its ACL",
    "WRONGTYPE": "holds a key of ours with another type: another prefix, or DEL the key",
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "CLUSTERDOWN": _CLUSTER,
    "TRYAGAIN": _CLUSTER,
}
_TO_MEND_TEXTS = {
    "DB index is out of range": "has no database of that number: the URL's path or db is too high",
    "can't run this command": _TO_MEND["NOPERM"],
    "invalid password": _TO_MEND["WRONGPASS"],
    "without any password configured": "has no password set, and one was given",
    "Authentication required": _TO_MEND["NOAUTH"],
    "invalid username-password pair": _TO_MEND["WRONGPASS"],
}


class Calls:
    """Runs calls to one server under one time limit, and translates what they raise.

    place: how the server is called in sentences; no secret. seconds: the limit of one call, its
    retries included. secrets: texts that no sentence and no chained exception may carry (a server
    that does not know AUTH quotes its arguments); asked anew at each error.
    """

    def __init__(
        self, place: str, seconds: float, secrets: Callable[[], Sequence[str]] = lambda: ()
    ) -> None:
        self.place = place
        self._seconds = seconds
        self._secrets = secrets
        self._name_spoilt: Callable[[Sequence[str]], Awaitable[StoreError | None]] | None = None
        self._reconnect: Callable[[], Awaitable[None]] | None = None

    def attend(
        self,
        name_spoilt: Callable[[Sequence[str]], Awaitable[StoreError | None]],
        reconnect: Callable[[], Awaitable[None]],
    ) -> None:
        """name_spoilt: finds which of some keys holds another type than it should. reconnect: has
        every later call begin with a new connection, for which the server's name is looked up anew.
        """
        self._name_spoilt, self._reconnect = name_spoilt, reconnect

    async def run(self, work: Awaitable[T], *keys: str) -> T:
        """The work's result, or StoreUnavailable or StoreMisused; ours and CancelledError pass.
        keys: those that it touches.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except (foreign.RedisError, OSError) as exc:
            code, error = self._translated(exc)
            texts = [secret for secret in self._secrets() if secret]
            quotes = any(secret in repr(link.args) for link in _chain(exc) for secret in texts)
            cause = None if quotes else exc
        # Raised outside the handler: inside, Python would chain the foreign exception in any case.
        raise (await self._seen_to(code, keys) or error) from cause

    async def _seen_to(self, code: str, keys: Sequence[str]) -> StoreError | None:
        """What can be done at once about an error of this code; or a better one, if there is."""
        with contextlib.suppress(foreign.RedisError, OSError):
            async with asyncio.timeout(self._seconds):
                if code == "WRONGTYPE" and self._name_spoilt is not None:
                    return await self._name_spoilt(keys)
                if (code in _ELSEWHERE or not code) and self._reconnect is not None:
                    await self._reconnect()
        return None

    def _translated(self, exc: Exception) -> tuple[str, StoreError]:
        """The server's code, empty where it said none that we know; and the error of ours."""
        for link in _chain(exc):
            if isinstance(link, StoreError):  # redis-py wraps what looking for the server raised
                return "", link
        for code in _codes(exc):
            if code in _PASSES:
                return code, StoreUnavailable(f"{self.place} {_PASSES[code]}")
            if code in _TO_MEND:
                return code, StoreMisused(f"{self.place} {_TO_MEND[code]}")
        text = str(exc)
        for sign, sentence in _TO_MEND_TEXTS.items():
            if sign in text:
                return "", StoreMisused(f"{self.place} {sentence}")
        return "", self._untold(exc)

    def _untold(self, exc: Exception) -> StoreError:
        """For what no code of the server's tells."""
        if any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(exc)):
            return StoreMisused(
                f"{self.place} shows a certificate that is not trusted: name its authority with"
                " ?ssl_ca_certs=/path/to/ca.pem"
            )
        if isinstance(exc, foreign.AuthenticationError | foreign.AuthorizationError):
            return StoreMisused(f"{self.place} {_TO_MEND['WRONGPASS']}")
        if isinstance(exc, foreign.InvalidResponse):
            return StoreMisused(f"{self.place} does not speak the protocol of Redis")
        if isinstance(exc, TimeoutError | foreign.TimeoutError):
            return StoreUnavailable(f"{self.place} did not answer within {self._seconds:g}s")
        return StoreUnavailable(f"{self.place} cannot be used: {self._shown(exc)}")

    def _shown(self, exc: Exception) -> str:
        line = _CONTROL.sub(" ", str(exc) or type(exc).__name__)
        for secret in filter(None, self._secrets()):
            line = line.replace(secret, "***")
        return line if len(line) <= 200 else line[:199] + "…"


def _codes(exc: Exception) -> Iterator[str]:
    """redis-py cuts the code off a known error's text and keeps it beside (since 7.1) or in the
    class; an unknown one's stands at the head, and that of an error in a script in the middle.
    """
    by_class = {
        foreign.OutOfMemoryError: "OOM",
        foreign.ReadOnlyError: "READONLY",
        foreign.BusyLoadingError: "LOADING",
        foreign.NoPermissionError: "NOPERM",
        foreign.MasterDownError: "MASTERDOWN",
        foreign.ClusterDownError: "CLUSTERDOWN",
        foreign.TryAgainError: "TRYAGAIN",
        foreign.MovedError: "MOVED",
        foreign.AskError: "ASK",
        foreign.ClusterCrossSlotError: "CROSSSLOT",
    }
    for kind, code in by_class.items():
        if isinstance(exc, kind):
            yield code
    if told := getattr(exc, "status_code", None):
        yield str(told)
    text = str(exc)
    yield text.split(" ", 1)[0]
    for pattern in (_IN_TRANSACTION, _IN_SCRIPT):
        if wrapped := pattern.search(text):
            yield wrapped[1]


def _chain(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def unless_another_type(answer: Any) -> Any:
    """The answer of one command in a pipeline; None where its key holds another type than it
    should. Raises what else the server answered with.
    """
    if isinstance(answer, Exception):
        if "WRONGTYPE" not in _codes(answer):
            raise answer
        return None
    return answer
