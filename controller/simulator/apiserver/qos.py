"""A pod's quality of service class."""

from controller.simulator.apiserver.resources import Object


def quality_of_service(spec: Object) -> str:
    """By the cpu and memory that its containers ask for [K pkg/apis/core/v1/helper/qos]."""
    containers = (spec.get("initContainers") or []) + (spec.get("containers") or [])
    asked = [container.get("resources") or {} for container in containers]
    if not any(resources.get(part) for resources in asked for part in ("requests", "limits")):
        return "BestEffort"
    return "Guaranteed" if all(map(_is_guaranteed, asked)) else "Burstable"


def _is_guaranteed(resources: Object) -> bool:
    limits = resources.get("limits") or {}
    requests = limits | (resources.get("requests") or {})
    return all(part in limits and requests[part] == limits[part] for part in ("cpu", "memory"))
