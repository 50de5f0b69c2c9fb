"""One container: pulled, started, restarted, and told to stop."""

import asyncio
from collections.abc import Callable

from controller.base.clock import Clock
from controller.simulator.workloads.images import Image, Images, PullError
from controller.simulator.workloads.podstatus import ContainerRecord, terminated, waiting
from controller.simulator.workloads.processes import Process
from controller.simulator.workloads.speed import Speed

Start = Callable[[Image], Process]


class ContainerWorker:
    """Keeps one record true. `tell` is called whenever it changed.

    process: the present one, if one runs. previous_log: text of the one before.
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
        self.log_text = ""
        self.previous_log = ""
        self.tell: Callable[[], None] = lambda: None
        self.pod_name = ""
        self._start = start
        self._images = images
        self._clock = clock
        self._speed = speed
        self._stopping = asyncio.Event()
        self._crashes = 0
        self._end_reason = ""

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

    def stop(self) -> None:
        """SIGTERM, and no restart."""
        self._stopping.set()
        if self.process is not None:
            self.process.terminate()

    def kill(self, reason: str = "") -> None:
        """SIGKILL of the present process; `OOMKilled` is such a reason."""
        if self.process is not None:
            self._end_reason = reason
            self.process.kill()

    async def _run_once(self) -> int | None:
        image = await self._pull()
        if image is None:
            return None
        record = self.record
        process = self._start(image)
        started, born = self._stamp(), self._clock.monotonic()
        self.process = process
        record.restarts += record.serial > 0
        record.serial += 1
        record.state = {"running": {"startedAt": started}}
        record.started = True
        self.tell()
        if self._stopping.is_set():
            process.terminate()
        try:
            ended = await process.run()
        finally:
            self.process = None
            self.previous_log, self.log_text = self.log_text, process.log.text()
        if self._clock.monotonic() - born > self._speed.restart_reset:
            self._crashes = 0
        self._crashes += 1
        record.ready = record.started = False
        record.state = terminated(
            ended.code, self._end_reason, ended.message, started, self._stamp()
        )
        self._end_reason = ""
        self.tell()
        return ended.code

    async def _back_off(self) -> None:
        if self._stopping.is_set():
            return
        delay = self._speed.restart_delay(self._crashes)
        record = self.record
        if "terminated" in record.state:
            record.last_state = record.state
        if delay:
            what = f"container={record.name} pod={self.pod_name}"
            text = f"back-off {delay:g}s restarting failed {what}"
            record.state = waiting("CrashLoopBackOff", text)
            self.tell()
            await self._pause(delay)

    async def _pull(self) -> Image | None:
        failures = 0
        while not self._stopping.is_set():
            try:
                image = self._images.resolve(self.record.image)
            except PullError as error:
                failures += 1
                delay = self._speed.pull_delay(failures)
                self.record.state = waiting(error.reason, str(error))
                self.tell()
                await self._pause(delay / 2)
                if error.reason == "ErrImagePull":
                    text = f'Back-off pulling image "{self.record.image}": {error}'
                    self.record.state = waiting("ImagePullBackOff", text)
                    self.tell()
                await self._pause(delay / 2)
            else:
                name = self.record.image.partition("@")[0].partition(":")[0]
                host = "" if "." in name.split("/")[0] else "docker.io/"
                self.record.image_id = f"{host}{name}@{image.digest}"
                return image
        return None

    async def _pause(self, seconds: float) -> None:
        """Sleeps, but not through a stop."""
        asleep = asyncio.ensure_future(self._clock.sleep(seconds))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({asleep, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asleep.cancel()
            stopped.cancel()
            await asyncio.gather(asleep, stopped, return_exceptions=True)

    def _stamp(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
