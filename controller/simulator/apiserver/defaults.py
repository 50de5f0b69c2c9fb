"""What the server fills in, and what it leaves out: the form in which objects are stored.

Shown by recordings 3, 41, 45, 47; where no recording shows a default it is the one of
`pkg/apis/*/v1/defaults.go`.
"""

import copy
from random import Random
from typing import Any

from controller.simulator.apiserver.qos import quality_of_service
from controller.simulator.apiserver.resources import Object

# Maps that Go leaves out when they are empty (`omitempty`); empty structs stay as `{}`.
_OMITTED_MAPS = frozenset(
    {
        "annotations",
        "labels",
        "matchLabels",
        "nodeSelector",
        "limits",
        "requests",
        "data",
        "stringData",
        "binaryData",
        "capacity",
        "allocatable",
    }
)
# Lists that are written even when they are empty.
_KEPT_LISTS = frozenset({"containers"})
# Times that are written as null.
_NULLS = frozenset(
    {
        "lastProbeTime",
        "deprecatedFirstTimestamp",
        "deprecatedLastTimestamp",
        "firstTimestamp",
        "lastTimestamp",
        "eventTime",
    }
)


# What every pod is given: a node may be away for five minutes before the pod is evicted.
_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for trouble in ("not-ready", "unreachable")
]


def tidied(value: Any, field: str = "") -> Any:
    """The value without nulls, empty lists and empty maps, as typed decoding leaves it. (So
    removing the last annotation removes the map, and `test` for null then passes on it.)
    """
    if isinstance(value, dict):
        result = {}
        for key, part in value.items():
            part = tidied(part, key)
            if part is None and key not in _NULLS:
                continue
            if part == [] and key not in _KEPT_LISTS:
                continue
            if part == {} and key in _OMITTED_MAPS:
                continue
            result[key] = part
        return result
    if isinstance(value, list):
        return [tidied(item, field) for item in value]
    return value


def with_defaults(plural: str, obj: Object, random: Random) -> Object:
    """Fills in defaults, in place, and returns the object."""
    fill = _FILLERS.get(plural)
    if fill is not None:
        fill(obj, random)
    return obj


def admitted(plural: str, obj: Object) -> Object:
    """What admission adds to a new pod, in place; it belongs to no manager (recording 42). The
    volume with the service account's token is not played.
    """
    if plural == "pods":
        spec = obj["spec"]
        spec.setdefault("serviceAccountName", "default")
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        spec.setdefault("tolerations", copy.deepcopy(_TOLERATIONS))
    return obj


def _deployment(obj: Object, random: Random) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    _template(spec)
    obj.setdefault("status", {})


def _replicaset(obj: Object, random: Random) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)
    obj.setdefault("status", {"replicas": 0})


def _template(spec: Object) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))


def _pod_spec(spec: Object) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in (spec.get("initContainers") or []) + (spec.get("containers") or []):
        if isinstance(container, dict):
            _container(container)
    for volume in spec.get("volumes") or []:
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)  # 0644


def _container(container: Object) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            _probe(container[probe])


def _probe(probe: Object) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        probe.setdefault(field, value)
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"].setdefault("scheme", "HTTP")
        probe["httpGet"].setdefault("path", "/")


def _pull_policy(image: Any) -> str:
    """Always for `:latest`, written or meant; a digest alone is not `latest`."""
    name, _, digest = str(image).partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _pod(obj: Object, random: Random) -> None:
    spec = obj.setdefault("spec", {})
    _pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    status = obj.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", quality_of_service(spec))
    for condition in status.get("conditions") or []:
        condition.setdefault("lastProbeTime", None)
    for container in (status.get("containerStatuses") or []) + (
        status.get("initContainerStatuses") or []
    ):
        container.setdefault("lastState", {})


def _service(obj: Object, random: Random) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    if not spec.get("clusterIP"):
        spec["clusterIP"] = f"10.0.{random.randrange(256)}.{random.randrange(1, 255)}"
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    obj.setdefault("status", {"loadBalancer": {}})


def _namespace(obj: Object, random: Random) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"][
        "name"
    ]
    obj.setdefault("spec", {"finalizers": ["kubernetes"]})
    obj.setdefault("status", {"phase": "Active"})


def _claim(obj: Object, random: Random) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    obj.setdefault("status", {"phase": "Pending"})


def _secret(obj: Object, random: Random) -> None:
    obj.setdefault("type", "Opaque")


def _event(obj: Object, random: Random) -> None:
    obj.setdefault("source", {})
    for field in ("firstTimestamp", "lastTimestamp", "eventTime"):
        obj.setdefault(field, None)
    obj.setdefault("reportingComponent", "")
    obj.setdefault("reportingInstance", "")


_FILLERS = {
    "deployments": _deployment,
    "replicasets": _replicaset,
    "pods": _pod,
    "services": _service,
    "namespaces": _namespace,
    "persistentvolumeclaims": _claim,
    "secrets": _secret,
    "events": _event,
}
