"""Which lists merge by key and which values are replaced whole, for all patches that care.

From the `patchMergeKey`, `listMapKey` and `mapType=atomic` marks of the API types, by field name:
the names that matter here have one meaning wherever they occur, with `ports` as the exception.
"""

from typing import Any

# Strategic merge: list field to merge key. `ports` of a Service merges by port
# [K api/core/v1/types.go].
_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "ownerReferences": "uid",
    "conditions": "type",
    "podIPs": "ip",
    "secrets": "name",
    "addresses": "type",
    "taints": "key",
}

# Server-side apply and managed fields: list field to all its keys.
_LIST_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
    "podIPs": ("ip",),
}

# Lists that are sets of scalars.
SETS = frozenset({"finalizers", "accessModes"})

# Maps and structs that are owned and replaced as one value.
_ATOMIC = frozenset(
    {
        "selector",
        "matchLabels",
        "nodeSelector",
        "secretKeyRef",
        "configMapKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "nodeSelectorTerms",
        "labelSelector",
        "regarding",
        "involvedObject",
    }
)


def merge_key(field: str, items: list[Any]) -> str | None:
    """The key by which a strategic merge patch merges this list; None replaces it.

    Container statuses have no merge key in the API: a list of them is replaced whole.
    """
    if field == "ports":
        return "containerPort" if any("containerPort" in item for item in items) else "port"
    return _MERGE_KEYS.get(field)


def list_keys(field: str, items: list[Any]) -> tuple[str, ...] | None:
    """The keys that name an item in managed fields; None where the list is one value."""
    if field == "ports":
        port = "containerPort" if any("containerPort" in item for item in items) else "port"
        return (port, "protocol")
    return _LIST_KEYS.get(field)


def is_atomic(field: str, path: tuple[str, ...]) -> bool:
    """Whether a map is one value: selectors, references, and the items of ownerReferences."""
    return field in _ATOMIC or (len(path) > 1 and path[-2] == "f:ownerReferences")
