"""DELETE of one object and of a collection."""

from aiohttp import web

from controller.simulator.apiserver import bodies
from controller.simulator.apiserver.objects import Objects
from controller.simulator.apiserver.paths import Target
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.selectors import matcher
from controller.simulator.apiserver.statuses import details_of
from controller.simulator.apiserver.storage import Storage
from controller.simulator.apiserver.views import to_view


class Deletes:
    """Answers deletions with (status, object)."""

    def __init__(self, storage: Storage, objects: Objects) -> None:
        self._storage = storage
        self._objects = objects

    async def delete(self, request: web.Request, target: Target) -> tuple[int, Object]:
        """The last state where the object stays for a while, a Status where it is gone."""
        resource = target.resource
        options = await _delete_options(request)
        state, gone = self._objects.delete(resource.plural, target.namespace, target.name, options)
        if not gone or resource.plural == "pods":
            return 200, to_view(resource, state)
        return 200, {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {**details_of(resource, target.name), "uid": state["metadata"]["uid"]},
        }

    async def delete_collection(self, request: web.Request, target: Target) -> tuple[int, Object]:
        resource, query = target.resource, request.query
        options = await _delete_options(request)
        match = matcher(query.get("labelSelector", ""), query.get("fieldSelector", ""), resource)
        deleted = []
        for obj in self._storage.objects(resource.plural, target.namespace):
            if match is None or match(obj):
                metadata = obj["metadata"]
                state, _ = self._objects.delete(
                    resource.plural, metadata.get("namespace", ""), metadata["name"], options
                )
                deleted.append(to_view(resource, state))
        return 200, {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.group_version,
            "metadata": {"resourceVersion": str(self._storage.version)},
            "items": deleted,
        }


async def _delete_options(request: web.Request) -> Object:
    options: Object = {}
    if request.body_exists:
        options = await bodies.read_object(request)
    if "propagationPolicy" in request.query:
        options["propagationPolicy"] = request.query["propagationPolicy"]
    if request.query.get("gracePeriodSeconds", "").isdigit():
        options["gracePeriodSeconds"] = int(request.query["gracePeriodSeconds"])
    if bodies.is_dry_run(request.query):
        options["dryRun"] = ["All"]
    return options
