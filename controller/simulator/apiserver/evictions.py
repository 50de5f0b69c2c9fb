"""Evictions through the API: what `kubectl drain` asks for. Disruption budgets are not played."""

from controller.simulator.apiserver.objects import Objects, Write
from controller.simulator.apiserver.resources import Object

_KIND = "DisruptionTarget"


def evict(objects: Objects, namespace: str, name: str, options: Object | None = None) -> None:
    """Marks the pod as a target of disruption, and deletes it. options: a DeleteOptions object.
    Raises StatusError 404.
    """
    now = objects.timestamp()

    def mark(pod: Object) -> None:
        status = pod.setdefault("status", {})
        conditions = status.get("conditions") or []
        condition = {
            "type": _KIND,
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastProbeTime": None,
            "lastTransitionTime": now,
        }
        others = [other for other in conditions if other["type"] != _KIND]
        status["conditions"] = [*others, condition]

    if not (options or {}).get("dryRun"):
        objects.update("pods", namespace, name, mark, Write("kube-apiserver", "status"))
    objects.delete("pods", namespace, name, options)
