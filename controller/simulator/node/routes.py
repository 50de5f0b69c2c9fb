"""The node's HTTP: health, info, metrics and the chains' own APIs."""

import ipaddress
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from controller.simulator.node.health import Health
from controller.simulator.node.metrics import CONTENT_TYPE, metrics_text
from controller.simulator.node.settings import Version
from controller.simulator.node.state import NodeState

_LARGEST_BODY = 1 << 20  # bytes; no call of ours is larger
_BOOTSTRAPPING = "API call rejected because chain is not done bootstrapping"  # [93]
_NEWEST = {"latest", "accepted", "finalized", "safe"}  # one and the same: blocks are final at once


def json_reply(document: Any, status: int = 200) -> web.Response:
    """JSON with a newline at its end, as Go's encoder leaves it."""
    body = orjson.dumps(document) + b"\n"
    return web.Response(body=body, status=status, content_type="application/json")


def host_allowed(host: str, allowed: tuple[str, ...], *, strict: bool) -> bool:
    """avalanchego's host check: an address or no host always passes, unless the build is strict."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return not name or "*" in allowed or name in allowed
    return not strict or "*" in allowed


def host_check(state: NodeState) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        allowed = state.settings.allowed_hosts
        host = request.headers.get("Host", "")
        if not host_allowed(host, allowed, strict=state.plan.strict_hosts):
            return web.Response(status=403, text="invalid host specified\n")
        return await handler(request)

    return check


class Routes:
    """Handlers over one process's state."""

    def __init__(self, state: NodeState, health: Health, version: Version) -> None:
        self._state = state
        self._health = health
        self._version = version

    def table(self) -> list[web.RouteDef]:
        return [
            web.get("/ext/health", self._get_health("health")),
            web.get("/ext/health/readiness", self._get_health("readiness")),
            web.get("/ext/health/liveness", self._get_health("liveness")),
            web.post("/ext/health", self._rpc(self._health_call)),
            web.post("/ext/info", self._rpc(self._info_call)),
            web.get("/ext/metrics", self._metrics),
            web.post("/ext/bc/{chain}", self._chain_api),
            web.post("/ext/bc/{chain}/rpc", self._chain_api),
        ]

    def _get_health(self, kind: str) -> Handler:
        async def get(request: web.Request) -> web.StreamResponse:
            document = self._health.document(kind, request.query.getall("tag", []))
            return json_reply(document, 200 if document["healthy"] else 503)

        return get

    def _rpc(self, call: Callable[[str, dict[str, Any]], Any]) -> Handler:
        async def post(request: web.Request) -> web.StreamResponse:
            return await _answer(request, call)

        return post

    def _health_call(self, method: str, params: dict[str, Any]) -> Any:
        service, _, kind = method.partition(".")
        if service != "health" or kind not in {"health", "readiness", "liveness"}:
            raise LookupError(method)
        return self._health.document(kind, params.get("tags") or ())

    def _info_call(self, method: str, params: dict[str, Any]) -> Any:
        calls: dict[str, Callable[[], Any]] = {
            "info.getNodeVersion": self._node_version,
            "info.isBootstrapped": lambda: self._is_bootstrapped(str(params.get("chain", ""))),
            "info.getNetworkName": lambda: {"networkName": self._state.settings.network},
            "info.getNetworkID": lambda: {"networkID": str(self._state.settings.network_id)},
            "info.peers": self._peers,
        }
        return calls[method]()

    def _node_version(self) -> Any:
        version = self._version.version
        return {
            "version": f"avalanchego/{version}",
            "databaseVersion": "v1.4.5",
            "rpcProtocolVersion": "45",
            "gitCommit": self._version.commit,
            "vmVersions": {"avm": version, "evm": f"v{version}", "platform": version},
        }

    def _is_bootstrapped(self, chain: str) -> Any:
        # One finished chain waits for the others of its subnet [106]; a chain that this node does
        # not run never is [100].
        return {"isBootstrapped": chain in self._state.settings.chains and self._state.bootstrapped}

    def _peers(self) -> Any:
        # 203.0.113.0/24 is kept for documentation: nobody's address.
        peers = [
            {
                "ip": f"203.0.113.{number}:9651",
                "nodeID": f"NodeID-{number}",
                "version": "avalanchego/1.14.0",
            }
            for number in range(1, self._state.peers + 1)
        ]
        return {"numPeers": str(len(peers)), "peers": peers}

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        if not self._state.plan.metrics:
            return _not_found()
        text = metrics_text(self._state, self._health)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _chain_api(self, request: web.Request) -> web.StreamResponse:
        chain = request.match_info["chain"]
        if chain not in self._state.settings.chains:
            return _not_found()
        if not self._state.bootstrapped:
            return web.Response(status=503, text=_BOOTSTRAPPING + "\n")
        return await _answer(
            request, lambda method, params: self._chain_call(chain, method, params)
        )

    def _chain_call(self, chain: str, method: str, params: Any) -> Any:
        height = self._state.numbers(chain).height
        match chain, method:
            case "C", "eth_blockNumber":
                return hex(height)
            case "C", "eth_getBlockByNumber":
                return self._block(str(params[0]) if params else "latest", height)
            case "P", "platform.getHeight":
                return {"height": str(height)}
            case "P", "platform.getTimestamp":
                at = self._state.block_time("P", height)
                return {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        raise LookupError(method)

    def _block(self, wanted: str, height: int) -> Any:
        """Of the C-chain; None for one that is not there yet."""
        number = height if wanted in _NEWEST else int(wanted, 16)
        if not 0 <= number <= height:
            return None
        at = self._state.block_time("C", number)
        return {
            "number": hex(number),
            "hash": f"0x{number:064x}",
            "timestamp": hex(int(at.timestamp())),
        }


def _not_found() -> web.Response:
    return web.Response(status=404, text="404 page not found\n")


async def _answer(request: web.Request, call: Callable[[str, Any], Any]) -> web.Response:
    """JSON-RPC 2.0: 200 whatever the call says; the result carries it [87]."""
    raw = await request.content.read(_LARGEST_BODY)
    try:
        document = orjson.loads(raw)
        number, method, params = document.get("id"), document["method"], document.get("params")
    except (ValueError, KeyError, AttributeError):
        return json_reply(_error(None, -32700, "rpc: error decoding request"), 400)
    try:
        return json_reply({"jsonrpc": "2.0", "result": call(method, params or {}), "id": number})
    except LookupError:
        return json_reply(_error(number, -32000, f'rpc: can\'t find method "{method}"'))
    except ValueError:
        return json_reply(_error(number, -32602, "invalid argument 0: hex string expected"))


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "error": {"code": code, "message": message, "data": None},
        "id": number,
    }
