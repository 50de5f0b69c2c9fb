"""How a cluster stands, in one line: for people who wait in vain."""

from controller.domain import names
from controller.simulator.apiserver.storage import Storage


def summary(storage: Storage) -> str:
    """Deployments and pods, with the states of their containers."""
    lines = []
    for plural in ("deployments", "pods"):
        for obj in storage.objects(plural):
            status = obj.get("status") or {}
            containers = [
                *status.get("initContainerStatuses", ()),
                *status.get("containerStatuses", ()),
            ]
            states = {c["name"]: (c["state"], c["restartCount"]) for c in containers}
            phase = (obj["metadata"].get("labels") or {}).get(names.PHASE)
            seen = states or phase or status.get("conditions")
            lines.append(f"{plural} {obj['metadata']['name']}: {seen}")
    return "; ".join(lines) or "the cluster is empty"
