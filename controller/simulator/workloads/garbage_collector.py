"""The garbage collector: what has lost its owner goes."""

from controller.simulator.apiserver.deletion import FOREGROUND
from controller.simulator.apiserver.resources import BY_PLURAL, Object
from controller.simulator.apiserver.storage import Change
from controller.simulator.workloads.cluster import Cluster


class Collector:
    """Deletes the dependents of what was deleted, or is being deleted in the foreground. Answers a
    change at once; that several owners keep a dependent alive is left out.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def hear(self, change: Change) -> None:
        metadata = change.object["metadata"]
        waits = FOREGROUND in (metadata.get("finalizers") or ())
        if change.type != "DELETED" and not ("deletionTimestamp" in metadata and waits):
            return
        policy = "Background" if change.type == "DELETED" else "Foreground"
        for plural, dependent in self._dependents(metadata["uid"]):
            if "deletionTimestamp" not in dependent["metadata"]:
                self._cluster.delete(plural, dependent, propagationPolicy=policy)

    def _dependents(self, uid: str) -> list[tuple[str, Object]]:
        return [
            (plural, obj)
            for plural in BY_PLURAL
            for obj in self._cluster.storage.objects(plural)
            if any(ref.get("uid") == uid for ref in obj["metadata"].get("ownerReferences") or ())
        ]
