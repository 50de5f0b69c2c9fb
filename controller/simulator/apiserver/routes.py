"""One request in, one answer out: who asks, what for, and which part of the server answers."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import orjson
from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.apiserver import bodies, discovery, logs, paths
from controller.simulator.apiserver.auth import Access, Gate
from controller.simulator.apiserver.deletes import Deletes
from controller.simulator.apiserver.evictions import evict
from controller.simulator.apiserver.followed_log import FollowSource, follow
from controller.simulator.apiserver.lines import EndOfStream, Lines
from controller.simulator.apiserver.listing import Listing
from controller.simulator.apiserver.objects import Objects
from controller.simulator.apiserver.paths import Target
from controller.simulator.apiserver.proxy import PodProxy
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.selectors import selected_name
from controller.simulator.apiserver.server_faults import ErrorEvent, StaleList
from controller.simulator.apiserver.statuses import StatusError, no_such_path
from controller.simulator.apiserver.storage import Storage
from controller.simulator.apiserver.views import View
from controller.simulator.apiserver.watch import Watch, WatchSettings
from controller.simulator.apiserver.writes import Writes
from controller.simulator.faults import Faults, action_in_hand

_HEADERS = {"Cache-Control": "no-cache, private", "Content-Type": "application/json"}

# Bodies above this many bytes are compressed for clients that take gzip, as the real server does.
_COMPRESS = 128 * 1024

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


# Text of a container's log: (namespace, pod, container) to text. May raise StatusError, such as 400
# for a container that has not been started.
LogSource = Callable[[str, str, str], str]


@dataclass
class Served:
    """The parts of a server that requests reach."""

    storage: Storage
    objects: Objects
    gate: Gate
    proxy: PodProxy
    logs: LogSource
    previous_logs: LogSource  # of the container before
    followed: FollowSource
    faults: Faults


class Routes:
    """The handler of a server, for all paths."""

    def __init__(
        self,
        served: Served,
        clock: Clock,
        random: Random,
        watch: WatchSettings,
    ) -> None:
        self._served = served
        self._clock = clock
        self._random = random
        self._settings = watch
        self._listing = Listing(served.storage, clock)
        self._writes = Writes(served.storage, served.objects)
        self._deletes = Deletes(served.storage, served.objects)
        self._watches: set[Watch] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except StatusError as failure:
            headers = {**_HEADERS}
            if failure.retry_after is not None:
                headers["Retry-After"] = str(failure.retry_after)
            body = orjson.dumps(failure.body) + b"\n"
            return web.Response(status=failure.code, body=body, headers=headers)

    def close_watches(self) -> None:
        for watch in list(self._watches):
            watch.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        gate = self._served.gate
        user = gate.user(request.headers.get("Authorization", ""))
        if request.path == _REVIEWS and request.method == "POST":
            return _json(201, gate.review(user, await bodies.read_object(request)), request)
        target = paths.find(request.path)
        if target is None:
            if request.path in {"/healthz", "/livez", "/readyz"}:
                return web.Response(text="ok")
            return _json(200, discovery.answer(request.path), request)
        verb = target.verb(request.method, request.query)
        resource = target.resource
        full = f"{resource.plural}/{target.subresource}" if target.subresource else resource.plural
        namespace = target.namespace or (target.name if resource.plural == "namespaces" else "")
        name = target.name
        if verb in {"list", "watch"}:
            name = selected_name(request.query.get("fieldSelector", ""))
        gate.check(Access(user, verb, resource.group, full, namespace, name), resource)
        return await self._dispatch(request, target, verb)

    async def _dispatch(
        self, request: web.Request, target: Target, verb: str
    ) -> web.StreamResponse:
        if target.subresource == "proxy":
            pod = self._served.objects.get("pods", target.namespace, target.name)
            return await self._served.proxy.forward(request, pod, target.reference, target.rest)
        if target.subresource == "eviction":
            return await self._evict(request, target)
        return await self._act(request, target, verb)

    async def _act(self, request: web.Request, target: Target, verb: str) -> web.StreamResponse:
        """A verb on objects themselves."""
        match verb:
            case "get":
                return await self._get(request, target)
            case "list":
                return await self._list(request, target)
            case "watch":
                return await self._watch(request, target)
            case "create":
                status, obj = await self._writes.create(request, target)
            case "update":
                status, obj = await self._writes.update(request, target)
            case "patch":
                status, obj = await self._writes.patch(request, target)
            case "delete":
                status, obj = await self._deletes.delete(request, target)
            case "deletecollection":
                status, obj = await self._deletes.delete_collection(request, target)
            case _:
                raise no_such_path()
        return _json(status, obj, request)

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.subresource == "scale":
            return _json(200, self._writes.scale(target), request)
        obj = self._served.objects.get(target.resource.plural, target.namespace, target.name)
        if target.subresource == "log":
            return await self._log(request, target, obj)
        return _json(200, self._view(request, target).one(obj), request)

    async def _log(self, request: web.Request, target: Target, pod: Object) -> web.StreamResponse:
        options = logs.read_options(request.query, target.name)
        container = logs.container_of(pod, request.query.get("container", ""))
        source = self._served.previous_logs if options.previous else self._served.logs
        whose = (target.namespace, target.name, container)
        cut = logs.LogCut(options, pod)
        first = cut.first(source(*whose))
        if not options.follow:
            return web.Response(body=first, content_type="text/plain")
        follower = self._served.followed(*whose, options.previous)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        lines = Lines(request, response, self._served.faults)
        await follow(lines, response, first, cut, follower, self._clock)
        return response

    async def _evict(self, request: web.Request, target: Target) -> web.Response:
        body = await bodies.read_object(request)
        evict(self._served.objects, target.namespace, target.name, body.get("deleteOptions"))
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
        return _json(201, done | {"status": "Success", "code": 201}, request)

    def _view(self, request: web.Request, target: Target) -> View:
        return View(
            target.resource,
            request.headers.get("Accept", ""),
            self._clock.now,
            request.query.get("includeObject", "Metadata"),
        )

    async def _list(self, request: web.Request, target: Target) -> web.Response:
        query = dict(request.query)
        action = action_in_hand()
        if isinstance(action, StaleList):
            query |= {"resourceVersion": str(action.version), "resourceVersionMatch": "Exact"}
        view = self._view(request, target)
        answer = await self._listing.list(target.resource, target.namespace, query, view)
        return _json(200, answer, request)

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        view = self._view(request, target)
        watch = Watch(self._served.storage, target.resource, target.namespace, request.query, view)
        response = web.StreamResponse(headers=_HEADERS)
        lines = Lines(request, response, self._served.faults)
        action = action_in_hand()
        fault = action if isinstance(action, ErrorEvent) else None
        settings = self._settings
        # Before the headers: who has seen them may rely on hearing what is committed after [16].
        watch.begin(self._random, settings.buffer)
        self._watches.add(watch)
        try:
            await response.prepare(request)
            await watch.run(lines, self._clock, self._random, settings.bookmark_interval, fault)
            await response.write_eof()
        except (EndOfStream, ConnectionError):
            pass  # the client has gone, or a fault has ended the stream for it
        finally:
            watch.forget()
            self._watches.discard(watch)
        return response


def _json(status: int, body: Object, request: web.Request) -> web.Response:
    raw = orjson.dumps(body) + b"\n"
    response = web.Response(status=status, body=raw, headers=_HEADERS)
    if len(raw) > _COMPRESS and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response
