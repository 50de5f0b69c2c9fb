"""open_store: from a URL to a store. No part of a URL that may hold a password is ever shown."""

import inspect
import math
from collections.abc import Callable

from store.api import StateStore, StoreMisused
from store.memory import MemoryStore

# Packages declare other stores here: name = URL scheme, value = a callable with open_store's
# parameters that returns a StateStore, or an awaitable of one.
ENTRY_POINTS = "bootstrap_controller.stores"


_REDIS = frozenset({"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"})


def is_memory(url: str) -> bool:
    """Whether the store ends with the process that opens it: another process would open another
    one, and find it empty.
    """
    return _scheme(url) == "memory"


def _scheme(url: str) -> str:
    """In small letters; empty for what is no URL."""
    return url.partition("://")[0].lower() if "://" in url else ""


async def open_store(
    url: str,
    *,
    prefix: str = "bootstrap",
    password: str | Callable[[], str] | None = None,
    timeout: float = 5.0,
) -> StateStore:
    """The store behind a URL. Connects lazily: the server need not be up yet.

    url: `memory://`, `redis://[user[:password]@]host[:port][/db]`, `rediss://...` (TLS),
    `unix:///path[?db=n]`, `redis+sentinel://host[:port],.../name[/db]` and the same by TLS, or the
    scheme of an installed entry point. password: instead of one in the URL; what is called for it
    is asked anew at each new connection, and raises OSError or ValueError while it cannot say.
    timeout: seconds, the limit of every call with its retries. Raises StoreMisused, with
    one sentence, for what cannot be opened.
    """
    if not (math.isfinite(timeout) and timeout > 0):
        raise StoreMisused("the store's timeout is a number of seconds above zero")
    scheme = _scheme(url)
    if is_memory(url):
        return _open_memory(url, password)
    if scheme.endswith("+cluster"):
        raise StoreMisused(
            "Redis Cluster is not supported, because one claim touches several keys, and there each"
            " may be on another server: name a Redis that is no cluster, alone, with replicas, or"
            " behind sentinels (redis+sentinel://host:26379/mymaster/0)"
        )
    if scheme in _REDIS:
        # Imported here: it takes 7 MB, which a process without Redis need not keep.
        from store.redis.opening import open_redis

        return open_redis(url, prefix=prefix, password=password, timeout=timeout)
    # Imported here: 6 ms, which few need.
    from importlib.metadata import entry_points

    others = entry_points(group=ENTRY_POINTS)
    if scheme not in others.names:
        raise StoreMisused(
            "a store's URL starts with memory://, redis://, rediss://, redis+sentinel://,"
            " rediss+sentinel:// or unix://"
            + "".join(f", or {name}://" for name in sorted(others.names))
            + (f", not {scheme[:20]!r}" if scheme.isalnum() else "")
        )
    try:
        opener = others[scheme].load()
    except (ImportError, AttributeError) as exc:
        raise StoreMisused(f"the package that declares {scheme}:// cannot be loaded") from exc
    said = password() if callable(password) else password
    opened = opener(url, prefix=prefix, password=said, timeout=timeout)
    if inspect.isawaitable(opened):
        opened = await opened
    if not isinstance(opened, StateStore):
        raise StoreMisused(f"what the package for {scheme}:// opens is not a StateStore")
    return opened


def _open_memory(url: str, password: object) -> StateStore:
    if url.lower() != "memory://":
        raise StoreMisused("memory:// stands alone: nothing comes after it")
    if password is not None:
        raise StoreMisused("memory:// takes no password: name a redis:// URL, or no password")
    return MemoryStore()
