"""A container's image on its way: each try, and what the kubelet says of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from controller.base.clock import Clock
from controller.simulator.workloads.image_pulls import Image, Images, PullError
from controller.simulator.workloads.interruptible_pause import pause
from controller.simulator.workloads.podstatus import ContainerRecord, waiting
from controller.simulator.workloads.speed import Speed

Say = Callable[[str, str, str], None]  # an Event: its type, reason and message

# Seconds until a kubelet looks at the pod again, and says ImagePullBackOff instead of the error.
_PULL_ERROR_SHOWN = 10.0


@dataclass(frozen=True)
class ImagePuller:
    """Of one container, whose record it keeps true meanwhile."""

    record: ContainerRecord
    images: Images
    clock: Clock
    speed: Speed
    stopping: asyncio.Event  # no more tries
    tell: Callable[[], None]  # the record has changed
    say: Say

    async def pull(self) -> Image | None:
        """None: told to stop before it came."""
        failures = 0
        while not self.stopping.is_set():
            try:
                image = self.images.resolve(self.record.image)
            except PullError as error:
                failures += 1
                await self._fail_to_pull(error, self.speed.pull_delay(failures))
            else:
                name = self.record.image.partition("@")[0].partition(":")[0]
                host = "" if "." in name.split("/")[0] else "docker.io/"
                self.record.image_id = f"{host}{name}@{image.digest}"
                self.record.runs = image.called
                self._say_pulling()
                self.say("Normal", "Pulled", f'Successfully pulled image "{self.record.image}"')
                return image
        return None

    async def _fail_to_pull(self, error: PullError, delay: float) -> None:
        """One failure, and the wait for the next try."""
        record, again = self.record, error.reason == "ErrImagePull"
        if again:
            self._say_pulling()
            self.say("Warning", "Failed", f'Failed to pull image "{record.image}": {error}')
        else:
            self.say("Warning", "InspectFailed", str(error))
        self._wait_for_image(error.reason, str(error))
        shown = min(delay / 2, _PULL_ERROR_SHOWN)
        await pause(self.clock, shown, self.stopping)
        if again and not self.stopping.is_set():
            text = f'Back-off pulling image "{record.image}"'
            self.say("Normal", "BackOff", text)
            self._wait_for_image("ImagePullBackOff", f"{text}: {error}")
        await pause(self.clock, delay - shown, self.stopping)

    def _say_pulling(self) -> None:
        self.say("Normal", "Pulling", f'Pulling image "{self.record.image}"')

    def _wait_for_image(self, reason: str, message: str) -> None:
        self.record.enter(waiting(reason, message))
        self.say("Warning", "Failed", f"Error: {reason}")
        self.tell()
