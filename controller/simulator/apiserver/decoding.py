"""What typed decoding would refuse before any rule is looked at: text where a number must be."""

from typing import Any

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError


def refuse_mistyped(obj: Any) -> None:
    """Raises StatusError 400 for a body that typed decoding refuses."""
    if why := check_types(obj):
        raise StatusError(400, "BadRequest", f"the object provided is unrecognized: {why}")


def check_types(obj: Any) -> str | None:
    """What typed decoding would refuse, as a sentence, or None."""
    if not isinstance(obj, dict):
        return "json: cannot unmarshal into Go value of an object"
    for field in ("metadata", "spec", "status"):
        if not isinstance(obj.get(field), dict | None):
            return _mistyped(obj[field], field, "an object")
    spec = obj.get("spec") or {}
    replicas = spec.get("replicas")
    if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int)):
        return _mistyped(replicas, "DeploymentSpec.spec.replicas", "int32")
    why = _metadata_types(obj.get("metadata") or {}) or _pod_spec_types(spec)
    template = spec.get("template")
    if why or template is None:
        return why
    if not isinstance(template, dict):
        return _mistyped(template, "DeploymentSpec.spec.template", "v1.PodTemplateSpec")
    for field in ("metadata", "spec"):
        if not isinstance(template.get(field), dict | None):
            return _mistyped(template[field], f"PodTemplateSpec.{field}", "an object")
    return _metadata_types(template.get("metadata") or {}) or _pod_spec_types(
        template.get("spec") or {}
    )


def _metadata_types(metadata: Object) -> str | None:
    for field in ("annotations", "labels"):
        values = metadata.get(field) or {}
        if not isinstance(values, dict):
            return _mistyped(values, f"ObjectMeta.metadata.{field}", "map[string]string")
        for value in values.values():
            if value is not None and not isinstance(value, str):
                return _mistyped(value, f"ObjectMeta.metadata.{field}", "string")
    return None


def _pod_spec_types(spec: Object) -> str | None:
    for field in ("containers", "initContainers"):
        containers = spec.get(field) or []
        if not isinstance(containers, list):
            return _mistyped(containers, f"PodSpec.spec.{field}", "[]v1.Container")
        for container in containers:
            if not isinstance(container, dict):
                return _mistyped(container, f"PodSpec.spec.{field}", "v1.Container")
            for name in ("image", "name"):
                value = container.get(name)
                if value is not None and not isinstance(value, str):
                    return _mistyped(value, f"Container.{field}.{name}", "string")
    return None


def _mistyped(value: Any, field: str, wanted: str) -> str:
    words = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
    word = words.get(type(value), "object")
    return f"json: cannot unmarshal {word} into Go struct field {field} of type {wanted}"
