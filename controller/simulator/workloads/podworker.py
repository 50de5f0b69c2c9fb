"""One pod on its node: volumes, init containers in order, then all containers, probes, the end."""

import asyncio

from loguru import logger

from controller.base.tasks import stop_all
from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.container_process import Place, process_of
from controller.simulator.workloads.container_workers import worker_of
from controller.simulator.workloads.containerworker import ContainerWorker
from controller.simulator.workloads.image_pulls import Image
from controller.simulator.workloads.interruptible_pause import pause
from controller.simulator.workloads.machine import HOST_IP, KUBELET, Machine
from controller.simulator.workloads.podstatus import PodRecord
from controller.simulator.workloads.probe import Probe
from controller.simulator.workloads.processes import NodeProcess, Process
from controller.simulator.workloads.termination import end_in_order
from controller.simulator.workloads.volumes import Volume

_NO_ATTACH = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"

_LACKS = "The node was low on resource"  # how the message begins where the machine is short of it


class PodWorker:
    """`run` ends when the pod is gone from the API server."""

    def __init__(self, pod: Object, machine: Machine) -> None:
        self.pod = pod
        self._machine = machine
        self._volume: Volume | None = None
        self._interrupted = asyncio.Event()
        self._deleted = False
        self._power_fails = False
        self._grace = 0.0
        spec, now = pod["spec"], machine.cluster.storage.timestamp()
        self.record = PodRecord(HOST_IP, now, pod["status"]["qosClass"])
        self.inits = [self._worker(c, init=True) for c in spec.get("initContainers") or ()]
        self.containers = [self._worker(c, init=False) for c in spec["containers"]]
        self.workers = [*self.containers, *self.inits]
        self.record.inits = [worker.record for worker in self.inits]
        self.record.containers = [worker.record for worker in self.containers]

    async def run(self) -> None:
        while True:
            await self._live_until_interrupted()
            if self._deleted:
                break
            self._begin_again()
        self.record.deleted = True
        self.write()
        self._machine.cluster.delete("pods", self.pod, gracePeriodSeconds=0)

    def delete(self, grace: float) -> None:
        """The API server says that the pod is to go, after so many seconds at most."""
        self._grace = min(grace, self._machine.speed.longest_grace)
        self._deleted = True
        self._interrupted.set()

    def reboot(self, *, graceful: bool) -> None:
        """The machine restarts under the pod, which stays; nothing happens to one that is over.
        graceful: systemd lets the processes end first.
        """
        if self.record.failure is None and not self._deleted:
            self._grace = self._machine.speed.longest_grace
            self._power_fails = not graceful
            self._interrupted.set()

    def evict(self, message: str) -> None:
        """The kubelet itself ends the pod; it stays, Failed, until somebody deletes it."""
        self.record.failure = ("Evicted", message)
        self.record.disrupted = message.startswith(_LACKS)
        self._machine.kubelet.say(self.pod, "Warning", "Evicted", message)
        self._say_killing()
        for worker in self.workers:
            worker.stop()
            worker.kill()
        self.write()

    def worker(self, container: str) -> ContainerWorker:
        """Raises LookupError."""
        for worker in self.workers:
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
        """Brings the status to the API server, unless nothing changed or the pod is gone. What
        others say in conditions of their own stays.
        """
        status = self.record.document(self._machine.cluster.storage.timestamp())
        ours = {condition["type"] for condition in status["conditions"]}

        def change(pod: Object) -> None:
            before = (pod.get("status") or {}).get("conditions") or ()
            others = [condition for condition in before if condition["type"] not in ours]
            pod["status"] = status | {"conditions": [*others, *status["conditions"]]}

        self._machine.cluster.change(
            "pods", self.pod, change, manager=KUBELET, subresource="status"
        )

    async def _live_until_interrupted(self) -> None:
        life = asyncio.create_task(self._live(), name="pod lives")
        life.add_done_callback(_say_failure)
        try:
            await self._interrupted.wait()
            if self._deleted:
                self._say_killing()
                clock = self._machine.clock
                await end_in_order(self.containers, self.inits, self._grace, clock)
            elif not self._power_fails:
                await self._ask_to_end(life)
            for worker in self.workers:
                worker.kill() if self._deleted else worker.lose()
            await asyncio.wait({life})  # not gathered, as below
        finally:
            await stop_all([life])

    async def _ask_to_end(self, life: asyncio.Task[None]) -> None:
        """SIGTERM to all at once, and the time of grace if they need it."""
        ended = asyncio.Event()
        life.add_done_callback(lambda _: ended.set())
        for worker in self.workers:
            worker.stop()
        await pause(self._machine.clock, self._grace, ended)

    def _begin_again(self) -> None:
        """The machine is back: the kubelet finds the sandbox dead, and makes all anew."""
        self._interrupted.clear()
        for worker in self.workers:
            worker.revive()
        self.record.ip = ""
        message = "Pod sandbox changed, it will be killed and re-created."
        self._machine.kubelet.say(self.pod, "Normal", "SandboxChanged", message)

    async def _live(self) -> None:
        self.write()
        volume = await self._set_up()
        if volume is None:
            return
        self.write()
        lives: list[asyncio.Task[None]] = []
        try:
            if await self._prepare(lives):
                self.write()
                lives += map(self._begin, self.containers)
            if lives:
                # Not gathered: a cancellation would reach them twice, and cut their endings short.
                await asyncio.wait(lives)
        finally:
            await stop_all(lives)

    async def _prepare(self, lives: list[asyncio.Task[None]]) -> bool:
        """The init containers in their order; sidecars live on among `lives`. False: told to end
        meanwhile.
        """
        for worker in self.inits:
            if worker.record.sidecar:
                lives.append(self._begin(worker))
                begun = await worker.is_up()
            else:
                begun = await worker.run_until_done()
            if not begun:
                return False
        return True

    def _begin(self, worker: ContainerWorker) -> asyncio.Task[None]:
        """A life until it is told to end."""
        return asyncio.create_task(self._run(worker), name=worker.record.name)

    async def _set_up(self) -> Volume | None:
        """Volumes, then the sandbox with its address. None: interrupted before they were there."""
        machine = self._machine
        while claim := machine.claims.missing(self.pod):
            if self._interrupted.is_set():
                return None
            message = f'AttachVolume.Attach failed for volume "{claim}" : {_NO_ATTACH}'
            machine.attacher.say(self.pod, "Warning", "FailedAttachVolume", message)
            await pause(machine.clock, machine.speed.attach, self._interrupted)
        if self._volume is None:
            self._volume = machine.claims.volume_of(self.pod)
        self.record.ip = machine.address()
        return self._volume

    async def _run(self, worker: ContainerWorker) -> None:
        if not worker.record.probed:
            await worker.run_for_ever()
            return
        probe = asyncio.create_task(self._probe(worker), name="probe")
        probe.add_done_callback(_say_failure)
        try:
            await worker.run_for_ever()
        finally:
            await stop_all([probe])

    async def _probe(self, worker: ContainerWorker) -> None:
        spec = self.pod["spec"]
        containers = (*spec["containers"], *(spec.get("initContainers") or ()))
        container = next(c for c in containers if c["name"] == worker.record.name)
        probe = Probe(container, self.record.ip, self._machine.session, self.local_port)
        record, serial = worker.record, 0
        period = self._machine.speed.probe or probe.period
        while True:
            if serial != record.serial:
                serial = record.serial
                probe.reset()
            ready = record.running and await probe.passes()
            if serial == record.serial and record.running and ready != record.ready:
                record.ready = ready
                self.write()
            await self._machine.clock.sleep(period)

    def _say_killing(self) -> None:
        for worker in self.workers:
            if worker.process is not None:
                worker.say("Normal", "Killing", f"Stopping container {worker.record.name}")

    def _worker(self, container: Object, *, init: bool) -> ContainerWorker:
        def start(image: Image) -> Process:
            volume = self._volume or Volume()  # there is one: it was set up before
            place = Place(self.pod, volume, self._machine, self._localhost)
            return process_of(container, image, place, init=init)

        return worker_of(
            container, self.pod, self._machine, start=start, tell=self.write, init=init
        )

    def _localhost(self, port: int) -> int | None:
        process = self.node_process()
        return process.local_port(port, inside=True) if process else None


def _say_failure(life: asyncio.Task[None]) -> None:
    """A mistake of the simulator's own must not look like a pod that hangs."""
    if not life.cancelled() and (error := life.exception()) is not None:
        logger.opt(exception=error).error("a simulated pod has failed by our own mistake")
