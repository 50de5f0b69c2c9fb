"""From a redis, rediss or unix URL to a RedisStore.

redis-py's own reading of URLs is not used: it takes an unreadable database for 0 and hands unknown
arguments on until something else fails [128].
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from store.api import StoreMisused
from store.limits import HISTORY_BOUND, SEEN_BOUND
from store.redis.errors import Calls
from store.redis.store import RedisStore

# RESP2: nothing of RESP3 is used, and proxies and old managed servers refuse its HELLO [128].
_PROTOCOL = 2

# A controller has a handful of loops; the default pool's 101st caller would fail, ours waits [120].
_CONNECTIONS = 16

# A reply lost by a closed connection is asked for again after 20, 40, 80 ms; every command of ours
# may be sent twice [121]. A server that is away is not asked for long: the caller has its backoff.
_RETRIES = 3
_RETRY_BASE, _RETRY_CAP = 0.01, 0.5  # seconds


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError
    return int(value)


def _protocol(value: str) -> int:
    return {"2": 2, "3": 3}[value]


_COMMON: Mapping[str, Callable[[str], object]] = {"db": _number, "protocol": _protocol}
_TLS: Mapping[str, Callable[[str], object]] = {
    "ssl_ca_certs": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
}


def open_redis(
    url: str,
    *,
    prefix: str = "bootstrap",
    password: str | None = None,
    timeout: float = 5.0,
    history_bound: int = HISTORY_BOUND,
    seen_bound: int = SEEN_BOUND,
) -> RedisStore:
    """See open_store and RedisStore. Connects to nothing yet."""
    parts = _split(url)
    options: dict[str, Any] = {"protocol": _PROTOCOL, **_query(parts)}
    if password is not None and parts.password:
        raise StoreMisused("the store's password is given twice: leave it out of the URL")
    secret = password if password is not None else unquote(parts.password or "")
    if parts.scheme == "unix":
        place = f"redis at {parts.scheme}://{parts.path}"
        options |= {"connection_class": UnixDomainSocketConnection, "path": unquote(parts.path)}
    else:
        host, port = unquote(parts.hostname or ""), parts.port or 6379
        place = f"redis at {parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        options |= {"host": host, "port": port}
        options |= {"socket_keepalive": True, **_database(parts, options)}
        if parts.scheme == "rediss":
            # Stated, although it is the default: who the server is, is always verified.
            options |= {"connection_class": SSLConnection, "ssl_cert_reqs": "required"}
            options |= {"ssl_check_hostname": True}
    pool = BlockingConnectionPool(
        max_connections=_CONNECTIONS,
        timeout=timeout,
        username=unquote(parts.username or "") or None,
        password=secret or None,
        # None: `Calls` has the limit. With one here, redis-py sends by `asyncio.wait_for`, which on
        # Python 3.11 can swallow a cancellation, and with it that limit and a shutdown.
        socket_timeout=None,
        socket_connect_timeout=timeout,
        retry=Retry(ExponentialBackoff(cap=_RETRY_CAP, base=_RETRY_BASE), _RETRIES),
        encoding_errors="replace",  # half a surrogate in a name must not raise UnicodeError
        **options,
    )
    calls = Calls(place, timeout, secrets=(secret, parts.password or ""))
    return RedisStore(
        Redis.from_pool(pool),
        calls,
        prefix=prefix,
        history_bound=history_bound,
        seen_bound=seen_bound,
    )


def _split(url: str) -> SplitResult:
    """Raises StoreMisused with nothing of the URL in it: what cannot be read may be a password."""
    readable = True
    parts = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        readable = False
    if not readable or parts.fragment or "#" in url:
        raise StoreMisused(
            "the store's URL cannot be read: in a user or password write @ : / ? # % as %40 %3A %2F"
            " %3F %23 %25, or give the password in a file"
        )
    if parts.scheme == "unix" and (parts.hostname or not parts.path.strip("/")):
        raise StoreMisused("a unix store is written unix:///path/to/redis.sock, with three slashes")
    if parts.scheme != "unix" and not parts.hostname:
        raise StoreMisused(f"the store's URL names no host: write {parts.scheme}://host:6379/0")
    return parts


def _query(parts: SplitResult) -> dict[str, object]:
    known = {**_COMMON, **(_TLS if parts.scheme == "rediss" else {})}
    options: dict[str, object] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in known:
            raise StoreMisused(
                f"the store's URL has an argument that {parts.scheme}:// does not know: it knows"
                f" {', '.join(sorted(known))}"
            )
        if name in options:
            raise StoreMisused(f"the store's URL has the argument {name} twice")
        try:
            options[name] = known[name](value)
        except (ValueError, KeyError):
            raise StoreMisused(
                f"the store's URL has an unusable value for {name}: db is a number, protocol 2 or 3"
            ) from None
    return options


def _database(parts: SplitResult, options: Mapping[str, object]) -> dict[str, int]:
    path = parts.path.strip("/")
    if not path:
        return {}
    if "db" in options:
        raise StoreMisused("the store's URL names the database twice: in its path and as db=")
    try:
        return {"db": _number(path)}
    except ValueError:
        raise StoreMisused(
            "the path of a redis URL is the number of a database, such as redis://host:6379/0"
        ) from None
