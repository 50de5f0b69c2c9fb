"""The registry's HTTP, and pushes from within."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.faults import Faults
from controller.simulator.registry.auth import TokenRules, TokenServer
from controller.simulator.registry.catalogue import Catalogue
from controller.simulator.registry.listing import TagListing
from controller.simulator.registry.quota import PullQuota
from controller.simulator.registry.sending import send_manifest
from controller.simulator.registry.simulated_build import (
    BOTH,
    CONFIG,
    DOCKER_CONFIG,
    DOCKER_LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    Blob,
)

# What a CDN signs: bytes that a client which writes URLs anew would write otherwise.
_SIGNATURE = "expires=%7e1&key=a%2Fb+c&signature=0123%3D%3D"


@dataclass
class Counts:
    """Requests that reached the registry, by kind."""

    tokens: int = 0
    heads: int = 0  # of manifests
    gets: int = 0  # of manifests
    blobs: int = 0
    listings: int = 0  # of Docker Hub's own API


class SimulatedRegistry(Catalogue):
    """`async with SimulatedRegistry(clock) as registry`: real servers on 127.0.0.1.

    Blobs come from a second server, as from a CDN: it refuses requests that still carry
    credentials [74], or whose URL is not byte for byte the signed one; with `redirects` False they
    come from the registry itself. Docker Hub's list of tags is served beside the registry. `faults`
    meet every request but the CDN's.
    """

    def __init__(self, clock: Clock, rules: TokenRules | None = None) -> None:
        super().__init__(clock)
        self.redirects = True
        self.rules = rules or TokenRules()
        self.quota = PullQuota()
        self.faults = Faults()
        self.counts = Counts()
        self.tokens = TokenServer(self.rules, "registry.simulator", clock)
        self.url = ""
        self.cdn_url = ""
        self._listeners: list[Callable[[], None]] = []
        self._runners: list[web.AppRunner] = []

    async def __aenter__(self) -> "SimulatedRegistry":
        front = web.Application(middlewares=[self._told, self.faults.middleware])
        listing = TagListing(self, self.rules, self.quota)
        front.add_routes(
            [
                web.get("/v2/namespaces/{namespace}/repositories/{name}/tags", listing.get),
                web.get("/v2/", self._ping),
                web.get("/token", self._token),
                web.route("*", "/v2/{name:.+}/manifests/{reference}", self._manifest),
                web.get("/v2/{name:.+}/blobs/{digest}", self._blob),
            ]
        )
        cdn = web.Application()
        cdn.add_routes([web.get("/blobs/{digest}", self._cdn)])
        self.url = await self._serve(front)
        self.cdn_url = await self._serve(cdn)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.faults.clear()
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._runners.clear()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls after every request and every push; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _changed(self) -> None:
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.001)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    @web.middleware
    async def _told(
        self, request: web.Request, handler: Callable[[web.Request], object]
    ) -> web.StreamResponse:
        counts = self.counts
        if request.path == "/token":
            counts.tokens += 1
        elif request.path.startswith("/v2/namespaces/") and request.path.endswith("/tags"):
            counts.listings += 1
        elif "/manifests/" in request.path:
            counts.heads += request.method == "HEAD"
            counts.gets += request.method == "GET"
        elif "/blobs/" in request.path:
            counts.blobs += 1
        try:
            return await handler(request)  # type: ignore[misc,no-any-return]
        finally:
            self._tell()

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        if self.rules.enabled and "Authorization" not in request.headers:
            return self._unauthorized("")
        return web.Response(text="{}", content_type="application/json")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        return self.tokens.grant(request)

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        name, reference = request.match_info["name"], request.match_info["reference"]
        refused = self.quota.refuse(request.method) or self._refuse(request, name)
        if refused is not None:
            return refused
        digest = self.resolve(name, reference)
        if digest is None or self._blobs[digest].media_type in {CONFIG, DOCKER_CONFIG}:
            return _error(
                404, "MANIFEST_UNKNOWN", "manifest unknown", {"unknown manifest": reference}
            )
        blob = self._acceptable(self._blobs[digest], request)
        if isinstance(blob, web.Response):
            return blob
        return await send_manifest(request, blob, self.quota)

    def _acceptable(self, blob: Blob, request: web.Request) -> Blob | web.Response:
        """What of it the client takes, by the rules of [72]; `*/*` is not enough."""
        accepted = {
            part.partition(";")[0].strip()
            for value in request.headers.getall("Accept", [])
            for part in value.split(",")
        }
        if blob.media_type in accepted:
            return blob
        if blob.media_type == DOCKER_LIST:
            return self._blobs[self._children[blob.digest][BOTH[0]]]
        if blob.media_type in {OCI_INDEX, OCI_MANIFEST}:
            what = "index" if blob.media_type == OCI_INDEX else "manifest"
            plural = "indexes" if what == "index" else "manifests"
            text = f"OCI {what} found, but accept header does not support OCI {plural}"
            return _error(404, "MANIFEST_UNKNOWN", text)
        return blob

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        name, digest = request.match_info["name"], request.match_info["digest"]
        refused = self._refuse(request, name)
        if refused is not None:
            return refused
        if digest not in self._contents.get(name, ()):
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        if not self.redirects:
            return web.Response(body=self._blobs[digest].raw)
        place = {"Location": f"{self.cdn_url}/blobs/{digest}?{_SIGNATURE}"}
        return web.Response(status=307, headers=place)

    async def _cdn(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            return _storage_error(400, "InvalidArgument")
        if request.raw_path.partition("?")[2] != _SIGNATURE:
            return _storage_error(403, "SignatureDoesNotMatch")
        return web.Response(body=self._blobs[request.match_info["digest"]].raw)

    def _refuse(self, request: web.Request, name: str) -> web.Response | None:
        header = request.headers.get("Authorization")
        if self.tokens.allows(header, name):
            return None
        status = self.rules.stale_gets if header else self.rules.stranger_gets
        if status != 401:
            return _error(status, "DENIED", "requested access to the resource is denied")
        return self._unauthorized(name, error="invalid_token" if header else "")

    def _unauthorized(self, name: str, error: str = "") -> web.Response:
        response = _error(401, "UNAUTHORIZED", "authentication required")
        challenge = self.tokens.challenge(f"{self.url}/token", name, error=error)
        response.headers["WWW-Authenticate"] = challenge
        return response


def _error(status: int, code: str, message: str, detail: object = None) -> web.Response:
    body = orjson.dumps({"errors": [{"code": code, "message": message, "detail": detail}]})
    return web.Response(status=status, body=body, content_type="application/json")


def _storage_error(status: int, code: str) -> web.Response:
    text = f"<Error><Code>{code}</Code></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")
