"""What the server says it has: enough for kubectl to find every resource."""

from controller.simulator.apiserver.resources import RESOURCES, VERBS, Object, Resource
from controller.simulator.apiserver.statuses import no_such_path

VERSION: Object = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}

_REVIEW = ("authorization.k8s.io", "v1")

_PATCH_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def answer(path: str) -> Object:
    """The document at a path without a resource; StatusError 404 where there is none."""
    match path.strip("/").split("/"):
        case ["version"]:
            return VERSION
        case ["api"]:
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [],
            }
        case ["apis"]:
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(*pair) for pair in _groups()],
            }
        case ["apis", group] if group in dict(_groups()):
            version = dict(_groups())[group]
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, version)}
        case ["api", "v1"]:
            return _resource_list("", "v1")
        case ["apis", group, version] if (group, version) in _groups():
            return _resource_list(group, version)
        case ["openapi", "v3"]:
            return {
                "paths": {
                    _prefix(group, version): {
                        "serverRelativeURL": f"/openapi/v3/{_prefix(group, version)}?hash=0"
                    }
                    for group, version in [("", "v1"), *_groups()]
                }
            }
        case ["openapi", "v3", "api", "v1"]:
            return _openapi("", "v1")
        case ["openapi", "v3", "apis", group, version] if (group, version) in _groups():
            return _openapi(group, version)
        case _:
            raise no_such_path()


def _groups() -> list[tuple[str, str]]:
    pairs = {(r.group, r.version) for r in RESOURCES if r.group}
    return sorted({*pairs, _REVIEW})


def _prefix(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _group(group: str, version: str) -> Object:
    preferred = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [preferred], "preferredVersion": preferred}


def _resource_list(group: str, version: str) -> Object:
    entries: list[Object] = []
    for resource in RESOURCES:
        if (resource.group, resource.version) == (group, version):
            entries += _entries(resource)
    if (group, version) == _REVIEW:
        entries.append(
            {
                "name": "selfsubjectaccessreviews",
                "singularName": "selfsubjectaccessreview",
                "namespaced": False,
                "kind": "SelfSubjectAccessReview",
                "verbs": ["create"],
            }
        )
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }


def _entries(resource: Resource) -> list[Object]:
    main: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(VERBS),
    }
    if resource.short:
        main["shortNames"] = list(resource.short)
    if resource.categories:
        main["categories"] = list(resource.categories)
    entries = [main]
    for subresource in resource.subresources:
        if subresource == "eviction":
            continue  # kubectl would send protobuf to it, and deletes pods where it is not there
        entry: Object = {
            "name": f"{resource.plural}/{subresource}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": ["get", "patch", "update"],
        }
        if subresource == "scale":
            entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        elif subresource == "log":
            entry["verbs"] = ["get"]
        elif subresource == "proxy":
            entry |= {"kind": "PodProxyOptions", "verbs": ["create", "get"]}
        entries.append(entry)
    return entries


def _openapi(group: str, version: str) -> Object:
    """Paths only: kubectl looks here whether a patch takes `fieldValidation`, and asks the server
    to validate if so. There are no schemas, and the server checks the essentials only.
    """
    paths: Object = {}
    for resource in RESOURCES:
        if (resource.group, resource.version) != (group, version):
            continue
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        paths[f"/{_prefix(group, version)}{scope}/{resource.plural}/{{name}}"] = {
            "patch": {
                "operationId": f"patch{resource.kind}",
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {
                    "group": group,
                    "version": version,
                    "kind": resource.kind,
                },
            },
            "parameters": [],
        }
        paths[f"/{_prefix(group, version)}{scope}/{resource.plural}/{{name}}"]["patch"][
            "parameters"
        ] = [{"name": name, "in": "query"} for name in _PATCH_PARAMETERS]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": paths,
        "components": {"schemas": {}},
    }
