"""All simulated controllers together, and what a person or an accident does to pods."""

from collections.abc import Callable

from controller.base.clock import Clock
from controller.simulator.apiserver.evictions import evict
from controller.simulator.apiserver.followed_log import Follower, nothing_follows
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.storage import Change
from controller.simulator.node import SimulatedNode
from controller.simulator.workloads.cluster import Cluster
from controller.simulator.workloads.deployments import DeploymentController
from controller.simulator.workloads.garbage_collector import Collector
from controller.simulator.workloads.image_pulls import Images
from controller.simulator.workloads.initcontainer import InitContainer, PreparesData
from controller.simulator.workloads.kubelet import Kubelet
from controller.simulator.workloads.logs import FollowedLog, served_log
from controller.simulator.workloads.machine import NODE_NAME
from controller.simulator.workloads.podworker import PodWorker
from controller.simulator.workloads.programs import Programs, Software, no_programs
from controller.simulator.workloads.replicasets import ReplicaSetController
from controller.simulator.workloads.speed import Speed
from controller.simulator.workloads.volumes import Volume

EVICTED = "The node was low on resource: ephemeral-storage."  # the commonest sentence of evictions
_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class Workloads:
    """`async with Workloads(...)`. programs: what runs in containers instead of what usually does.
    With `kubelet` False pods stay Pending, on no node, and whoever
    tests writes their status by itself.
    """

    def __init__(  # noqa: PLR0913 each a part of the cluster that a test may want to be otherwise
        self,
        cluster: Cluster,
        images: Images,
        clock: Clock,
        *,
        speed: Speed | None = None,
        kubelet: bool = True,
        init_container: InitContainer | None = None,
        programs: Programs = no_programs,
    ) -> None:
        self._cluster = cluster
        self._replicasets = ReplicaSetController(cluster)
        self._deployments = DeploymentController(cluster)
        self._collector = Collector(cluster)
        software = Software(init_container or PreparesData(), programs)
        self.kubelet = Kubelet(cluster, images, clock, speed or Speed(), software)
        self._plays_kubelet = kubelet
        self._unsubscribe: Callable[[], None] = lambda: None

    async def __aenter__(self) -> "Workloads":
        self._unsubscribe = self._cluster.storage.subscribe(self._hear)
        self._replicasets.loop.start()
        self._deployments.loop.start()
        if self._plays_kubelet:
            await self.kubelet.start()
        for plural in ("deployments", "replicasets"):
            for obj in self._cluster.storage.objects(plural):
                metadata = obj["metadata"]
                loop = self._deployments.loop if plural == "deployments" else self._replicasets.loop
                loop.note(metadata["namespace"], metadata["name"])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._unsubscribe()
        await self._deployments.loop.stop()
        await self._replicasets.loop.stop()
        await self.kubelet.stop()

    def local_address(self, pod: Object, port: int) -> tuple[str, int] | None:
        """The resolver of the API server's pod proxy."""
        worker = self.kubelet.worker(pod["metadata"]["namespace"], pod["metadata"]["name"])
        local = worker.local_port(port) if worker else None
        return ("127.0.0.1", local) if local else None

    def served_log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False
    ) -> str:
        """Whole, as the kubelet chooses it; StatusError 400 where it has none. Empty for a pod that
        is on no node.
        """
        worker = self.kubelet.worker(namespace, pod)
        return served_log(worker.worker(container), pod, previous=previous) if worker else ""

    def followed_log(self, namespace: str, pod: str, container: str, previous: bool) -> Follower:
        """What comes after it; StatusError 400 where there is none."""
        worker = self.kubelet.worker(namespace, pod)
        if worker is None:
            return nothing_follows(namespace, pod, container, previous)
        return FollowedLog(worker.worker(container), pod, previous=previous)

    def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str:
        """The same, and empty where there is none. container: empty for the first one."""
        worker = self.kubelet.worker(namespace, pod)
        if worker is None:
            return ""
        try:
            name = container or worker.containers[0].record.name
            return self.served_log(namespace, pod, name, previous=previous)
        except (LookupError, StatusError):
            return ""

    def node(self, namespace: str, pod: str) -> SimulatedNode | None:
        """The node process that runs in a pod now."""
        worker = self.kubelet.worker(namespace, pod)
        process = worker.node_process() if worker else None
        return process.node if process else None

    def volume(self, namespace: str, claim: str) -> Volume:
        return self.kubelet.volume(namespace, claim)

    def evict(self, namespace: str, pod: str, message: str = EVICTED) -> None:
        """The kubelet ends the pod, which stays as Failed; its ReplicaSet makes another."""
        self._pod(namespace, pod).evict(message)

    def drain(self, namespace: str, pod: str, grace: int | None = None) -> None:
        """Evicts the pod through the API, as `kubectl drain` does: it ends in its own time and is
        deleted, and its ReplicaSet makes another.
        """
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        evict(self._cluster.objects, namespace, pod, options)

    def kill(self, namespace: str, pod: str, container: str, reason: str = "OOMKilled") -> None:
        """The kernel kills the container's process: exit code 137."""
        self._pod(namespace, pod).worker(container).kill(reason)

    def reboot(self, namespace: str, pod: str, *, graceful: bool = False) -> None:
        """The machine restarts, as far as this pod notices: the same pod in a new sandbox, its init
        containers again, then the others. They end with 255 and no word; graceful: by SIGTERM.
        """
        self._pod(namespace, pod).reboot(graceful=graceful)

    def cordon(self, on: bool = True) -> None:
        """The machine takes no new pods, or takes them again. StatusError 404 without a kubelet."""

        def change(node: Object) -> None:
            node["spec"] = {"unschedulable": True, "taints": [_TAINT]} if on else {}

        self._cluster.objects.update("nodes", "", NODE_NAME, change, Write("kubectl"))

    def _pod(self, namespace: str, pod: str) -> PodWorker:
        worker = self.kubelet.worker(namespace, pod)
        if worker is None:
            raise LookupError(f"no pod {namespace}/{pod} runs")
        return worker

    def _hear(self, change: Change) -> None:
        self._collector.hear(change)
        self._deployments.hear(change)
        self._replicasets.hear(change)
        self.kubelet.hear(change)
