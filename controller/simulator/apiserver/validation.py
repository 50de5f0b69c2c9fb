"""The rules of form that a client can break by mistake: 422 with causes, the essentials only.

Not checked: unknown fields (`fieldValidation`), resource quantities, probes, most of a Service.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from controller.simulator.apiserver.container_validation import container_causes
from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.statuses import Cause, invalid

# All keys and values of an object's annotations together, in bytes
# [K apimachinery/pkg/api/validation].
MAX_ANNOTATIONS = 256 * 1024

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z")

# Fields of a running pod that may change; nodeName may be set once, as a binding does.
_POD_FIELDS = frozenset({"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})


def validate(resource: Resource, new: Object, old: Object | None) -> None:
    """Raises StatusError 422 with every fault found. `old` is None for a create."""
    causes: list[Cause] = []
    _metadata(new["metadata"], "metadata", causes)
    if resource.namespaced and not new["metadata"].get("namespace"):
        causes.append(_required("metadata.namespace"))
    check = _CHECKS.get(resource.plural)
    if check is not None:
        check(new, old, causes)
    if causes:
        raise invalid(resource.kind, resource.group, new["metadata"].get("name", ""), causes)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()


def _bad(where: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {_quoted(value)}: {why}", where)


def _required(where: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", "Required value" + (f": {why}" if why else ""), where)


def _metadata(metadata: Object, where: str, causes: list[Cause]) -> None:
    name = metadata.get("name") or ""
    if where == "metadata" and not name:
        causes.append(_required("metadata.name", "name or generateName is required"))
    elif where == "metadata" and (len(name) > 253 or not _SUBDOMAIN.match(name)):
        causes.append(
            _bad(
                "metadata.name",
                name,
                "a lowercase RFC 1123 subdomain must consist of lower case "
                "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
                "character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*"
                "[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            )
        )
    annotations = metadata.get("annotations") or {}
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    for key in annotations:
        _qualified_name(key.lower(), f"{where}.annotations", causes)
    if size > MAX_ANNOTATIONS:
        causes.append(
            Cause(
                "FieldValueTooLong",
                f"Too long: may not be more than {MAX_ANNOTATIONS} bytes",
                f"{where}.annotations",
            )
        )
    for key, value in (metadata.get("labels") or {}).items():
        _qualified_name(key, f"{where}.labels", causes)
        if len(value) > 63:
            causes.append(_bad(f"{where}.labels", value, "must be no more than 63 bytes"))
        if not _LABEL_VALUE.match(value):
            causes.append(
                _bad(
                    f"{where}.labels",
                    value,
                    "a valid label must be an empty string or consist of "
                    "alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
                    "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
                )
            )


def _qualified_name(key: str, where: str, causes: list[Cause]) -> None:
    prefix, slash, name = key.rpartition("/")
    if (slash and not _SUBDOMAIN.match(prefix)) or len(name) > 63 or not _NAME.match(name):
        causes.append(
            _bad(
                where,
                key,
                "name part must consist of alphanumeric characters, '-', '_' or '.', "
                "and must start and end with an alphanumeric character (e.g. 'MyName',  or "
                "'my.name',  or '123-abc', regex used for validation is "
                "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            )
        )


def _workload(new: Object, old: Object | None, causes: list[Cause]) -> None:
    spec = new["spec"]
    if spec["replicas"] < 0:
        causes.append(_bad("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    labels = spec["template"]["metadata"].get("labels") or {}
    selector = spec.get("selector")
    if not selector:
        causes.append(_required("spec.selector"))
    elif any(labels.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        causes.append(
            _bad(
                "spec.template.metadata.labels",
                labels,
                "`selector` does not match template `labels`",
            )
        )
    if old is not None and old["spec"].get("selector") != selector:
        causes.append(_bad("spec.selector", selector, "field is immutable"))
    _metadata(spec["template"]["metadata"], "spec.template.metadata", causes)
    _pod_spec(spec["template"]["spec"], "spec.template.spec", causes)


def _deployment(new: Object, old: Object | None, causes: list[Cause]) -> None:
    _workload(new, old, causes)
    spec = new["spec"]
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        causes.append(
            _bad(
                "spec.progressDeadlineSeconds",
                spec["progressDeadlineSeconds"],
                "must be greater than minReadySeconds",
            )
        )
    strategy = spec["strategy"]
    if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        causes.append(
            Cause(
                "FieldValueForbidden",
                "Forbidden: may not be specified when strategy `type` is 'Recreate'",
                "spec.strategy.rollingUpdate",
            )
        )


def _pod(new: Object, old: Object | None, causes: list[Cause]) -> None:
    _pod_spec(new["spec"], "spec", causes)
    if old is not None and _fixed_part(new["spec"], old["spec"]) != _fixed_part(old["spec"]):
        causes.append(
            Cause(
                "FieldValueForbidden",
                "Forbidden: pod updates may not change fields other than "
                "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                "was previously negative)",
                "spec",
            )
        )


def _fixed_part(spec: Object, bound: Object | None = None) -> Object:
    fixed = {k: v for k, v in spec.items() if k not in _POD_FIELDS}
    for field in ("containers", "initContainers"):
        fixed[field] = [{**c, "image": None} for c in spec.get(field) or []]
    if bound is not None and "nodeName" not in bound:
        fixed.pop("nodeName", None)
    return fixed


def _pod_spec(spec: Object, where: str, causes: list[Cause]) -> None:
    if not spec.get("containers"):
        causes.append(_required(f"{where}.containers"))
    seen: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for field in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(field) or []):
            place = f"{where}.{field}[{number}]"
            name = container.get("name")
            if not name:
                causes.append(_required(f"{place}.name"))
            elif len(name) > 63 or not _LABEL.match(name):
                causes.append(
                    _bad(
                        f"{place}.name",
                        name,
                        "a lowercase RFC 1123 label must consist of "
                        "lower case alphanumeric characters or '-', and must start and end "
                        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
                        "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
                    )
                )
            elif name in seen:
                causes.append(
                    Cause(
                        "FieldValueDuplicate", f"Duplicate value: {_quoted(name)}", f"{place}.name"
                    )
                )
            seen.add(name or "")
            if not container.get("image"):
                causes.append(_required(f"{place}.image"))
            init = field == "initContainers"
            causes += container_causes(container, place, volumes, init=init)


def _service(new: Object, old: Object | None, causes: list[Cause]) -> None:
    if not new["spec"].get("ports") and new["spec"].get("clusterIP") != "None":
        causes.append(_required("spec.ports"))
    if old is not None and old["spec"]["clusterIP"] != new["spec"]["clusterIP"]:
        causes.append(_bad("spec.clusterIP", new["spec"]["clusterIP"], "field is immutable"))


_CHECKS: dict[str, Callable[[Object, Object | None, list[Cause]], None]] = {
    "deployments": _deployment,
    "replicasets": _workload,
    "pods": _pod,
    "services": _service,
}
