"""The node's HTTP: health, info, metrics and the chains' own APIs."""

import ipaddress
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from controller.base.clock import Clock
from controller.simulator.node.chain_calls import NODE_ID, chain_call, info_call
from controller.simulator.node.health import Health
from controller.simulator.node.jsonrpc import Call, evm_answer, json_reply, node_answer
from controller.simulator.node.log import NodeLog
from controller.simulator.node.metrics import CONTENT_TYPE, metrics_text
from controller.simulator.node.settings import Version
from controller.simulator.node.state import NodeState

_BOOTSTRAPPING = "API call rejected because chain is not done bootstrapping"  # [93]
_KINDS = {
    "/ext/health": "health",
    "/ext/health/health": "health",
    "/ext/health/readiness": "readiness",
    "/ext/health/liveness": "liveness",
}
# Line of avalanchego's source that tells of an answer that is not healthy.
_TELLERS = {"health": "health/health.go:110", "readiness": "health/health.go:99"}


def host_allowed(host: str, allowed: tuple[str, ...], *, strict: bool) -> bool:
    """avalanchego's host check: an address or no host always passes, unless the build is strict."""
    name = (host.rsplit(":", 1)[0] if not host.endswith("]") else host).lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return not name or "*" in allowed or name in {other.lower() for other in allowed}
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


@web.middleware
async def its_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Those that every answer of the node has."""
    response = await handler(request)
    response.headers.update({"Node-Id": NODE_ID, "Vary": "Origin"})
    return response


class Routes:
    """Handlers over one process's state."""

    def __init__(
        self, state: NodeState, health: Health, version: Version, log: NodeLog, clock: Clock
    ) -> None:
        self._state = state
        self._health = health
        self._version = version
        self._log = log
        self._clock = clock

    def table(self) -> list[web.RouteDef]:
        """What is not here is answered with 404 in avalanchego's words."""
        return [
            *(web.get(path, self._get_health(kind)) for path, kind in _KINDS.items()),
            web.route("*", "/ext/health", self._rpc(self._health_call)),
            web.route("*", "/ext/info", self._rpc(self._info_call)),
            web.get("/ext/metrics", self._metrics),
            web.route("*", "/ext/bc/{chain}", self._chain_api),
            web.route("*", "/ext/bc/{chain}/rpc", self._chain_api),
            web.route("*", "/{rest:.*}", _nothing),
        ]

    def _get_health(self, kind: str) -> Handler:
        async def get(request: web.Request) -> web.StreamResponse:
            document = self._document(kind, request.query.getall("tag", []))
            return json_reply(document, "application/json", 200 if document["healthy"] else 503)

        return get

    def _document(self, kind: str, tags: list[str]) -> dict[str, Any]:
        """As the checks stand; whoever asks for what is not healthy leaves a line in the log."""
        document = self._health.document(kind, tags)
        if not document["healthy"]:
            reason = ("reason", document["checks"])
            self._log.write("WARN", _TELLERS[kind], "failing check", ("namespace", kind), reason)
        return document

    def _rpc(self, call: Call) -> Handler:
        async def post(request: web.Request) -> web.StreamResponse:
            return await node_answer(request, call)

        return post

    def _health_call(self, method: str, params: dict[str, Any]) -> Any:
        service, _, kind = method.partition(".")
        if service != "health" or kind not in {"health", "readiness", "liveness"}:
            raise LookupError(method)
        return self._document(kind, list(params.get("tags") or ()))

    def _info_call(self, method: str, params: dict[str, Any]) -> Any:
        return info_call(self._state, self._version, method, params, self._clock.now())

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        if not self._state.plan.metrics:
            return _not_found()
        text = metrics_text(self._state, self._health)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _chain_api(self, request: web.Request) -> web.StreamResponse:
        chain = request.match_info["chain"]
        if chain not in self._state.chains or request.path.endswith("/rpc") is not (chain == "C"):
            return _not_found()
        if not self._state.bootstrapped:
            return web.Response(status=503, text=_BOOTSTRAPPING + "\n")

        def call(method: str, params: Any) -> Any:
            return chain_call(self._state, chain, method, params)

        return await (evm_answer if chain == "C" else node_answer)(request, call)


def runner_of(routes: Routes, state: NodeState, before: list[Middleware]) -> web.AppRunner:
    """Of a process whose answers these are. before: what stands before all of the node's own."""
    app = web.Application(middlewares=[*before, its_headers, host_check(state)])
    app.add_routes(routes.table())
    # A process that is gone answers nobody: handlers are not waited for. (Zero would mean for ever
    # to aiohttp.)
    return web.AppRunner(app, access_log=None, shutdown_timeout=0.001)


async def _nothing(_: web.Request) -> web.StreamResponse:
    return _not_found()


def _not_found() -> web.Response:
    return web.Response(status=404, text="404 page not found\n")
