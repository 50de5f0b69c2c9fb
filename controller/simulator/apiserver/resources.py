"""What kinds of object the simulated API server knows, and how each is named and watched."""

import copy
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One kind of object."""

    group: str
    version: str
    # Unique among all, and the key in storage: two resources with the same plural and different
    # groups (events) are two views of the same objects.
    plural: str
    kind: str
    short: tuple[str, ...] = ()  # what kubectl calls it too
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    zero: Object = field(default_factory=dict)  # with no field set, as a bookmark shows it
    generation: bool = False  # whether the kind counts its changes
    fields: tuple[str, ...] = ()  # of field selectors, besides metadata.name and .namespace
    categories: tuple[str, ...] = ()  # `all`, where `kubectl get all` shows it

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As messages name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def blank(self, metadata: Object) -> Object:
        """An object with nothing but type and metadata, as in bookmarks (recordings 12, 14)."""
        return {
            "kind": self.kind,
            "apiVersion": self.group_version,
            "metadata": metadata,
            **copy.deepcopy(self.zero),
        }


_TEMPLATE: Object = {"metadata": {}, "spec": {"containers": None}}
_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_EVENT_FIELDS = (
    *("reason", "type", "reportingComponent", "source"),
    *(f"involvedObject.{part}" for part in _REFERENCE),
)
_NEW_EVENT_FIELDS = (
    *("reason", "type", "reportingController", "source"),
    *(f"regarding.{part}" for part in _REFERENCE),
)

RESOURCES = (
    Resource(
        "apps",
        "v1",
        "deployments",
        "Deployment",
        ("deploy",),
        subresources=("status", "scale"),
        generation=True,
        categories=("all",),
        zero={
            "spec": {"replicas": 0, "selector": None, "template": _TEMPLATE, "strategy": {}},
            "status": {},
        },
    ),
    Resource(
        "apps",
        "v1",
        "replicasets",
        "ReplicaSet",
        ("rs",),
        subresources=("status", "scale"),
        generation=True,
        categories=("all",),
        zero={
            "spec": {"replicas": 0, "selector": None, "template": _TEMPLATE},
            "status": {"replicas": 0},
        },
    ),
    Resource(
        "",
        "v1",
        "pods",
        "Pod",
        ("po",),
        subresources=("status", "log", "proxy", "eviction"),
        generation=True,
        categories=("all",),
        zero={"spec": {"containers": None}, "status": {}},
        fields=("spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"),
    ),
    Resource(
        "",
        "v1",
        "services",
        "Service",
        ("svc",),
        categories=("all",),
        zero={"spec": {}, "status": {"loadBalancer": {}}},
        subresources=("status",),
    ),
    Resource(
        "",
        "v1",
        "namespaces",
        "Namespace",
        ("ns",),
        namespaced=False,
        zero={"spec": {}, "status": {}},
        fields=("status.phase",),
    ),
    Resource("", "v1", "configmaps", "ConfigMap", ("cm",)),
    Resource("", "v1", "secrets", "Secret", fields=("type",)),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", ("sa",)),
    Resource(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        ("pvc",),
        subresources=("status",),
        zero={"spec": {"resources": {}}, "status": {}},
    ),
    Resource(
        "",
        "v1",
        "nodes",
        "Node",
        ("no",),
        namespaced=False,
        subresources=("status",),
        zero={"spec": {}, "status": {"nodeInfo": {}}},
        fields=("spec.unschedulable",),
    ),
    Resource(
        "",
        "v1",
        "events",
        "Event",
        ("ev",),
        fields=_EVENT_FIELDS,
        zero={
            "involvedObject": {},
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": None,
            "reportingComponent": "",
            "reportingInstance": "",
        },
    ),
    Resource(
        "events.k8s.io",
        "v1",
        "events",
        "Event",
        ("ev",),
        fields=_NEW_EVENT_FIELDS,
        zero={
            "regarding": {},
            "deprecatedSource": {},
            "deprecatedFirstTimestamp": None,
            "deprecatedLastTimestamp": None,
            "eventTime": None,
        },
    ),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", zero={"spec": {}}),
    Resource(
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        generation=True,
        zero={"addressType": "", "endpoints": None, "ports": None},
    ),
)

BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}
# The first view of each plural is the one in which its objects are kept.
BY_PLURAL = {r.plural: r for r in reversed(RESOURCES)}


def key_of(obj: Object) -> tuple[str, str]:
    """Namespace (empty for what has none) and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
