"""One aiohttp session to one API server: requests with limits, streams, and the server's clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from controller.base.clock import Clock
from controller.base.errors import Garbled
from controller.kube.api.errors import refusal, retry_after_of, transport_failure
from controller.kube.api.resources import Operation
from controller.kube.login.credentials import Credentials
from controller.kube.login.tls import keepalive_socket

READ_TIMEOUT = 30.0  # seconds; the server itself gives a request 60 [15]
# The server caps a patch at 34 seconds itself [15]: waiting a little longer hears its own answer.
WRITE_TIMEOUT = 40.0
CONNECT_TIMEOUT = 10.0  # seconds for TCP and TLS [33]
# A page of 500 objects of 5 KB is 3 MB; etcd bounds one object at 1.5 MiB.
BODY_LIMIT = 64 * 1024 * 1024
USER_AGENT = "bootstrap-controller"

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"


OnAnswer = Callable[[Operation, int | None], None]


@dataclass(frozen=True)
class Call:
    """One request.

    path: begins with a slash, encoded already. timeout: seconds for all of it. limit: bytes of the
    answer's body. host: a Host header for a server behind the API server's proxy.
    """

    operation: Operation
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = JSON
    timeout: float = READ_TIMEOUT
    limit: int = BODY_LIMIT
    host: str | None = None

    @property
    def is_write(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True)
class RawReply:
    """An answer, read to its end. retry_after: seconds, None if it did not say."""

    status: int
    content_type: str
    retry_after: float | None
    body: bytes = field(repr=False)

    def expect(self, operation: Operation) -> bytes:
        """The body of a 2xx; raises for every other status what that means."""
        if 200 <= self.status < 300:
            return self.body
        raise refusal(self.status, self.body, operation, self.retry_after)


class Stream:
    """The body of an answer as it comes."""

    def __init__(self, response: aiohttp.ClientResponse, operation: Operation) -> None:
        self._response = response
        self._operation = operation

    async def read(self) -> bytes:
        """The next bytes, cut anywhere; empty at a clean end. Waits without limit: its caller
        knows how long silence is normal. Raises Unavailable where the connection broke.
        """
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as exc:
            raise transport_failure(exc, self._operation, is_write=False) from exc


class KubeClient:
    """Use as an async context manager: the session is opened and closed with it.

    on_answer: is given each operation and the HTTP status of its answer, None for no answer.
    """

    def __init__(
        self, credentials: Credentials, clock: Clock, on_answer: OnAnswer | None = None
    ) -> None:
        self._credentials = credentials
        self._on_answer = on_answer or (lambda _operation, _status: None)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._server_time: tuple[datetime, float] | None = None

    async def __aenter__(self) -> Self:
        endpoint = self._credentials.endpoint
        connector = aiohttp.TCPConnector(
            ssl=endpoint.tls if endpoint.tls is not None else True,
            socket_factory=keepalive_socket,
            limit=0,  # three watches a namespace stay open; the engine's workers bound the rest
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
            skip_auto_headers=["Content-Type"],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def namespace(self) -> str:
        """Our own, or the kubeconfig context's."""
        return self._credentials.namespace

    def skew(self) -> float | None:
        """Seconds that our wall clock is ahead of the API server's; None before its first answer.

        The Date header counts whole seconds, so half a second is the error. Between answers the
        server's clock is carried on with our monotonic one: a jump of ours shows at once.
        """
        if self._server_time is None:
            return None
        server, read_at = self._server_time
        passed = timedelta(seconds=self._clock.monotonic() - read_at)
        return (self._clock.now() - (server + passed)).total_seconds()

    async def request(self, call: Call) -> RawReply:
        """The answer, whatever its status. A 401 is asked once more with credentials read anew.

        Raises NotConnected (nothing was sent), LostReply (a write without an answer), Unavailable,
        Garbled (more than the limit, no HTTP), Refused (certificate).
        """
        used = await self._credentials.authorization()
        reply = await self._once(call, used)
        if reply.status == 401 and await self._credentials.renew(used):
            reply = await self._once(call, await self._credentials.authorization())
        return reply

    async def fetch(self, call: Call) -> bytes:
        """The body of a 2xx answer; raises for every other status what that means."""
        return (await self.request(call)).expect(call.operation)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Stream]:
        """Entered when a 200 has come, for which `call.timeout` counts; the body has no limit.
        Raises as `fetch` does.
        """
        used = await self._credentials.authorization()
        response = await self._open(call, used)
        if response.status == 401 and await self._credentials.renew(used):
            response.close()
            response = await self._open(call, await self._credentials.authorization())
        try:
            if response.status != 200:
                await self._refuse(call, response)
            yield Stream(response, call.operation)
        finally:
            # Closed, not released: the rest of a watch never ends.
            response.close()

    async def _open(self, call: Call, authorization: str | None) -> aiohttp.ClientResponse:
        """A response whose body was not read."""
        try:
            return await self._clock.within(call.timeout, self._send(call, authorization, None))
        except (aiohttp.ClientError, OSError) as exc:
            self._on_answer(call.operation, None)
            raise transport_failure(exc, call.operation, is_write=call.is_write) from exc

    async def _refuse(self, call: Call, response: aiohttp.ClientResponse) -> None:
        """Raises what a status other than 200 means."""
        try:
            reply = await self._clock.within(call.timeout, _read(response, call))
        except (aiohttp.ClientError, OSError) as exc:
            raise transport_failure(exc, call.operation, is_write=call.is_write) from exc
        reply.expect(call.operation)
        raise Garbled(f"the API server answered {reply.status} to {call.operation}")

    async def _once(self, call: Call, authorization: str | None) -> RawReply:
        try:
            response = await self._send(call, authorization, call.timeout)
            try:
                return await _read(response, call)
            finally:
                response.release()
        except (aiohttp.ClientError, OSError) as exc:
            self._on_answer(call.operation, None)
            raise transport_failure(exc, call.operation, is_write=call.is_write) from exc

    async def _send(
        self, call: Call, authorization: str | None, total: float | None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("the client is not open")
        endpoint = self._credentials.endpoint
        headers = {"Accept": JSON}
        if authorization is not None:
            headers["Authorization"] = authorization
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        if call.host is not None:
            headers["Host"] = call.host
        response = await self._session.request(
            call.method,
            _url(endpoint.url, call),
            data=call.body,
            headers=headers,
            allow_redirects=False,
            proxy=endpoint.proxy,
            server_hostname=endpoint.server_name,
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_TIMEOUT),
        )
        self._on_answer(call.operation, response.status)
        if call.host is None:  # else the Date may be another server's
            self._note_time(response.headers.get("Date"))
        return response

    def _note_time(self, date: str | None) -> None:
        try:
            server = parsedate_to_datetime(date) if date else None
        except ValueError:
            return
        if server is not None and server.tzinfo is not None:
            middle = server + timedelta(seconds=0.5)
            self._server_time = (middle, self._clock.monotonic())


def _url(base: str, call: Call) -> URL:
    query = urlencode(call.query, quote_via=quote)
    return URL(base + call.path + (f"?{query}" if query else ""), encoded=True)


async def _read(response: aiohttp.ClientResponse, call: Call) -> RawReply:
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > call.limit:
            response.close()
            raise Garbled(
                f"the API server's answer to {call.operation} is longer than {call.limit} bytes"
            )
        chunks.append(chunk)
    return RawReply(
        status=response.status,
        content_type=response.content_type,
        retry_after=retry_after_of(response.headers.get("Retry-After")),
        body=b"".join(chunks),
    )
