"""POST, PUT and PATCH of one object, of its status and of its scale."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from controller.simulator.apiserver import bodies
from controller.simulator.apiserver.apply import apply_configuration
from controller.simulator.apiserver.decoding import check_types, refuse_mistyped
from controller.simulator.apiserver.jsonpatch import apply_json_patch
from controller.simulator.apiserver.managed_fields import Manager
from controller.simulator.apiserver.merge import apply_merge_patch
from controller.simulator.apiserver.objects import Objects, Write
from controller.simulator.apiserver.paths import Target
from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.selectors import selector_text
from controller.simulator.apiserver.statuses import (
    Cause,
    StatusError,
    bad_request,
    invalid,
    rejected_patch,
)
from controller.simulator.apiserver.storage import Storage
from controller.simulator.apiserver.strategic import apply_strategic_patch
from controller.simulator.apiserver.views import from_view, to_view

# Kinds that an update makes where they are missing, and that it must name a version for.
_CREATED_BY_UPDATE = frozenset({"leases", "events"})

_PATCHERS: dict[str, Callable[[Any, Any], Any]] = {
    bodies.JSON_PATCH: apply_json_patch,
    bodies.MERGE_PATCH: apply_merge_patch,
    bodies.STRATEGIC_PATCH: apply_strategic_patch,
}


class Writes:
    """Answers writes with (status, object)."""

    def __init__(self, storage: Storage, objects: Objects) -> None:
        self._storage = storage
        self._objects = objects

    async def create(self, request: web.Request, target: Target) -> tuple[int, Object]:
        resource = target.resource
        body = await bodies.read_object(request)
        check_identity(body, target)
        return 201, self._create(body, resource, write_of(request, target))

    async def update(self, request: web.Request, target: Target) -> tuple[int, Object]:
        resource = target.resource
        body = await bodies.read_object(request)
        if target.subresource == "scale":
            return 200, self._scale(request, target, lambda _: body)
        check_identity(body, target)
        if resource.plural in _CREATED_BY_UPDATE:
            if self._storage.peek(resource.plural, target.namespace, target.name) is None:
                return 201, self._create(body, resource, write_of(request, target))
            if not body["metadata"].get("resourceVersion"):
                raise _version_required(resource, target.name)
        return 200, self._change(request, target, lambda _: body)

    async def patch(self, request: web.Request, target: Target) -> tuple[int, Object]:
        kind = bodies.patch_type(request)
        body = await bodies.read_json(request)
        if kind == bodies.APPLY_PATCH:
            return self._apply(request, target, body)
        patcher = _PATCHERS[kind]

        def patched(view: Object) -> Object:
            result = patcher(view, body)
            if why := check_types(result):
                raise _undecodable(why, result)
            checked: Object = result
            return checked

        if target.subresource == "scale":
            return 200, self._scale(request, target, patched)
        return 200, self._change(request, target, patched)

    def _create(self, body: Object, resource: Resource, write: Write) -> Object:
        body = from_view(resource, body)
        created = self._objects.create(resource.plural, body, write, resource=resource)
        return to_view(resource, created)

    def _change(
        self, request: web.Request, target: Target, change: Callable[[Object], Object]
    ) -> Object:
        resource = target.resource
        stored = self._objects.update(
            resource.plural,
            target.namespace,
            target.name,
            lambda old: from_view(resource, change(to_view(resource, old))),
            write_of(request, target),
            resource=resource,
        )
        return to_view(resource, stored)

    def _apply(self, request: web.Request, target: Target, body: Any) -> tuple[int, Object]:
        """Server-side apply; makes the object where it is missing [53]."""
        resource = target.resource
        if not isinstance(body, dict):
            raise bad_request("the object provided is unrecognized: not an object")
        check_identity(body, target)
        if "managedFields" in body["metadata"]:
            raise bad_request("metadata.managedFields must be nil")
        write = write_of(request, target)
        stored = self._storage.get(resource.plural, target.namespace, target.name)
        merged, entries = apply_configuration(
            # Not a blank object: its zero replicas would stand in the way of the default.
            stored or {"metadata": {}},
            from_view(resource, body),
            Manager(write.manager, "Apply", target.subresource),
            force=request.query.get("force") in {"1", "true"},
            resource=resource,
        )
        write = replace(write, entries=entries)
        if stored is None:
            return 201, self._create(to_view(resource, merged), resource, write)
        changed = self._objects.update(
            resource.plural,
            target.namespace,
            target.name,
            lambda _: merged,
            write,
            resource=resource,
        )
        return 200, to_view(resource, changed)

    def scale(self, target: Target) -> Object:
        """The Scale view (recordings 39, 40)."""
        return scale_of(self._objects.get(target.resource.plural, target.namespace, target.name))

    def _scale(
        self, request: web.Request, target: Target, change: Callable[[Object], Object]
    ) -> Object:
        def scaled(old: Object) -> Object:
            wanted = change(scale_of(old))
            old["spec"]["replicas"] = (wanted.get("spec") or {}).get("replicas", 0)
            version = (wanted.get("metadata") or {}).get("resourceVersion")
            if version:
                old["metadata"]["resourceVersion"] = version
            return old

        return scale_of(
            self._objects.update(
                target.resource.plural,
                target.namespace,
                target.name,
                scaled,
                write_of(request, target),
            )
        )


def write_of(request: web.Request, target: Target) -> Write:
    """Who writes, by which path, and whether it counts."""
    kind = {"PATCH": "PatchOptions", "POST": "CreateOptions"}.get(request.method, "UpdateOptions")
    return Write(
        bodies.manager_of(request, kind), target.subresource, bodies.is_dry_run(request.query)
    )


def _version_required(resource: Resource, name: str) -> StatusError:
    cause = Cause(
        "FieldValueInvalid",
        "Invalid value: 0: must be specified for an update",
        "metadata.resourceVersion",
    )
    return invalid(resource.kind, resource.group, name, [cause])


def check_identity(body: Object, target: Target) -> None:
    """Type, namespace and name must be those of the path; missing ones are filled in."""
    resource = target.resource
    refuse_mistyped(body)
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion")
    if kind != resource.kind or (version or resource.group_version) != resource.group_version:
        raise bad_request(
            f"{kind} in version {version or ''!s} cannot be handled as a {resource.kind}"
        )
    metadata = body.setdefault("metadata", {})
    if resource.namespaced:
        if metadata.get("namespace") not in {None, "", target.namespace}:
            raise bad_request(
                f"the namespace of the provided object does not match the namespace sent on the "
                f"request (was {metadata['namespace']}, expected {target.namespace})"
            )
        metadata["namespace"] = target.namespace
    if target.name and metadata.setdefault("name", target.name) != target.name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({target.name})"
        )


def scale_of(obj: Object) -> Object:
    metadata, replicas = obj["metadata"], obj["spec"].get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            field: metadata[field]
            for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        },
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (obj.get("status") or {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector")),
        },
    }


def _undecodable(why: str, patched: Any) -> StatusError:
    """A patch that leaves something that is no object of this kind."""
    if not isinstance(patched, dict):
        return rejected_patch()
    return StatusError(
        422,
        "Invalid",
        f' "" is invalid: patch: Invalid value: {why}',
        {
            "causes": [
                {
                    "reason": "FieldValueInvalid",
                    "message": f"Invalid value: {why}",
                    "field": "patch",
                }
            ]
        },
    )
