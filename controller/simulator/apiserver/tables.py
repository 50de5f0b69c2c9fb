"""The columns that `kubectl get` shows: the server computes the cells, the client draws them."""

from datetime import datetime
from typing import Any

from controller.simulator.apiserver.resources import Object

_NAME, _AGE = ("Name", "string"), ("Age", "string")

COLUMNS: dict[str, list[tuple[str, str]]] = {
    "": [_NAME, _AGE],
    "deployments": [
        _NAME,
        ("Ready", "string"),
        ("Up-to-date", "integer"),
        ("Available", "integer"),
        _AGE,
    ],
    "replicasets": [
        _NAME,
        ("Desired", "integer"),
        ("Current", "integer"),
        ("Ready", "integer"),
        _AGE,
    ],
    "pods": [_NAME, ("Ready", "string"), ("Status", "string"), ("Restarts", "string"), _AGE],
    "services": [
        _NAME,
        ("Type", "string"),
        ("Cluster-IP", "string"),
        ("Port(s)", "string"),
        _AGE,
    ],
    "events": [
        ("Last Seen", "string"),
        ("Type", "string"),
        ("Reason", "string"),
        ("Object", "string"),
        ("Message", "string"),
    ],
    "leases": [_NAME, ("Holder", "string"), _AGE],
    "namespaces": [_NAME, ("Status", "string"), _AGE],
}


def cells(plural: str, obj: Object, now: datetime) -> list[Any]:
    """One row, in the order of COLUMNS."""
    metadata = obj["metadata"]
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    name, age = metadata.get("name", ""), _age(metadata.get("creationTimestamp"), now)
    match plural:
        case "deployments":
            ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
            updated, available = (
                status.get("updatedReplicas", 0),
                status.get("availableReplicas", 0),
            )
            return [name, ready, updated, available, age]
        case "replicasets":
            return [
                name,
                spec.get("replicas", 0),
                status.get("replicas", 0),
                status.get("readyReplicas", 0),
                age,
            ]
        case "pods":
            return _pod(name, metadata, status, len(spec.get("containers") or []), age)
        case "services":
            ports = ",".join(
                f"{port.get('port')}/{port.get('protocol')}" for port in spec.get("ports") or []
            )
            return [name, spec.get("type", ""), spec.get("clusterIP", ""), ports, age]
        case "events":
            regarding = obj.get("involvedObject") or {}
            where = f"{regarding.get('kind', '').lower()}/{regarding.get('name', '')}"
            seen = _age(obj.get("lastTimestamp") or obj.get("eventTime"), now)
            return [seen, obj.get("type", ""), obj.get("reason", ""), where, obj.get("message", "")]
        case "leases":
            return [name, spec.get("holderIdentity", ""), age]
        case "namespaces":
            return [name, status.get("phase", ""), age]
        case _:
            return [name, age]


def _pod(name: str, metadata: Object, status: Object, containers: int, age: str) -> list[Any]:
    statuses = status.get("containerStatuses") or []
    initial = status.get("initContainerStatuses") or []
    ready = sum(bool(container.get("ready")) for container in statuses)
    restarts = sum(container.get("restartCount", 0) for container in statuses)
    word = status.get("reason") or status.get("phase", "Unknown")
    for container in statuses:
        waiting = (container.get("state") or {}).get("waiting") or {}
        word = waiting.get("reason", word)
    done = sum(
        (container.get("state") or {}).get("terminated", {}).get("exitCode") == 0
        for container in initial
    )
    if initial and done < len(initial):
        word = f"Init:{done}/{len(initial)}"
    if "deletionTimestamp" in metadata:
        word = "Terminating"
    return [name, f"{ready}/{containers}", word, str(restarts), age]


def _age(text: str | None, now: datetime) -> str:
    """Time since then in one or two units, as kubectl is used to show it."""
    if not text:
        return "<unknown>"
    seconds = max(0, int((now - datetime.fromisoformat(text)).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"
