"""The one place where what redis-py raises becomes ours, and where calls get their time limit."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from redis import exceptions as foreign

from store.api import StoreError, StoreMisused, StoreUnavailable

T = TypeVar("T")

# Where the code of an error stands in the sentence that Redis 6 makes of an error in a script, and
# in the one that redis-py makes of an error in a transaction.
_IN_SCRIPT = re.compile(
    r"(?:-|@user_script:\d+: )"
    r"(OOM|READONLY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|WRONGTYPE|NOPERM|BUSY)\b"
)
_IN_TRANSACTION = re.compile(r" of pipeline caused error: \(['\"]([A-Z]+) ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

# What passes, and what a person must mend, by the code that the server's error begins with.
_PASSES = {
    "OOM": "is out of memory (maxmemory is reached): give it more, nothing is written until then",
    "READONLY": "is a read-only replica: the address should lead to the primary",
    "LOADING": "is still loading its data",
    "BUSY": "is busy with a script",
    "MISCONF": "refuses writes because it cannot save to its disk",
    "NOREPLICAS": "refuses writes because too few of its replicas are connected",
    "MASTERDOWN": "is a replica whose primary is away",
    "CLUSTERDOWN": "is a cluster that is down",
    "TRYAGAIN": "is a cluster that is moving keys",
}
_TO_MEND = {
    "NOAUTH": "wants a password, and none was given",
    "WRONGPASS": "refuses the user or password",
    "NOPERM": "does not let this user run our commands on our keys: widen its ACL",
    "WRONGTYPE": "holds a key of ours with another type: another prefix, or DEL the key",
    "MOVED": "is a Redis Cluster, which is not supported: use a single primary",
    "ASK": "is a Redis Cluster, which is not supported: use a single primary",
    "CROSSSLOT": "is a Redis Cluster, which is not supported: use a single primary",
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
    that does not know AUTH quotes its arguments).
    """

    def __init__(self, place: str, seconds: float, secrets: tuple[str, ...] = ()) -> None:
        self.place = place
        self._seconds = seconds
        self._secrets = tuple(secret for secret in secrets if secret)

    async def run(self, work: Awaitable[T]) -> T:
        """The work's result, or StoreUnavailable or StoreMisused; ours and CancelledError pass."""
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except (foreign.RedisError, OSError) as exc:
            error: StoreError = self._translated(exc)
            quotes = any(
                secret in repr(link.args) for link in _chain(exc) for secret in self._secrets
            )
            cause = None if quotes else exc
        # Raised outside the handler: inside, Python would chain the foreign exception in any case.
        raise error from cause

    def _translated(self, exc: Exception) -> StoreError:
        for code in _codes(exc):
            if code in _PASSES:
                return StoreUnavailable(f"{self.place} {_PASSES[code]}")
            if code in _TO_MEND:
                return StoreMisused(f"{self.place} {_TO_MEND[code]}")
        text = str(exc)
        for sign, sentence in _TO_MEND_TEXTS.items():
            if sign in text:
                return StoreMisused(f"{self.place} {sentence}")
        return self._untold(exc)

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
        for secret in self._secrets:
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
