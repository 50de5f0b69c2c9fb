"""One pod on its node: init containers in order, then all containers, probes, and the end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from loguru import logger

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.cluster import Cluster
from controller.simulator.workloads.containerworker import ContainerWorker
from controller.simulator.workloads.environment import environment_of
from controller.simulator.workloads.images import Image, Images
from controller.simulator.workloads.initcontainer import InitContainer
from controller.simulator.workloads.podstatus import ContainerRecord, PodRecord
from controller.simulator.workloads.probe import Probe
from controller.simulator.workloads.processes import (
    Command,
    DoneProcess,
    IdleProcess,
    InitProcess,
    NodeProcess,
    Process,
)
from controller.simulator.workloads.speed import Speed
from controller.simulator.workloads.volumes import Volume

KUBELET = "kubelet"  # field manager of pod statuses


@dataclass(frozen=True)
class Machine:
    """What every pod of a node shares. volume: a pod's volume for `/data`."""

    cluster: Cluster
    images: Images
    clock: Clock
    speed: Speed
    init_container: InitContainer
    session: aiohttp.ClientSession
    volume: Callable[[Object], Volume]


class PodWorker:
    """`run` ends when the pod is gone from the API server."""

    def __init__(self, pod: Object, ip: str, host_ip: str, machine: Machine) -> None:
        self.pod = pod
        self._machine = machine
        self._volume = machine.volume(pod)
        self._deleted = asyncio.Event()
        self._grace = 0.0
        self.record = PodRecord(
            pod["metadata"]["uid"], ip, host_ip, machine.cluster.storage.timestamp()
        )
        spec = pod["spec"]
        self.inits = [self._worker(c, init=True) for c in spec.get("initContainers") or ()]
        self.containers = [self._worker(c, init=False) for c in spec["containers"]]
        self.record.inits = [worker.record for worker in self.inits]
        self.record.containers = [worker.record for worker in self.containers]

    async def run(self) -> None:
        life = asyncio.create_task(self._live(), name="pod lives")
        life.add_done_callback(_say_failure)
        try:
            await self._deleted.wait()
            for worker in [*self.inits, *self.containers]:
                worker.stop()
            asleep = asyncio.ensure_future(self._machine.clock.sleep(self._grace))
            await asyncio.wait({life, asleep}, return_when=asyncio.FIRST_COMPLETED)
            asleep.cancel()
            for worker in [*self.inits, *self.containers]:
                worker.kill()
            await asyncio.gather(life, return_exceptions=True)
            self._machine.cluster.delete("pods", self.pod, gracePeriodSeconds=0)
        finally:
            await stop_all([life])

    def delete(self, grace: float) -> None:
        """The API server says that the pod is to go, after so many seconds at most."""
        self._grace = min(grace, self._machine.speed.longest_grace)
        self._deleted.set()

    def evict(self, message: str) -> None:
        """The kubelet itself ends the pod; it stays, Failed, until somebody deletes it."""
        self.record.failure = ("Evicted", message)
        for worker in [*self.inits, *self.containers]:
            worker.stop()
            worker.kill()
        self.write()

    def worker(self, container: str) -> ContainerWorker:
        """Raises LookupError."""
        for worker in [*self.containers, *self.inits]:
            if worker.record.name == container:
                return worker
        raise LookupError(container)

    def node_process(self) -> NodeProcess | None:
        """Of the node that runs now."""
        for worker in self.containers:
            if isinstance(worker.process, NodeProcess):
                return worker.process
        return None

    def local_port(self, port: int) -> int | None:
        process = self.node_process()
        return process.local_port(port) if process else None

    def write(self) -> None:
        """Brings the status to the API server, unless nothing changed or the pod is gone."""
        now = self._machine.cluster.storage.timestamp()
        status = self.record.document(now)
        self._machine.cluster.change(
            "pods",
            self.pod,
            lambda pod: pod.update(status=status),
            manager=KUBELET,
            subresource="status",
        )

    async def _live(self) -> None:
        self.write()
        for worker in self.inits:
            if not await worker.run_until_done():
                return
        self.write()
        containers = zip(self.containers, self.pod["spec"]["containers"], strict=True)
        lives = [
            asyncio.create_task(self._run(worker, container), name=worker.record.name)
            for worker, container in containers
        ]
        try:
            # Not gathered: a cancellation would reach them twice, and cut their endings short.
            await asyncio.wait(lives)
        finally:
            await stop_all(lives)

    async def _run(self, worker: ContainerWorker, container: Object) -> None:
        probe = asyncio.create_task(self._probe(worker, container), name="probe")
        probe.add_done_callback(_say_failure)
        try:
            await worker.run_for_ever()
        finally:
            await stop_all([probe])

    async def _probe(self, worker: ContainerWorker, container: Object) -> None:
        probe = Probe(container, self.record.ip, self._machine.session, self.local_port)
        record, serial = worker.record, 0
        while True:
            if serial != record.serial:
                serial = record.serial
                probe.reset()
            ready = record.running and await probe.passes()
            if serial == record.serial and record.running and ready != record.ready:
                record.ready = ready
                self.write()
            await self._machine.clock.sleep(self._machine.speed.probe)

    def _worker(self, container: Object, *, init: bool) -> ContainerWorker:
        record = ContainerRecord(container["name"], container["image"])
        machine = self._machine
        worker = ContainerWorker(
            record,
            lambda image: self._start(container, image, init=init),
            machine.images,
            machine.clock,
            machine.speed,
        )
        worker.tell = self.write
        worker.pod_name = self.pod["metadata"]["name"]
        return worker

    def _start(self, container: Object, image: Image, *, init: bool) -> Process:
        clock = self._machine.clock
        environment = environment_of(container, self.pod)
        if image.build is None:
            return DoneProcess(clock) if init else IdleProcess(clock)
        if init:
            prepares = self._machine.init_container
            return InitProcess(prepares, environment, self._volume, image.build, clock)
        pace = self._machine.speed.node
        words = (*(container.get("command") or ()), *(container.get("args") or ()))
        command = Command(environment, words)
        return NodeProcess(image.build, command, self._volume, clock, pace)


def _say_failure(life: asyncio.Task[None]) -> None:
    """A mistake of the simulator's own must not look like a pod that hangs."""
    if not life.cancelled() and (error := life.exception()) is not None:
        logger.opt(exception=error).error("a simulated pod has failed by our own mistake")
