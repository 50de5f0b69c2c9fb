"""The kubelet of the one node: a worker for each pod that is on it."""

import asyncio

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import Change
from controller.simulator.workloads.claims import Claims
from controller.simulator.workloads.cluster import Cluster, pod_is_leaving, pod_is_over
from controller.simulator.workloads.image_pulls import Images
from controller.simulator.workloads.machine import KUBELET, NODE_NAME, Machine, node_object
from controller.simulator.workloads.podworker import PodWorker
from controller.simulator.workloads.programs import Software
from controller.simulator.workloads.scheduler import Scheduler
from controller.simulator.workloads.speed import Speed
from controller.simulator.workloads.volumes import Volume


class Kubelet:
    """Plays every pod of the cluster, and the scheduler that gives it its pods. `cordoned`: new
    pods stay unscheduled; it follows `spec.unschedulable` of the Node.
    """

    def __init__(
        self,
        cluster: Cluster,
        images: Images,
        clock: Clock,
        speed: Speed,
        software: Software,
    ) -> None:
        self.claims = Claims()
        self._scheduler = Scheduler(cluster)
        self._cluster = cluster
        self._images = images
        self._clock = clock
        self._speed = speed
        self._software = software
        self._machine: Machine | None = None
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def volumes(self) -> dict[tuple[str, str], Volume]:
        """By namespace and claim."""
        return self.claims.volumes

    @property
    def cordoned(self) -> bool:
        return self._scheduler.cordoned

    @cordoned.setter
    def cordoned(self, cordoned: bool) -> None:
        self._scheduler.cordoned = cordoned

    async def start(self) -> None:
        self._machine = Machine.of(
            self._cluster,
            self._images,
            self._clock,
            self._speed,
            software=self._software,
            claims=self.claims,
        )
        if self._cluster.storage.peek("nodes", "", NODE_NAME) is None:
            node = node_object(self._cluster.storage.timestamp())
            self._cluster.objects.create("nodes", node, Write(KUBELET))
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
            if change.type == "DELETED" or pod_is_over(change.object):
                self.look()
        elif change.plural == "persistentvolumeclaims":
            self.look()
        elif change.plural == "nodes" and change.object["metadata"]["name"] == NODE_NAME:
            self.cordoned = bool((change.object.get("spec") or {}).get("unschedulable"))
            self.look()

    def look(self) -> None:
        """Considers every pod that is not on a node yet."""
        for pod in self._cluster.storage.objects("pods"):
            self._consider(pod)

    def worker(self, namespace: str, pod: str) -> PodWorker | None:
        found = self._cluster.storage.peek("pods", namespace, pod)
        return self._workers.get(found["metadata"]["uid"]) if found else None

    def volume(self, namespace: str, claim: str) -> Volume:
        return self.claims.volume(namespace, claim)

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
        if stored["metadata"]["uid"] != metadata["uid"]:
            return
        if pod_is_leaving(stored) or pod_is_over(stored):
            return
        bound = self._scheduler.bind(stored)
        # The binding itself may have been heard meanwhile, and the pod begun.
        if bound is not None and metadata["uid"] not in self._workers:
            self._begin(bound, self._machine)

    def _begin(self, pod: Object, machine: Machine) -> None:
        uid = pod["metadata"]["uid"]
        worker = PodWorker(pod, machine)
        self._workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        self._tasks[uid] = task
        task.add_done_callback(lambda _: self._forget(uid))

    def _forget(self, uid: str) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)
