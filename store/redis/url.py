"""The URLs of Redis, read: redis, rediss, unix, and both of the first by sentinels.

redis-py's own reading of URLs is not used: it takes an unreadable database for 0 and hands unknown
arguments on until something else fails [128].
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from store.api import StoreMisused

SENTINEL = "+sentinel"
_SENTINEL_PORT = 26379


@dataclass(frozen=True)
class RedisUrl:
    """One that can be opened."""

    scheme: str  # redis, rediss, unix, redis+sentinel or rediss+sentinel
    user: str  # empty: none is named
    password: str = field(repr=False)  # empty: none is in it
    addresses: tuple[tuple[str, int], ...]  # host and port; of the sentinels; empty: a socket
    path: str  # of the socket; empty: none
    primary: str  # what sentinels call it; empty: no sentinels
    options: Mapping[str, Any]  # `db` and the arguments of its query, as redis-py names them

    @property
    def is_tls(self) -> bool:
        return self.scheme.startswith("rediss")

    @property
    def place(self) -> str:
        """How the server is called in sentences; no secret."""
        if self.path:
            return f"redis at unix://{self.path}"
        hosts = ",".join(f"{f'[{h}]' if ':' in h else h}:{port}" for h, port in self.addresses)
        named = f"/{self.primary}" if self.primary else ""
        return f"redis at {self.scheme}://{hosts}{named}"


def read_url(url: str) -> RedisUrl:
    """Raises StoreMisused with nothing of the URL in it that may be a password."""
    parts = _split(url)
    options, path = _query(parts), ""
    if parts.scheme == "unix":
        addresses: tuple[tuple[str, int], ...] = ()
        primary, path = "", unquote(parts.path)
        if parts.hostname or not parts.path.strip("/"):
            raise StoreMisused(
                "a unix store is written unix:///path/to/redis.sock, with three slashes"
            )
    elif parts.scheme.endswith(SENTINEL):
        primary, _, database = parts.path.strip("/").partition("/")
        primary = unquote(primary)
        addresses = _addresses(parts)
        if not re.fullmatch(r"[\w.-]{1,200}", primary, re.ASCII):
            raise StoreMisused(
                "the path of a sentinel URL is what the sentinels call the primary, such as"
                f" {parts.scheme}://host:{_SENTINEL_PORT}/mymaster/0"
            )
        options |= _database(database, options)
    else:
        primary = ""
        if not parts.hostname:
            raise StoreMisused(f"the store's URL names no host: write {parts.scheme}://host:6379/0")
        addresses = ((unquote(parts.hostname), parts.port or 6379),)
        options |= _database(parts.path.strip("/"), options)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return RedisUrl(parts.scheme, user, password, addresses, path, primary, options)


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


def _split(url: str) -> SplitResult:
    readable = True
    parts = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(url)
        if not parts.scheme.endswith(SENTINEL):  # which has many ports
            _ = parts.port
    except ValueError:
        readable = False
    if not readable or parts.fragment or "#" in url:
        raise StoreMisused(
            "the store's URL cannot be read: in a user or password write @ : / ? # % as %40 %3A %2F"
            " %3F %23 %25, or give the password in a file"
        )
    return parts


def _addresses(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    """Of the sentinels."""
    found = []
    for each in parts.netloc.rpartition("@")[2].split(","):
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:@\s]+)(?::([0-9]{1,5}))?", each)
        if match is None or int(match[2] or 1) not in range(1, 65536):
            raise StoreMisused(
                "a sentinel URL names host and port of each sentinel, joined by commas:"
                f" {parts.scheme}://host1:{_SENTINEL_PORT},host2:{_SENTINEL_PORT}/mymaster/0"
            )
        found.append((match[1].strip("[]"), int(match[2] or _SENTINEL_PORT)))
    return tuple(found)


def _query(parts: SplitResult) -> dict[str, object]:
    known = {**_COMMON, **(_TLS if parts.scheme.startswith("rediss") else {})}
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


def _database(path: str, options: Mapping[str, object]) -> dict[str, int]:
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
