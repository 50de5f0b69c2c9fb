"""One exchange with a registry or a token server: redirects, bounds, time limit.

Nothing here knows what is asked, or reads what is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from controller.base.clock import Clock
from controller.base.errors import Garbled, Refused
from controller.base.http_errors import HandshakeFailed, Untrusted, translated
from controller.base.http_limits import connecting_within, read_at_most
from controller.registry.encodings import decoded
from controller.registry.hosts import same_origin
from controller.registry.ways import Ways

TIME_LIMIT = 30.0  # seconds for one exchange, redirects and all: a HEAD takes well under one
_CONNECT_LIMIT = 10.0  # seconds: a TCP handshake that was lost twice has been sent again by then
_MOST_REDIRECTS = 5  # a registry behind a CDN needs one or two
# Bytes of one header of an answer, such as a signed Location or a policy. docker and containerd
# take 10 MiB of all of them together [149]; aiohttp, left alone, 8 KiB.
_LONGEST_HEADER = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Ask:
    """One request. Headers, form and the URL's query may hold secrets."""

    about: str  # what is asked about, the beginning of every sentence
    method: str
    url: URL
    limit: int  # bytes of the answer's body
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # a body; such a request is never redirected. None for no body
    form: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def peer(self) -> str:
        """Beginning of a sentence about who was asked."""
        return self.peer_at(self.url)

    def peer_at(self, url: URL) -> str:
        """The same of whom we were redirected to. Never the query, which can carry a token."""
        return f"{self.about}: {url.host_port_subcomponent}"


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    method: str  # of the request that is answered
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes  # as it was before a CDN packed it; empty where a refusal cannot be unpacked
    url: URL  # who answered in the end, after redirects


def registry_session() -> aiohttp.ClientSession:
    """A session that keeps no cookies, and by itself takes neither proxies nor a netrc from the
    environment. Whoever makes it closes it.
    """
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


class Transport:
    """time_limit: seconds for one exchange. ways: None for the session's own, without proxies."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        time_limit: float = TIME_LIMIT,
        ways: Ways | None = None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._time_limit = time_limit
        self._ways = ways

    async def exchange(self, ask: Ask) -> Reply:
        """Whatever the status is. Raises Unavailable, Garbled, and Refused where TLS or a redirect
        must not be trusted.
        """
        try:
            with translated(ask.peer, self._time_limit):
                return await self._clock.within(self._time_limit, self._follow(ask))
        except HandshakeFailed as error:
            remedy = "if it speaks plain HTTP, name it with --registry HOST=http://…"
            raise HandshakeFailed(f"{error}; {remedy}") from error
        except Untrusted as error:
            if not error.unknown_issuer:
                raise
            raise Untrusted(f"{error}; name a private CA with --registry-ca") from error

    async def _follow(self, ask: Ask) -> Reply:
        url, headers = ask.url, dict(ask.headers)
        if self._ways is not None:
            self._ways.refresh()
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self._once(ask, url, headers)
            if reply.status not in _REDIRECTS:
                return reply
            target = _target(ask, url, reply.headers.get("Location", ""))
            if not same_origin(url, target):
                # Whoever a registry points to must not get the token that opens it; and a signed
                # URL with an Authorization beside it is an error at S3-like stores [74].
                headers.pop("Authorization", None)
            url = target
        raise Garbled(f"{ask.peer} redirects more than {_MOST_REDIRECTS} times")

    async def _once(self, ask: Ask, url: URL, headers: Mapping[str, str]) -> Reply:
        peer = ask.peer_at(url)
        with translated(peer, self._time_limit):
            async with self._session.request(
                ask.method,
                url,
                headers=headers,
                data=ask.form,
                proxy=self._ways.proxy(url, peer) if self._ways else None,
                ssl=self._ways.tls if self._ways else True,
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,  # what cannot be unpacked still has a status
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                timeout=connecting_within(_CONNECT_LIMIT, self._time_limit),
            ) as response:
                body = await read_at_most(response, ask.limit, peer)
        packing = response.headers.get("Content-Encoding", "")
        try:
            body = decoded(body, packing, ask.limit, peer)
        except Garbled:
            if response.status == 200:
                raise
            body = b""
        return Reply(ask.method, response.status, response.headers, body, url)


def _target(ask: Ask, url: URL, location: str) -> URL:
    """Byte for byte what the registry wrote: the signature of a signed URL is of these bytes."""
    try:
        signed = URL(_sendable(location), encoded=True)
        target = url.join(signed).with_fragment(None) if location else None
    except ValueError as error:
        raise Garbled(f"{ask.peer} redirects to what is no URL") from error
    if target is None or not target.host or target.scheme not in ("http", "https"):
        raise Garbled(f"{ask.peer} redirects to what is no URL of HTTP")
    if ask.form is not None:
        raise Refused(f"{ask.peer} redirects a request that carries credentials")
    if url.scheme == "https" and target.scheme == "http":
        # Whoever sits on the way could answer in the registry's stead, or read the token.
        raise Refused(f"{ask.peer} redirects from https to http")
    return target


def _sendable(location: str) -> str:
    """Without spaces and letters that no request line can hold; all else stays as it is."""
    raw = location.encode("utf-8", "surrogateescape")
    return quote_from_bytes(raw, safe=bytes(range(0x21, 0x7F)))
