"""The door inside the cluster: straight to the pod's address."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from yarl import URL

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.errors import Garbled, SettingsFault, Unavailable
from controller.base.text import shown
from controller.domain.node_http import DoorReply, NodeAddress, NodeStarting

# By address and not by the Service's name: the answer is then of this pod and no other, and
# avalanchego lets an address as Host pass its host check [94].
BY_ADDRESS = "http://{pod_ip}:{port}"

_NAMES = ("pod_ip", "port", "pod", "namespace", "service")
_PLACE = re.compile(r"\{([^{}]*)\}")
_CONNECT_LIMIT = 5.0  # seconds: in one cluster a handshake takes milliseconds; one lost is repeated
_CHUNK = 64 * 1024


def node_session() -> aiohttp.ClientSession:
    """A session that makes a new connection for each request, keeps no cookies, and takes no proxy
    from the environment. Whoever makes it closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
    )


class NodeUrl:
    """A template of where a node is asked (`--node-url`). Raises SettingsFault that says what is
    wrong with it.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        unknown = sorted(set(_PLACE.findall(template)) - set(_NAMES))
        sample = NodeAddress("namespace", "pod", "192.0.2.1", 9650, "service")
        if unknown or not self._is_usable(sample):
            raise SettingsFault(
                [
                    # The template is not shown: somebody may have written a password into it.
                    "node URL: write an http or https URL without user, query or fragment, with"
                    " any of {" + "}, {".join(_NAMES) + "}, such as " + BY_ADDRESS
                ]
            )

    def _is_usable(self, address: NodeAddress) -> bool:
        try:
            url = self.of(address, "/")
        except Unavailable:
            return False
        plain = not (url.user or url.password or url.query_string or url.fragment)
        return plain and bool(url.host) and url.scheme in ("http", "https")

    def of(self, address: NodeAddress, path: str) -> URL:
        """Raises Unavailable where the address makes no URL, as one without an address does."""
        ip = f"[{address.pod_ip}]" if ":" in address.pod_ip else address.pod_ip
        values = {
            "pod_ip": ip,
            "port": str(address.port),
            "pod": address.pod,
            "namespace": address.namespace,
            "service": address.service,
        }
        text = _PLACE.sub(lambda match: values.get(match[1], ""), self._template)
        try:
            url = URL(text.rstrip("/") + path)
        except ValueError as error:
            raise Unavailable(f"'{shown(text)}' is no URL to ask a node at") from error
        if not url.host:
            raise Unavailable(f"pod {shown(address.pod)} has no address yet")
        return url


class DirectDoor:
    """Implements the port `Door`. session: of `node_session`. node_url: a template."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Clock, node_url: str = BY_ADDRESS
    ) -> None:
        self._session = session
        self._clock = clock
        self._node_url = NodeUrl(node_url)

    async def fetch(
        self,
        address: NodeAddress,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        limit: int,
        timeout: float,
    ) -> DoorReply:
        url = self._node_url.of(address, path)
        peer = f"{url.host_port_subcomponent} (pod {shown(address.pod)})"
        with _translated(peer, timeout):
            return await self._clock.within(
                timeout, self._once(url, peer, method, body, limit, timeout)
            )

    async def _once(
        self, url: URL, peer: str, method: str, body: bytes | None, limit: int, timeout: float
    ) -> DoorReply:
        async with self._session.request(
            method,
            url,
            data=body,
            headers={"Accept-Encoding": "identity"}
            | ({"Content-Type": "application/json"} if body is not None else {}),
            allow_redirects=False,
            raise_for_status=False,
            # Connecting gives up first: when all the time is over, the node had been reached.
            timeout=aiohttp.ClientTimeout(total=None, connect=min(_CONNECT_LIMIT, timeout / 2)),
        ) as response:
            content = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                content += chunk
                if len(content) > limit:
                    response.close()
                    raise Garbled(f"{peer} answers with more than {limit} bytes")
            return DoorReply(response.status, bytes(content))


@contextmanager
def _translated(peer: str, timeout: float) -> Iterator[None]:
    """aiohttp's errors become ours: here, and nowhere else in this package."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise Unavailable(f"{peer} cannot be reached: no answer to connecting") from error
    except TimeoutError as error:
        raise NodeStarting(
            f"{peer} takes connections and does not answer within {format_duration(timeout)}"
        ) from error
    except aiohttp.ClientSSLError as error:
        raise Garbled(f"{peer} does not speak TLS that can be trusted") from error
    except (aiohttp.ClientConnectorDNSError, UnicodeError) as error:
        raise Unavailable(f"{peer} is not found by its name") from error
    except aiohttp.ClientConnectorError as error:
        if error.errno == errno.ECONNREFUSED:
            raise NodeStarting(f"{peer} refuses connections") from error
        raise Unavailable(f"{peer} cannot be reached: {shown(error.strerror)}") from error
    except aiohttp.ClientPayloadError as error:
        raise Unavailable(f"{peer} broke off in the middle of its answer") from error
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
        raise Garbled(f"{peer} does not answer in HTTP") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{peer} closed the connection") from error
