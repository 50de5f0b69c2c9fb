"""A request's path and method as Kubernetes reads them: which resource, which verb."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.simulator.apiserver.resources import BY_PATH, Resource
from controller.simulator.apiserver.statuses import method_not_allowed

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}


@dataclass(frozen=True)
class Target:
    """What a request is about."""

    resource: Resource
    namespace: str = ""  # empty: all of them, or a kind that has none
    name: str = ""  # empty: a whole collection
    subresource: str = ""
    rest: str = ""  # the path behind `proxy/`
    reference: str = ""  # the name as it was written, which for a proxy carries the port

    def verb(self, method: str, query: Mapping[str, str]) -> str:
        """As authorization names it; StatusError 405 for a method that means nothing here."""
        verb = _VERBS.get(method)
        if verb and self.subresource == "proxy":
            return verb
        if self.subresource == "eviction":
            if verb != "create":
                raise method_not_allowed()
            return verb
        everywhere = self.resource.namespaced and not self.namespace
        if (
            verb is None
            or (everywhere and verb in {"create", "delete"})
            or (verb == "create" and self.name)
            or (verb in {"update", "patch"} and not self.name)
        ):
            raise method_not_allowed()
        if self.name:
            return verb
        if verb == "get":
            return "watch" if query.get("watch") in {"1", "true"} else "list"
        return "deletecollection" if verb == "delete" else verb


def find(path: str) -> Target | None:
    """The target of a path, or None where it names no resource that we have."""
    parts = path.strip("/").split("/")
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    if len(rest) >= 3 and rest[0] == "namespaces":
        resource = BY_PATH.get((group, version, rest[2]))
        if resource is not None and resource.namespaced:
            return _target(resource, rest[1], rest[3:])
    if rest:
        resource = BY_PATH.get((group, version, rest[0]))
        if resource is not None:
            return _target(resource, "", rest[1:])
    return None


def _target(resource: Resource, namespace: str, rest: list[str]) -> Target | None:
    reference = rest[0] if rest else ""
    subresource = rest[1] if len(rest) > 1 else ""
    if subresource and subresource not in resource.subresources:
        return None
    if len(rest) > 2 and subresource != "proxy":
        return None
    if reference and resource.namespaced and not namespace:
        return None
    name = reference
    if subresource == "proxy" and ":" in reference:
        name = reference.split(":")[1 if reference.count(":") == 2 else 0]
    return Target(resource, namespace, name, subresource, "/".join(rest[2:]), reference)
