"""One aiohttp session to one API server: requests with limits, streams, and the server's clock."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self
from urllib.parse import quote, urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from controller.base.clock import Clock
from controller.base.errors import Garbled, Trouble
from controller.base.http_limits import TooLong, connecting_within, read_at_most
from controller.kube.api.call import JSON, Call, RawReply
from controller.kube.api.errors import Unauthenticated, retry_after_of, translated_call
from controller.kube.api.resources import Operation
from controller.kube.api.server_clock import ServerClock
from controller.kube.login.credentials import Credentials
from controller.kube.login.tls import keepalive_socket

CONNECT_TIMEOUT = 10.0  # seconds for name, TCP and TLS [33]
USER_AGENT = "bootstrap-controller"

OnAnswer = Callable[[Operation, int | None], None]


class Stream:
    """The body of an answer as it comes."""

    def __init__(self, response: aiohttp.ClientResponse, call: Call, about: str) -> None:
        self._response = response
        self._call = call
        self._about = about

    async def read(self) -> bytes:
        """The next bytes, cut anywhere; empty at a clean end. Waits without limit: its caller
        knows how long silence is normal. Raises Unavailable where the connection broke.
        """
        with translated_call(self._about, self._call.timeout, is_write=False):
            return await self._response.content.readany()

    def abort(self) -> None:
        """Who reads now, or later, is told that the connection broke."""
        self._response.close()


class KubeClient:
    """Use as an async context manager: the session is opened and closed with it.

    on_answer: is given each operation and the HTTP status of its answer, None for no answer.
    """

    def __init__(
        self, credentials: Credentials, clock: Clock, on_answer: OnAnswer | None = None
    ) -> None:
        self._credentials = credentials
        self._peer = credentials.endpoint.peer
        self._on_answer = on_answer or (lambda _operation, _status: None)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._server_clock = ServerClock(clock)
        # a sentence while the API server refuses our credentials
        self.refused: str | None = None

    async def __aenter__(self) -> Self:
        endpoint = self._credentials.endpoint
        connector = aiohttp.TCPConnector(
            ssl=endpoint.tls if endpoint.tls is not None else True,
            socket_factory=keepalive_socket,
            limit=0,  # three watches a namespace stay open; the engine's workers bound the rest
            force_close=not endpoint.keeps_connections,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=CIMultiDict([("User-Agent", USER_AGENT), *endpoint.headers]),
            skip_auto_headers=["Content-Type"] + ["Accept-Encoding"] * (not endpoint.compresses),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def server(self) -> str:
        """Host and port of the API server."""
        return self._peer

    @property
    def login(self) -> str:
        """By what we are known to it, such as `context dev`; empty where that is not said."""
        return self._credentials.endpoint.login

    @property
    def where(self) -> str:
        """Both in words."""
        return f"{self._peer} ({self.login})" if self.login else self._peer

    @property
    def namespace(self) -> str:
        """Our own, or the kubeconfig context's."""
        return self._credentials.namespace

    def skew(self) -> float | None:
        """See `ServerClock.skew`."""
        return self._server_clock.skew()

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
        """The body of a 2xx answer; raises for every other status what that means, of a 401 also
        where the credentials are read.
        """
        reply = await self.request(call)
        with self._naming_source():
            return reply.expect(call.operation)

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
                with self._naming_source():
                    await self._refuse(call, response)
            yield Stream(response, call, self._about(call))
        finally:
            # Closed, not released: the rest of a watch never ends.
            response.close()

    async def _open(self, call: Call, authorization: str | None) -> aiohttp.ClientResponse:
        """A response whose body was not read."""
        with self._translated(call):
            return await self._clock.within(call.timeout, self._send(call, authorization))

    async def _refuse(self, call: Call, response: aiohttp.ClientResponse) -> None:
        """Raises what a status other than 200 means."""
        with self._translated(call):
            reply = await self._clock.within(call.timeout, self._read(response, call))
        reply.expect(call.operation)
        raise Garbled(f"the API server answered {reply.status} to {call.operation}")

    async def _once(self, call: Call, authorization: str | None) -> RawReply:
        with self._translated(call):
            return await self._clock.within(call.timeout, self._exchange(call, authorization))

    async def _exchange(self, call: Call, authorization: str | None) -> RawReply:
        response = await self._send(call, authorization)
        try:
            return await self._read(response, call)
        finally:
            response.release()

    async def _read(self, response: aiohttp.ClientResponse, call: Call) -> RawReply:
        return RawReply(
            status=response.status,
            content_type=response.content_type,
            retry_after=retry_after_of(response.headers.get("Retry-After")),
            body=await read_at_most(response, call.limit, self._about(call)),
        )

    @contextmanager
    def _naming_source(self) -> Iterator[None]:
        try:
            yield
        except Unauthenticated as exc:
            source = self._credentials.endpoint.source
            self.refused = f"{exc}; the credentials: {source}" if source else str(exc)
            raise Unauthenticated(self.refused) from exc

    @contextmanager
    def _translated(self, call: Call) -> Iterator[None]:
        """Around what is awaited of one request. An answer that is too long was one."""
        try:
            with translated_call(self._about(call), call.timeout, is_write=call.is_write):
                yield
        except TooLong:
            raise
        except Trouble:
            self._on_answer(call.operation, None)
            raise

    def _about(self, call: Call) -> str:
        return f"the API server {self.where}, asked to {call.operation},"

    async def _send(self, call: Call, authorization: str | None) -> aiohttp.ClientResponse:
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
            timeout=connecting_within(CONNECT_TIMEOUT, call.timeout),
        )
        self._on_answer(call.operation, response.status)
        if response.status < 300:
            self.refused = None
        if call.host is None:  # else the Date may be another server's
            self._server_clock.note(response.headers.get("Date"))
        return response


def _url(base: str, call: Call) -> URL:
    query = urlencode(call.query, quote_via=quote)
    return URL(base + call.path + (f"?{query}" if query else ""), encoded=True)
