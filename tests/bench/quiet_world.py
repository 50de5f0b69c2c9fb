"""What a controller at rest talks to, as HTTP servers at one address: an API server whose objects
nobody else changes, a registry whose tags stay, and nodes that bootstrap. Each request is counted
by what it is for.
"""

import json
from collections import Counter
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

from aiohttp import web
from yarl import URL

from controller.base.clock import Clock
from controller.simulator.node import Plan, Progress
from controller.simulator.node.inside import Inside
from controller.simulator.node.log import NodeLog
from controller.simulator.node.routes import Routes
from controller.simulator.node.settings import NodeSettings, Version
from controller.simulator.node.state import NodeState
from tests.bench.population import NAMESPACE, Population
from tests.bench.quiet_api import QuietApi

_CHECKS = 30.0  # seconds between two runs of a node's checks
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_OCI_INDEX = "application/vnd.oci.image.index.v1+json"


class QuietWorld:
    """counts: requests, by words such as `list deployments`, `HEAD tag`, `node /ext/info`."""

    def __init__(self, people: Population, clock: Clock) -> None:
        self.counts: Counter[str] = Counter()
        self.url = ""
        self._clock = clock
        bodies = {tag: _index(build) for tag, (_, build) in people.tags.items()}
        self._tags = {tag: f"sha256:{sha256(body).hexdigest()}" for tag, body in bodies.items()}
        self._indexes = {self._tags[tag]: body for tag, body in bodies.items()}
        self._node = _Node(clock)
        app = web.Application()
        app.add_routes(QuietApi(people, clock, self.counts).routes())
        app.add_routes(
            [
                web.route("*", "/v2/{repository:.+}/manifests/{reference}", self._manifest),
                web.route("*", "/nodes/{pod}/{rest:.*}", self._ask_node),
                web.route("*", "/{rest:.*}", self._other),
            ]
        )
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.001)

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def kubeconfig(self, path: Path) -> Path:
        named = {"cluster": "bench", "user": "bench", "namespace": NAMESPACE}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bench", "cluster": {"server": self.url}}],
            "users": [{"name": "bench", "user": {}}],
            "contexts": [{"name": "bench", "context": named}],
            "current-context": "bench",
        }
        path.write_text(json.dumps(config))
        return path

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        """Of this world's time, by which the controller judges its own clock."""
        response.headers["Date"] = format_datetime(self._clock.now(), usegmt=True)

    async def _manifest(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        tagged = reference in self._tags
        if not tagged and reference not in self._indexes:
            return await self._other(request)
        self.counts[f"{request.method} {'tag' if tagged else 'index'}"] += 1
        digest = self._tags[reference] if tagged else reference
        headers = {"Docker-Content-Digest": digest, "Content-Type": _OCI_INDEX}
        return web.Response(body=self._indexes[digest], headers=headers)

    async def _ask_node(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["rest"]
        self.counts[f"node {path}"] += 1
        return await self._node.answer(request, path)

    async def _other(self, request: web.Request) -> web.Response:
        build = "/manifests/sha256:" in request.path or request.path == "/v2/"
        self.counts["GET build" if build else f"{request.method} {request.path}"] += 1
        return web.json_response({"kind": "Status", "code": 404}, status=404)


def _index(build: str) -> bytes:
    platform = {"os": "linux", "architecture": "amd64"}
    entry = {"digest": build, "platform": platform, "mediaType": _OCI_MANIFEST, "size": 1}
    index = {"schemaVersion": 2, "mediaType": _OCI_INDEX, "manifests": [entry]}
    return json.dumps(index).encode()


class _Node:
    """One of the simulator's nodes, which bootstraps for a month and answers for all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        settings = NodeSettings(network="fuji")
        state = NodeState(settings, Plan(bootstrap_seconds=30 * 86400.0), Progress())
        log = NodeLog(clock)
        self._inside = Inside(state, log, Version(), clock)
        self._inside.begin(clean=True)
        self._inside.serve(9650)
        self._checked = clock.monotonic()
        self._app = web.Application()
        self._app.add_routes(Routes(state, self._inside.health, Version(), log, clock).table())

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        if self._clock.monotonic() - self._checked >= _CHECKS:
            self._checked = self._clock.monotonic()
            self._inside.evaluate()
        inner = request.clone(rel_url=URL(path))
        match = await self._app.router.resolve(inner)
        return await match.handler(inner)
