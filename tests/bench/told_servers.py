"""A registry and nodes that do as they are told."""

import hashlib
import time
from collections.abc import Callable

import orjson
from aiohttp import web

from tests.bench.moments import Moments
from tests.bench.told_node import health, told

REPOSITORY = "avaplatform/avalanchego"
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class ToldServers:
    """moments: of targets that wait for something; what is answered to them is noted there."""

    def __init__(self, moments: dict[str, Moments]) -> None:
        self.moments = moments
        self.ready: set[str] = set()  # names of targets
        self.versions: dict[str, int] = {}  # tag to how often it has moved
        self.on_head: Callable[[str], bool] = lambda _tag: False  # whether its tag moves now
        self.followers: dict[str, str] = {}  # tag to the name that alone follows it
        self.url = ""
        self._indexes: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v2/", self._welcome)
        app.router.add_get(f"/v2/{REPOSITORY}/manifests/{{reference}}", self._manifest)
        app.router.add_route("*", "/nodes/{name}/{path:.*}", self._node)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def build(self, tag: str) -> str:
        number = self.versions.get(tag, 0)
        return "sha256:" + hashlib.sha256(f"{tag} {number}".encode()).hexdigest()

    def _digest(self, tag: str) -> str:
        of = {"architecture": "amd64", "os": "linux"}
        entry = {"mediaType": _MANIFEST, "digest": self.build(tag), "size": 1, "platform": of}
        body = orjson.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]})
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self._indexes[digest] = body
        return digest

    async def _manifest(self, request: web.Request) -> web.Response:
        began, reference = time.perf_counter(), request.match_info["reference"]
        if reference.startswith("sha256:"):
            body = self._indexes.get(reference)
            if body is None:
                return web.Response(status=404)
            return web.Response(body=body, content_type=_INDEX)
        moved = request.method == "HEAD" and self.on_head(reference)
        if moved:
            self.versions[reference] = self.versions.get(reference, 0) + 1
        digest = self._digest(reference)
        headers = {"Docker-Content-Digest": digest, "Content-Type": _INDEX}
        if moved:
            name = self.followers[reference]
            self.moments[name] = Moments(told=began)
            self.moments[name].elsewhere = time.perf_counter() - began
        return web.Response(headers=headers, body=self._indexes[digest])

    async def _node(self, request: web.Request) -> web.Response:
        began, name = time.perf_counter(), request.match_info["name"]
        path = request.match_info["path"]
        if path.startswith("ext/health"):
            ready = name in self.ready
            answer = web.Response(body=health(ready), status=200 if ready else 503)
        elif request.method == "POST":
            asked = orjson.loads(await request.read())
            answer = web.Response(body=told(asked))
        else:
            answer = web.Response(status=404)
        found = self.moments.get(name)
        if found is not None and not found.accepted:
            found.elsewhere += time.perf_counter() - began
        return answer

    async def _welcome(self, _: web.Request) -> web.Response:
        return web.Response(body=b"{}")
