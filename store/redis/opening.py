"""From a URL to a RedisStore."""

from collections.abc import Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from store.api import StoreMisused
from store.limits import HISTORY_BOUND, SEEN_BOUND
from store.redis.credentials import Credentials
from store.redis.errors import Calls
from store.redis.sentinel import Sentinels, at_primary, at_primary_by_tls, is_primary
from store.redis.store import RedisStore
from store.redis.url import RedisUrl, read_url

# RESP2: nothing of RESP3 is used, and proxies and old managed servers refuse its HELLO [128].
_PROTOCOL = 2

# A controller has a handful of loops; the default pool's 101st caller would fail, ours waits [120].
_CONNECTIONS = 16

# A reply lost by a closed connection is asked for again after 20, 40, 80 ms; every command of ours
# may be sent twice [121]. A server that is away is not asked for long: the caller has its backoff.
_RETRIES = 3
_RETRY_BASE, _RETRY_CAP = 0.01, 0.5  # seconds


def open_redis(
    url: str,
    *,
    prefix: str = "bootstrap",
    password: str | Callable[[], str] | None = None,
    timeout: float = 5.0,
    history_bound: int = HISTORY_BOUND,
    seen_bound: int = SEEN_BOUND,
) -> RedisStore:
    """See open_store and RedisStore. Connects to nothing yet."""
    found = read_url(url)
    if password is not None and found.password:
        raise StoreMisused("the store's password is given twice: leave it out of the URL")
    credentials = _credentials(found, password)
    options: dict[str, Any] = {"protocol": _PROTOCOL, **found.options}
    if found.is_tls:
        # Stated, although it is the default: who the server is, is always verified.
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    # No `socket_timeout`: `Calls` has the limit. With one here, redis-py sends by
    # `asyncio.wait_for`, which on Python 3.11 can swallow a cancellation, and with it that limit
    # and a shutdown.
    options |= {"socket_timeout": None, "socket_connect_timeout": timeout}
    sentinels = None
    if found.primary:
        asking = {name: value for name, value in options.items() if name != "db"}
        sentinels = Sentinels(found.addresses, found.primary, asking, credentials, timeout)
    pool = BlockingConnectionPool(
        max_connections=_CONNECTIONS,
        timeout=timeout,
        retry=Retry(ExponentialBackoff(cap=_RETRY_CAP, base=_RETRY_BASE), _RETRIES),
        encoding_errors="replace",  # half a surrogate in a name must not raise UnicodeError
        **_login(found, credentials),
        **_way(found, options, sentinels),
    )
    calls = Calls(found.place, timeout, credentials.secrets if credentials else lambda: ())
    return RedisStore(
        Redis.from_pool(pool),
        calls,
        prefix=prefix,
        history_bound=history_bound,
        seen_bound=seen_bound,
        has_moved=sentinels.has_moved if sentinels else None,
    )


def _credentials(url: RedisUrl, password: str | Callable[[], str] | None) -> Credentials | None:
    """None where there is no password."""
    if callable(password):
        return Credentials(url.user, password)
    secret = password if password is not None else url.password
    return Credentials(url.user, lambda: secret) if secret else None


def _login(url: RedisUrl, credentials: Credentials | None) -> dict[str, Any]:
    if credentials is not None:
        return {"credential_provider": credentials}
    return {"username": url.user} if url.user else {}


def _way(url: RedisUrl, options: dict[str, Any], sentinels: Sentinels | None) -> dict[str, Any]:
    """To the server: the options of a connection to it."""
    if url.path:
        return {**options, "connection_class": UnixDomainSocketConnection, "path": url.path}
    options = {**options, "socket_keepalive": True}
    if sentinels is not None:
        kind = at_primary_by_tls if url.is_tls else at_primary
        options |= {"connection_class": kind(sentinels.primary)}
        return {**options, "redis_connect_func": is_primary}
    host, port = url.addresses[0]
    if url.is_tls:
        options["connection_class"] = SSLConnection
    return {**options, "host": host, "port": port}
