"""Where the primary is, by the word of sentinels: asked anew at each new connection.

Redis-py's own client of sentinels is not used: it keeps its connections to them, and believes any
server that they name. What is named here must say itself that it is the primary.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError

from store.api import StoreMisused, StoreUnavailable
from store.redis.credentials import Credentials

Address = tuple[str, int]


class Sentinels:
    """addresses: host and port of each. name: what they call the primary. options: of connections
    to them, such as TLS. credentials: None for none; given to a sentinel only if it asks for them.
    seconds: the limit of asking all of them.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        name: str,
        options: Mapping[str, Any],
        credentials: Credentials | None,
        seconds: float,
    ) -> None:
        self._addresses = list(addresses)
        self._name = name
        self._options = dict(options)
        self._credentials = credentials
        self._seconds = seconds / (len(self._addresses) + 1)  # what is left is the primary's
        self._last: Address | None = None

    @property
    def place(self) -> str:
        return ",".join(f"{_bracketed(host)}:{port}" for host, port in self._addresses)

    async def primary(self) -> Address:
        """Raises StoreUnavailable where none of them answers, and StoreMisused where none of those
        that do knows the name.
        """
        why, strangers = "", 0
        for address in list(self._addresses):
            try:
                async with asyncio.timeout(self._seconds):
                    found = await self._ask(address)
            except (RedisError, OSError) as error:
                why = why or str(error) or type(error).__name__
                continue
            if found is not None:
                self._addresses.remove(address)
                self._addresses.insert(0, address)  # it is asked first the next time
                self._last = found
                return found
            strangers += 1
        if strangers:
            raise StoreMisused(
                f"the sentinels at {self.place} know no primary called {self._name!r}: name it as"
                " their `sentinel monitor` does, redis+sentinel://host:26379/name"
            )
        raise StoreUnavailable(f"no sentinel at {self.place} answers: {why[:120]}")

    async def has_moved(self) -> bool:
        """Whether another server is the primary than when a connection was last made. The old one
        may take writes for seconds yet, all of which are lost. False where no sentinel answers.
        """
        last = self._last
        try:
            return await self.primary() != last and last is not None
        except StoreUnavailable:
            return False

    async def _ask(self, address: Address) -> Address | None:
        """None where the sentinel does not know the name."""
        try:
            return await self._asked(address, {})
        except ResponseError:  # AuthenticationError is no ResponseError in every release
            if self._credentials is None:
                raise
        except AuthenticationError:
            if self._credentials is None:
                raise
        login = self._credentials.get_credentials()
        try:
            return await self._asked(address, _as_options(login))
        except (ResponseError, AuthenticationError):  # it may know the password, and no users
            return await self._asked(address, {"password": login[-1]})

    async def _asked(self, address: Address, login: Mapping[str, Any]) -> Address | None:
        host, port = address
        kind = SSLConnection if "ssl_cert_reqs" in self._options else Connection
        retry = Retry(NoBackoff(), 0)
        connection: Any = kind(host=host, port=port, retry=retry, **self._options, **login)
        try:
            await connection.connect()
            await connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
            reply = await connection.read_response()
        finally:
            await connection.disconnect(nowait=True)
        return None if reply is None else (reply[0].decode(), int(reply[1]))


def at_primary(find: Callable[[], Any]) -> type[Connection]:
    """A connection that leads to whatever `find` names when it is made."""

    class AtPrimary(Connection):
        async def _connect(self) -> None:
            self.host, self.port = await find()
            await super()._connect()  # type: ignore[no-untyped-call]

    return AtPrimary


def at_primary_by_tls(find: Callable[[], Any]) -> type[SSLConnection]:
    """The same by TLS."""

    class AtPrimaryByTls(SSLConnection):
        async def _connect(self) -> None:
            self.host, self.port = await find()
            await super()._connect()  # type: ignore[no-untyped-call]

    return AtPrimaryByTls


async def is_primary(connection: Any) -> None:
    """What a new connection begins with. Raises ReadOnlyError at a replica, which a sentinel that
    has not heard of a failover may still name; a user who may not ask believes the sentinel.
    """
    await connection.on_connect()
    await connection.send_command("ROLE", check_health=False)
    try:
        role = await connection.read_response()
    except ResponseError:
        return
    if role and role[0] in (b"slave", "slave"):
        raise ReadOnlyError("the sentinels name a replica")


def _as_options(login: tuple[str] | tuple[str, str]) -> dict[str, Any]:
    return dict(zip(("username", "password")[-len(login) :], login, strict=True))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
