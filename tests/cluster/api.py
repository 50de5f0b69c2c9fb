"""The API server as a person and a kubelet use it: the same requests to the simulator and to a real
one, and a view of one namespace that watches keep.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import orjson

from controller.base.errors import NotFound
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation

T = TypeVar("T")
Object = dict[str, Any]

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PREFIXES = {
    "namespaces": "/api/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "events": "/apis/events.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
PERSON = "kubectl"  # field manager of what people write


class Api:
    """Requests within one namespace."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self.client = client
        self.namespace = namespace

    async def get(self, plural: str, name: str) -> Object:
        return await self._send("GET", self._path(plural, name))

    async def create(self, plural: str, body: Object, manager: str = PERSON) -> Object:
        path = self._path(plural)
        return await self._send("POST", path, body, query=(("fieldManager", manager),))

    async def patch(
        self,
        plural: str,
        name: str,
        body: Object,
        *,
        kind: str = MERGE,
        manager: str = PERSON,
        subresource: str = "",
    ) -> Object:
        path = self._path(plural, name) + (f"/{subresource}" if subresource else "")
        query = (("fieldManager", manager),)
        return await self._send("PATCH", path, body, query=query, content_type=kind)

    async def delete(self, plural: str, name: str) -> None:
        """One that is gone is no mistake."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            await self._send("DELETE", self._path(plural, name), body)
        except NotFound:
            return

    async def list(self, plural: str) -> Object:
        return await self._send("GET", self._path(plural))

    def watch(self, plural: str, version: str) -> Call:
        query = (("watch", "true"), ("resourceVersion", version))
        return Call(self._operation("watch"), "GET", self._path(plural), query)

    def _path(self, plural: str, name: str = "") -> str:
        where = "" if plural == "namespaces" else f"/namespaces/{self.namespace}"
        return f"{PREFIXES[plural]}{where}/{plural}" + (f"/{name}" if name else "")

    def _operation(self, verb: str) -> Operation:
        return Operation(verb, "objects of a test", self.namespace)

    async def _send(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: tuple[tuple[str, str], ...] = (),
        content_type: str = JSON,
    ) -> Object:
        raw = None if body is None else orjson.dumps(body)
        call = Call(self._operation(method.lower()), method, path, query, raw, content_type)
        found: Object = orjson.loads(await self.client.fetch(call))
        return found


class View:
    """What is in the namespace now, by plural and name, as far as its watches have told."""

    def __init__(self, api: Api, plurals: Iterable[str]) -> None:
        self._api = api
        self._objects: dict[str, dict[str, Object]] = {plural: {} for plural in plurals}
        self._changed: set[asyncio.Event] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "View":
        for plural in self._objects:
            version = await self._list(plural)
            task = asyncio.create_task(self._keep(plural, version), name=f"view of {plural}")
            self._tasks.append(task)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def all(self, plural: str) -> list[Object]:
        return list(self._objects[plural].values())

    def get(self, plural: str, name: str) -> Object | None:
        return self._objects[plural].get(name)

    def touch(self) -> None:
        """Something else changed that a condition may be about."""
        for event in self._changed:
            event.set()

    async def until(
        self, condition: Callable[[], T], within: float, standing: Callable[[], str]
    ) -> T:
        """Waits for something true, and returns it. It is asked again after every change.

        within: seconds, a generous limit and never a pace; then AssertionError says how it stands.
        """
        changed = asyncio.Event()
        self._changed.add(changed)
        try:
            async with asyncio.timeout(within):
                while not (value := condition()):
                    broken = [task for task in self._tasks if task.done()]
                    assert not broken, f"the test's own watch ended: {broken}"
                    await changed.wait()
                    changed.clear()
                return value
        except TimeoutError as error:
            raise AssertionError(f"not within {within:g} s: {standing()}") from error
        finally:
            self._changed.discard(changed)

    async def _list(self, plural: str) -> str:
        found = await self._api.list(plural)
        items = found["items"] or []
        self._objects[plural] = {item["metadata"]["name"]: item for item in items}
        self.touch()
        version: str = found["metadata"]["resourceVersion"]
        return version

    async def _keep(self, plural: str, version: str) -> None:
        while True:
            async with self._api.client.stream(self._api.watch(plural, version)) as stream:
                rest = b""
                while chunk := await stream.read():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in filter(None, lines):
                        self._hear(plural, orjson.loads(line))
            version = await self._list(plural)

    def _hear(self, plural: str, event: Object) -> None:
        obj = event["object"]
        if event["type"] in {"ADDED", "MODIFIED"}:
            self._objects[plural][obj["metadata"]["name"]] = obj
        elif event["type"] == "DELETED":
            self._objects[plural].pop(obj["metadata"]["name"], None)
        self.touch()
