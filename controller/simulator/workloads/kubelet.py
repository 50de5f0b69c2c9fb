"""Scheduler and kubelet of one node: gives pods an address and a worker each."""

import asyncio

import aiohttp

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import Change
from controller.simulator.workloads.cluster import Cluster, pod_is_leaving
from controller.simulator.workloads.images import Images
from controller.simulator.workloads.initcontainer import InitContainer
from controller.simulator.workloads.podworker import Machine, PodWorker
from controller.simulator.workloads.speed import Speed
from controller.simulator.workloads.volumes import Volume

NODE_NAME = "simulated-node"
HOST_IP = "192.0.2.10"  # of the addresses that are kept for documentation
_SCHEDULER = "kube-scheduler"


class Kubelet:
    """Plays every pod of the cluster. `cordoned`: new pods stay unscheduled."""

    def __init__(
        self,
        cluster: Cluster,
        images: Images,
        clock: Clock,
        speed: Speed,
        init_container: InitContainer,
    ) -> None:
        self.volumes: dict[tuple[str, str], Volume] = {}
        self.cordoned = False
        self._cluster = cluster
        self._images = images
        self._clock = clock
        self._speed = speed
        self._init_container = init_container
        self._machine: Machine | None = None
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._addresses = 0

    async def start(self) -> None:
        # A connection each: a probe must not find a process that is gone behind a kept connection.
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self._machine = Machine(
            self._cluster,
            self._images,
            self._clock,
            self._speed,
            self._init_container,
            session,
            self._volume_of,
        )
        self.look()

    async def stop(self) -> None:
        """The machine is switched off: nothing is written any more."""
        await stop_all(list(self._tasks.values()))
        self._tasks.clear()
        self._workers.clear()
        if self._machine is not None:
            await self._machine.session.close()
            self._machine = None

    def hear(self, change: Change) -> None:
        if change.plural == "pods":
            self._hear_pod(change)
        if change.plural == "persistentvolumeclaims" or (
            change.plural == "pods" and change.type == "DELETED"
        ):
            self.look()

    def look(self) -> None:
        """Considers every pod that is not on a node yet."""
        for pod in self._cluster.storage.objects("pods"):
            self._consider(pod)

    def worker(self, namespace: str, pod: str) -> PodWorker | None:
        found = self._cluster.storage.peek("pods", namespace, pod)
        return self._workers.get(found["metadata"]["uid"]) if found else None

    def volume(self, namespace: str, claim: str) -> Volume:
        return self.volumes.setdefault((namespace, claim), Volume())

    def _hear_pod(self, change: Change) -> None:
        pod = change.object
        worker = self._workers.get(pod["metadata"]["uid"])
        if change.type == "DELETED":
            if worker is not None:
                worker.delete(0.0)  # by force: nobody waits for its processes
            return
        if worker is None:
            self._consider(pod)
        elif "deletionTimestamp" in pod["metadata"]:
            worker.delete(float(pod["metadata"].get("deletionGracePeriodSeconds", 0)))

    def _consider(self, pod: Object) -> None:
        """Schedules and starts a pod, if it can be."""
        metadata = pod["metadata"]
        stored = self._cluster.storage.peek("pods", metadata["namespace"], metadata["name"])
        if self._machine is None or stored is None or metadata["uid"] in self._workers:
            return
        if stored["metadata"]["uid"] != metadata["uid"] or pod_is_leaving(stored):
            return
        obstacle = "" if stored["spec"].get("nodeName") else self._obstacle(stored)
        if obstacle:
            self._say_unschedulable(stored, obstacle)
            return
        if not stored["spec"].get("nodeName"):
            self._cluster.change(
                "pods", stored, lambda p: p["spec"].update(nodeName=NODE_NAME), manager=_SCHEDULER
            )
        bound = self._cluster.storage.get("pods", metadata["namespace"], metadata["name"])
        if bound is not None:
            self._begin(bound, self._machine)

    def _begin(self, pod: Object, machine: Machine) -> None:
        self._addresses += 1
        high, low = divmod(self._addresses, 250)
        uid = pod["metadata"]["uid"]
        worker = PodWorker(pod, f"10.244.{high}.{low + 2}", HOST_IP, machine)
        self._workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        self._tasks[uid] = task
        task.add_done_callback(lambda _: self._forget(uid))

    def _forget(self, uid: str) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)

    def _obstacle(self, pod: Object) -> str:
        """Why the pod cannot be on the node, in the scheduler's words."""
        if self.cordoned:
            return "0/1 nodes are available: 1 node(s) were unschedulable."
        namespace = pod["metadata"]["namespace"]
        for claim in _claims(pod):
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
        return any(
            other["spec"].get("nodeName") and claim in _claims(other)
            for other in self._cluster.storage.objects("pods", pod["metadata"]["namespace"])
            if other["metadata"]["uid"] != pod["metadata"]["uid"]
        )

    def _say_unschedulable(self, pod: Object, message: str) -> None:
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
            manager=_SCHEDULER,
            subresource="status",
        )

    def _volume_of(self, pod: Object) -> Volume:
        """The claim's that is mounted at /data; an empty one of its own for a pod without."""
        claims = _claims(pod)
        if not claims:
            return Volume()
        return self.volume(pod["metadata"]["namespace"], claims[0])


def _claims(pod: Object) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    found = (volume.get("persistentVolumeClaim") for volume in volumes)
    return [claim["claimName"] for claim in found if claim]
