"""The pod proxy: one request passed on to a pod's port, and its answer passed back as it is."""

from collections.abc import Callable

import aiohttp
from aiohttp import web

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError, bad_request

# Where a pod's port can be reached, or None where nobody listens.
Resolver = Callable[[Object, int], tuple[str, int] | None]

# Seconds: a node that does not answer must not hold a simulated server for ever. Real proxies
# wait as long as the client does.
LIMIT = 60.0
# Bytes read of a node's answer: far more than any health check has.
MAX_BODY = 8 * 1024 * 1024

_NOT_PASSED = frozenset(
    {
        "authorization",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "proxy-authorization",
    }
)


def by_pod_ip(pod: Object, port: int) -> tuple[str, int] | None:
    """The pod's own address, as in a cluster."""
    address = (pod.get("status") or {}).get("podIP")
    return (address, port) if address else None


def port_of(reference: str, pod: Object) -> tuple[str, int]:
    """Scheme and port of `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`; without a port it is the pod's
    first one. StatusError 400 where it is no number.
    """
    parts = reference.split(":")
    scheme, text = (parts[0], parts[2]) if len(parts) == 3 else ("http", "".join(parts[1:2]))
    if not text:
        for container in pod["spec"].get("containers") or []:
            for port in container.get("ports") or []:
                return scheme, int(port["containerPort"])
        return scheme, 80
    if not text.isdigit():
        raise bad_request(f'invalid pod request "{reference}"')
    return scheme, int(text)


class PodProxy:
    """Passes requests on. The client's own Host header goes with them (recording 57)."""

    def __init__(self, resolve: Resolver) -> None:
        self.resolve = resolve
        self._session: aiohttp.ClientSession | None = None

    async def forward(
        self, request: web.Request, pod: Object, reference: str, path: str
    ) -> web.Response:
        """The node's own status and body (58); 503 with a Status where nobody listens (59)."""
        scheme, port = port_of(reference, pod)
        address = (pod.get("status") or {}).get("podIP", "")
        refused = StatusError(
            503,
            "ServiceUnavailable",
            f"error trying to reach service: dial tcp {address}:{port}: connect: "
            "connection refused",
        )
        found = self.resolve(pod, port)
        if found is None:
            raise refused
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_PASSED}
        headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
        headers["X-Forwarded-Uri"] = request.path
        query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
        try:
            async with self._open().request(
                request.method,
                f"{scheme}://{found[0]}:{found[1]}/{path}{query}",
                headers=headers,
                data=await request.read() or None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            ) as answer:
                body = await answer.content.read(MAX_BODY)
                while chunk := await answer.content.read(MAX_BODY - len(body)):
                    body += chunk
                passed = {k: v for k, v in answer.headers.items() if k.lower() not in _NOT_PASSED}
                return web.Response(status=answer.status, body=body, headers=passed)
        except aiohttp.ClientConnectorError:
            raise refused from None
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise StatusError(
                503, "ServiceUnavailable", f"error trying to reach service: {type(exc).__name__}"
            ) from exc

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=LIMIT),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
