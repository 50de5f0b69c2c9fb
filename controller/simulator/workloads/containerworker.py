"""One container: pulled, started, restarted, and told to stop."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from controller.base.clock import Clock
from controller.simulator.node.log import NodeLog
from controller.simulator.workloads.image_puller import ImagePuller, Say
from controller.simulator.workloads.image_pulls import Image, Images
from controller.simulator.workloads.interruptible_pause import pause
from controller.simulator.workloads.podstatus import (
    ContainerRecord,
    go_duration,
    last_words,
    terminated,
    waiting,
)
from controller.simulator.workloads.processes import CannotCreate, CannotStart, Exit, Process
from controller.simulator.workloads.speed import Speed

Start = Callable[[Image], Process]

# What containerd says of a container that it finds without a process when the machine is back.
LOST = Exit(255, reason="Unknown")

# Exit code of a container of which the runtime could not start the program, and the time at which
# it has begun [scene noexec].
NOT_STARTED = 128
_NEVER = "1970-01-01T00:00:00Z"
_SHOWN = 1.0  # seconds for which the runtime's error is shown before the back-off is

# Containers of which the log is kept: the newest one, and one that is dead.
_KEPT = 2


class ContainerWorker:
    """Keeps one record true. `tell` is called whenever it changed, `say` for each Event.

    process: the present one, if one runs. idle: set while none does.
    """

    def __init__(
        self,
        record: ContainerRecord,
        start: Start,
        images: Images,
        clock: Clock,
        speed: Speed,
    ) -> None:
        self.record = record
        self.process: Process | None = None
        self.tell: Callable[[], None] = lambda: None
        self.say: Say = lambda _kind, _reason, _message: None
        self.pod_name = ""
        self._start = start
        self._clock = clock
        self._speed = speed
        self.idle = asyncio.Event()
        self.idle.set()
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._puller = ImagePuller(
            record,
            images,
            clock,
            speed,
            tell=lambda: self.tell(),
            say=lambda kind, reason, message: self.say(kind, reason, message),
            stopping=self._stopping,
        )
        self._crashes = 0
        self._end_reason = ""
        self._lost = False
        self._logs: OrderedDict[str, NodeLog] = OrderedDict()

    async def run_until_done(self) -> bool:
        """An init container's life: restarted until it ends with 0. False: told to stop."""
        while not self._stopping.is_set():
            if await self._run_once() == 0:
                self.record.ready = True
                self.tell()
                return True
            await self._back_off()
        return False

    async def run_for_ever(self) -> None:
        """A container's life: restarted whatever it ends with, until it is told to stop."""
        while not self._stopping.is_set():
            await self._run_once()
            await self._back_off()

    async def is_up(self) -> bool:
        """Waits until it runs. False: told to stop."""
        while not self._up.is_set():
            await self._up.wait()
        return not self._stopping.is_set()

    def retire(self) -> None:
        """No restart when it ends, and no start if it has not begun."""
        self._stopping.set()
        self._up.set()  # nobody waits for it any more

    def stop(self) -> None:
        """SIGTERM, and no restart."""
        self.retire()
        if self.process is not None:
            self.process.terminate()

    def kill(self, reason: str = "") -> None:
        """SIGKILL of the present process; `OOMKilled` is such a reason."""
        if self.process is not None:
            self._end_reason = reason
            self.process.kill()

    def lose(self) -> None:
        """The machine is gone, and the process with it: nobody sees how it ends."""
        self.retire()
        self._lost = True
        if self.process is not None:
            self.process.kill()

    def revive(self) -> None:
        """It may run again, after it was stopped or lost: the machine is back."""
        self._stopping.clear()
        self._up.clear()
        self._lost = False
        self._crashes = 0

    def kept_log(self, container_id: str) -> NodeLog | None:
        """That container's; None if it is kept no more."""
        return self._logs.get(container_id)

    async def _run_once(self) -> int | None:
        image = await self._puller.pull()
        if image is None:
            return None
        try:
            process = self._start(image)
        except CannotCreate as fault:
            await self._wait_to_be_created(str(fault))
            return None
        except CannotStart as fault:
            self._fail_to_start(str(fault))
            await pause(self._clock, _SHOWN, self._stopping)
            return NOT_STARTED
        started, born = self._stamp(), self._clock.monotonic()
        self.idle.clear()
        try:
            ended = await self._life_of(process, started)
        finally:
            self.process = None
            self.idle.set()
            if not self._stopping.is_set():
                self._up.clear()
        if self._clock.monotonic() - born > self._speed.restart_reset:
            self._crashes = 0
        self._crashes += 1
        ended = LOST if self._lost else ended
        self._end(ended, process.log, started)
        return ended.code

    async def _life_of(self, process: Process, started: str) -> Exit:
        """Cancelled, which is the machine being switched off, it kills the process and lets it end:
        one that is cut short while it ends anyway would leave its socket open.
        """
        life = asyncio.create_task(process.run(), name="process")
        try:
            await self._clock.sleep(0)  # it has begun before anybody hears of it
            self.process = process
            self._begin(process.log, started)
            if self._lost:
                process.kill()
            elif self._stopping.is_set():
                process.terminate()
            return await asyncio.shield(life)
        except asyncio.CancelledError:
            process.kill()
            await asyncio.wait({life})
            raise

    def _create(self) -> None:
        record = self.record
        record.restarts += record.serial > 0
        record.serial += 1
        self.say("Normal", "Created", "Container created")

    async def _wait_to_be_created(self, fault: str) -> None:
        """It has no end, and is not counted."""
        self.record.enter(waiting("CreateContainerConfigError", fault))
        self.say("Warning", "Failed", f"Error: {fault}")
        self.tell()
        await pause(self._clock, self._speed.create, self._stopping)

    def _fail_to_start(self, fault: str) -> None:
        """An end of a process that never began: its beginning is told as the epoch's."""
        self._create()
        self._crashes += 1
        record = self.record
        times = (_NEVER, self._stamp())
        record.last_state = terminated(record, NOT_STARTED, "StartError", fault, times)
        record.state = waiting("RunContainerError", fault)
        self.say("Warning", "Failed", f"Error: {fault}")
        self.tell()

    def _begin(self, log: NodeLog, started: str) -> None:
        record = self.record
        self._create()
        self._keep(log)
        record.enter({"running": {"startedAt": started}})
        record.started, record.ready = True, not record.probed
        self._up.set()
        self.say("Normal", "Started", "Container started")
        self.tell()

    def _end(self, ended: Exit, log: NodeLog, started: str) -> None:
        record = self.record
        message = ended.message
        if record.uses_log and ended.code != 0 and not message:
            message = last_words(log.text())
        reason = ended.reason or self._end_reason
        record.ready = record.started = False
        record.enter(terminated(record, ended.code, reason, message, (started, self._stamp())))
        self._end_reason = ""
        self.tell()

    def _keep(self, log: NodeLog) -> None:
        self._logs[self.record.container_id] = log
        while len(self._logs) > _KEPT:
            self._logs.popitem(last=False)

    async def _back_off(self) -> None:
        if self._stopping.is_set():
            return
        delay = self._speed.restart_delay(self._crashes)
        if not delay:
            return
        record = self.record
        what = f"container={record.name} pod={self.pod_name}"
        text = f"back-off {go_duration(delay)} restarting failed {what}"
        record.enter(waiting("CrashLoopBackOff", text))
        whom = f"container {record.name} in pod {self.pod_name}"
        self.say("Warning", "BackOff", f"Back-off restarting failed {whom}")
        self.tell()
        await pause(self._clock, delay, self._stopping)

    def _stamp(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
