"""The door inside the cluster: straight to the pod's address, or to where `--node-url` says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from controller.base.clock import Clock
from controller.base.errors import Garbled
from controller.base.http_errors import (
    HandshakeFailed,
    NoAnswer,
    PortClosed,
    Untrusted,
    translated,
)
from controller.base.http_limits import connecting_within, read_at_most
from controller.base.text import shown
from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest, NodeStarting
from controller.domain.node_url import BY_ADDRESS, NodeUrl

_CONNECT_LIMIT = 5.0  # seconds: in one cluster a handshake takes milliseconds; one lost is repeated


def node_session(*, keeps: bool = False) -> aiohttp.ClientSession:
    """A session that makes a new connection for each request, unless it keeps them; that keeps no
    cookies, and takes no proxy from the environment. Whoever makes it closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=not keeps), cookie_jar=aiohttp.DummyCookieJar()
    )


class DirectDoor:
    """Implements the port `Door`. session: of `node_session`."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Clock, node_url: NodeUrl = BY_ADDRESS
    ) -> None:
        self._session = session
        self._clock = clock
        self._node_url = node_url

    @asynccontextmanager
    async def for_one_look(self) -> AsyncIterator["DirectDoor"]:
        """To make a connection takes as long as what is asked over it."""
        async with node_session(keeps=True) as session:
            yield DirectDoor(session, self._clock, self._node_url)

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        url = self._node_url.of(address, request.path)
        peer = f"{url.host_port_subcomponent} (pod {shown(address.pod)})"
        try:
            with translated(peer, request.timeout):
                return await self._clock.within(request.timeout, self._once(url, peer, request))
        except PortClosed as error:
            raise NodeStarting(str(error)) from error
        except NoAnswer as error:
            raise NodeStarting(f"{error}, though it takes connections") from error
        except (HandshakeFailed, Untrusted) as error:
            # The template asks for TLS, and what answers there is not the node that it means.
            raise Garbled(str(error)) from error

    async def _once(self, url: URL, peer: str, request: NodeRequest) -> DoorReply:
        headers = {"Accept-Encoding": "identity"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        async with self._session.request(
            request.method,
            url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            raise_for_status=False,
            timeout=connecting_within(_CONNECT_LIMIT, request.timeout),
        ) as response:
            return DoorReply(response.status, await read_at_most(response, request.limit, peer))
