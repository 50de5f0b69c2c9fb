"""The ReplicaSet controller: as many active pods as wanted, and a status that says so."""

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import Change, copied
from controller.simulator.workloads.cluster import (
    MANAGER,
    Cluster,
    owner_reference,
    pod_is_leaving,
    pod_is_over,
    pod_is_ready,
)
from controller.simulator.workloads.controller_loop import KeyLoop
from controller.simulator.workloads.eventrecorder import EventRecorder


class ReplicaSetController:
    """A pod that is terminating or over is replaced at once: Recreate does not wait for pods that
    somebody else removes [59].
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._events = EventRecorder(cluster, "replicaset-controller", MANAGER)
        self.loop = KeyLoop("replicasets", self._sync)

    def hear(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if change.plural == "replicasets":
            self.loop.note(metadata["namespace"], metadata["name"])
        elif change.plural == "pods":
            for ref in metadata.get("ownerReferences") or ():
                if ref["kind"] == "ReplicaSet":
                    self.loop.note(metadata["namespace"], ref["name"])

    def _sync(self, key: tuple[str, str]) -> None:
        found = self._cluster.storage.get("replicasets", *key)
        if found is None:
            return
        if "deletionTimestamp" not in found["metadata"]:
            self._scale(found)
        self._write_status(found)

    def _scale(self, replicaset: Object) -> None:
        pods = self._cluster.owned("pods", replicaset)
        active = [pod for pod in pods if not pod_is_leaving(pod) and not pod_is_over(pod)]
        missing = replicaset["spec"]["replicas"] - len(active)
        for _ in range(missing):
            self._create(replicaset)
        # Those that are not ready go first.
        for pod in sorted(active, key=pod_is_ready)[: max(0, -missing)]:
            self._cluster.delete("pods", pod)
            message = f"Deleted pod: {pod['metadata']['name']}"
            self._events.say(replicaset, "Normal", "SuccessfulDelete", message)

    def _create(self, replicaset: Object) -> None:
        template = copied(replicaset["spec"]["template"])
        name = replicaset["metadata"]["name"]
        metadata = {
            **template["metadata"],
            "generateName": f"{name}-",
            "namespace": replicaset["metadata"]["namespace"],
            "ownerReferences": [owner_reference(replicaset)],
        }
        pod = {"metadata": metadata, "spec": template["spec"]}
        made = self._cluster.create("pods", pod)
        message = f"Created pod: {made['metadata']['name']}"
        self._events.say(replicaset, "Normal", "SuccessfulCreate", message)

    def _write_status(self, replicaset: Object) -> None:
        pods = self._cluster.owned("pods", replicaset)
        active = [pod for pod in pods if not pod_is_leaving(pod) and not pod_is_over(pod)]
        ready = sum(map(pod_is_ready, active))
        status: Object = {
            "replicas": len(active),
            "observedGeneration": replicaset["metadata"]["generation"],
        }
        if active:
            status["fullyLabeledReplicas"] = len(active)
        if ready:
            status |= {"readyReplicas": ready, "availableReplicas": ready}
        status["terminatingReplicas"] = sum(map(pod_is_leaving, pods))
        self._cluster.change(
            "replicasets", replicaset, lambda obj: obj.update(status=status), subresource="status"
        )
