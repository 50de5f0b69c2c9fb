"""The scheduler, for one machine: whether a pod can be on it, and what it says if not."""

from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.claims import claims_of
from controller.simulator.workloads.cluster import Cluster, pod_is_over
from controller.simulator.workloads.eventrecorder import EventRecorder
from controller.simulator.workloads.machine import NODE_NAME

MANAGER = "kube-scheduler"


class Scheduler:
    """Binds pods. `cordoned`: the machine takes no new ones."""

    def __init__(self, cluster: Cluster) -> None:
        self.cordoned = False
        self._cluster = cluster
        self._events = EventRecorder(cluster, "default-scheduler", MANAGER, series=True)

    def bind(self, pod: Object) -> Object | None:
        """The pod on its node, as it is stored then; None if it stays unscheduled, or is gone."""
        if not pod["spec"].get("nodeName"):
            if obstacle := self._obstacle(pod):
                self._refuse(pod, obstacle)
                return None
            self._assign(pod)
        metadata = pod["metadata"]
        return self._cluster.storage.get("pods", metadata["namespace"], metadata["name"])

    def _assign(self, pod: Object) -> None:
        self._cluster.change(
            "pods", pod, lambda p: p["spec"].update(nodeName=NODE_NAME), manager=MANAGER
        )
        whom = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        message = f"Successfully assigned {whom} to {NODE_NAME}"
        self._events.say(pod, "Normal", "Scheduled", message, action="Binding")

    def _obstacle(self, pod: Object) -> str:
        """Why the pod cannot be on the node, in the scheduler's words."""
        if self.cordoned:
            return "0/1 nodes are available: 1 node(s) were unschedulable."
        namespace = pod["metadata"]["namespace"]
        for claim in claims_of(pod):
            found = self._cluster.storage.peek("persistentvolumeclaims", namespace, claim)
            if found is None:
                return f'0/1 nodes are available: persistentvolumeclaim "{claim}" not found.'
            modes = found["spec"].get("accessModes") or ()
            if "ReadWriteOncePod" in modes and self._in_use(pod, claim):
                return (
                    "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the"
                    " same name and ReadWriteOncePod access mode."
                )
        return ""

    def _in_use(self, pod: Object, claim: str) -> bool:
        """By a pod that is on the node and not over: one that is over is forgotten."""
        return any(
            other["spec"].get("nodeName") and claim in claims_of(other) and not pod_is_over(other)
            for other in self._cluster.storage.objects("pods", pod["metadata"]["namespace"])
            if other["metadata"]["uid"] != pod["metadata"]["uid"]
        )

    def _refuse(self, pod: Object, message: str) -> None:
        conditions = (pod.get("status") or {}).get("conditions") or []
        if any(c["type"] == "PodScheduled" and c.get("message") == message for c in conditions):
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": self._cluster.storage.timestamp(),
        }
        self._cluster.change(
            "pods",
            pod,
            lambda p: p.setdefault("status", {}).update(conditions=[condition]),
            manager=MANAGER,
            subresource="status",
        )
        self._events.say(pod, "Warning", "FailedScheduling", message, action="Scheduling")
