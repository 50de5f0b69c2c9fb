"""An API server over a population, as small as one can be that says what a real one says of lists,
watches, guarded patches of Deployments, one Lease and rights. Each request is counted.
"""

import asyncio
import json
from collections import Counter

from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.apiserver.jsonpatch import apply_json_patch
from controller.simulator.apiserver.statuses import StatusError
from tests.bench.population import Population

_BOOKMARKS = 60.0  # seconds [13]


class QuietApi:
    """counts: requests, by words such as `list deployments`."""

    def __init__(self, people: Population, clock: Clock, counts: Counter[str]) -> None:
        self._counts = counts
        self._clock = clock
        self._names = {
            json.loads(raw.deployment)["metadata"]["name"]: place
            for place, raw in enumerate(people.raw)
        }
        self._objects = {
            "deployments": [raw.deployment for raw in people.raw],
            "services": [raw.service for raw in people.raw],
            "pods": [raw.pod for raw in people.raw if raw.pod],
        }
        self._lease: dict[str, dict[str, str]] = {}
        self._version = 10_000_000
        self._ears: set[asyncio.Queue[bytes]] = set()  # of watches of Deployments

    def routes(self) -> list[web.RouteDef]:
        apps, core = "/apis/apps/v1/namespaces/{ns}", "/api/v1/namespaces/{ns}"
        leases = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
        return [
            web.get(apps + "/{kind:deployments}", self._collection),
            web.get(apps + "/deployments/{name}", self._read),
            web.patch(apps + "/deployments/{name}", self._patch),
            web.get(core + "/{kind:pods|services}", self._collection),
            web.get(core, self._namespace),
            web.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self._review),
            web.get(leases + "/{name}", self._read_lease),
            web.post(leases, self._write_lease),
            web.put(leases + "/{name}", self._write_lease),
        ]

    async def _collection(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if "watch" in request.query:
            return await self._watch(request, kind)
        self._counts[f"list {kind}"] += 1
        found, begin = self._objects[kind], int(request.query.get("continue", "0"))
        end = begin + int(request.query["limit"])
        more = str(end) if end < len(found) else ""
        head = json.dumps({"resourceVersion": str(self._version), "continue": more})
        body = b",".join(found[begin:end])
        return _json(b'{"metadata":' + head.encode() + b',"items":[' + body + b"]}")

    async def _watch(self, request: web.Request, kind: str) -> web.StreamResponse:
        self._counts[f"watch {kind}"] += 1
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        end = self._clock.monotonic() + float(request.query["timeoutSeconds"])
        events = asyncio.Queue[bytes]()
        if kind == "deployments":
            self._ears.add(events)
        try:
            while (left := end - self._clock.monotonic()) > 0:
                try:
                    line = await self._clock.within(min(left, _BOOKMARKS), events.get())
                except TimeoutError:
                    mark = {"metadata": {"resourceVersion": str(self._version)}}
                    line = json.dumps({"type": "BOOKMARK", "object": mark}).encode()
                await response.write(line + b"\n")
            await response.write_eof()
        except ConnectionError:
            pass  # whoever watched has gone
        finally:
            self._ears.discard(events)
        return response

    async def _read(self, request: web.Request) -> web.Response:
        self._counts["get deployment"] += 1
        return _json(self._objects["deployments"][self._names[request.match_info["name"]]])

    async def _patch(self, request: web.Request) -> web.Response:
        self._counts["patch deployment"] += 1
        place = self._names[request.match_info["name"]]
        found = json.loads(self._objects["deployments"][place])
        try:
            found = apply_json_patch(found, await request.json())
        except StatusError as error:
            return web.json_response({"kind": "Status", "code": error.code}, status=error.code)
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)
        found["metadata"]["generation"] += 1  # also where only metadata changed: it does no harm
        text = json.dumps(found, separators=(",", ":")).encode()
        self._objects["deployments"][place] = text
        for events in self._ears:
            events.put_nowait(b'{"type":"MODIFIED","object":' + text + b"}")
        return _json(text)

    async def storm(self, count: int) -> dict[str, str]:
        """So many changes of Deployments, each one event of one HTTP chunk; returns, by name, the
        version that each has in the end.
        """
        places, found = list(self._names.items()), self._objects["deployments"]
        versions = {}
        for number in range(count):
            name, place = places[number % len(places)]
            self._version += 1
            head, _, rest = found[place].partition(b'"resourceVersion":"')
            tail = rest[rest.index(b'"') :]
            found[place] = b'%s"resourceVersion":"%d%s' % (head, self._version, tail)
            versions[name] = str(self._version)
            for events in self._ears:
                events.put_nowait(b'{"type":"MODIFIED","object":' + found[place] + b"}")
            if number % 500 == 0:
                await asyncio.sleep(0)  # what is sent is not kept
        return versions

    async def _namespace(self, request: web.Request) -> web.Response:
        self._counts["get namespace"] += 1
        return web.json_response({"metadata": {"name": request.match_info["ns"], "uid": "bench"}})

    async def _review(self, _: web.Request) -> web.Response:
        self._counts["review of a right"] += 1
        return web.json_response({"status": {"allowed": True}}, status=201)

    async def _read_lease(self, _: web.Request) -> web.Response:
        self._counts["read lease"] += 1
        if self._lease:
            return web.json_response(self._lease)
        return web.json_response({"kind": "Status", "code": 404}, status=404)

    async def _write_lease(self, request: web.Request) -> web.Response:
        self._counts["write lease"] += 1
        self._version += 1
        self._lease = await request.json()
        self._lease["metadata"]["resourceVersion"] = str(self._version)
        return web.json_response(self._lease)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
