"""What looks after the stage's Deployments, in this process: a controller, or the monitor of a pod,
which is another process in each pod.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Protocol

from controller.base.clock import Clock
from controller.base.errors import SettingsFault
from controller.domain.defaults import Rules
from controller.kube.lease import LeaseTimes
from controller.process.app import App
from controller.process.scope import own_pod_scope
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from tests.cluster.api import View

# As in production but for the delays before a pin is put back: a real cluster is waited for.
RULES = Rules(revert_delays=(0.3, 0.6))
# A pod that goes gives its Lease back; short all the same, for a real cluster is waited for.
_LEASE = LeaseTimes(duration=2.0, deadline=1.5, retry=0.2)


class Engine(Protocol):
    """Whichever of the two."""

    def start(self) -> None: ...

    async def stop(self) -> None:
        """In good order, as on SIGTERM; what it raised is the test's to see."""
        ...

    async def restart(self) -> None:
        """Cut short wherever it is, its store's memory lost with it, and started again."""
        ...


class Controller:
    """`name` is its pod's, which survives a restart."""

    def __init__(self, clock: Clock, name: str, flags: dict[str, object]) -> None:
        self._clock = clock
        self._name = name
        self._flags = flags
        self._app: App | None = None
        self._life: asyncio.Task[None] | None = None

    def start(self) -> None:
        environ = {"POD_NAME": self._name}
        around = Surroundings(self._clock, Random(1), environ, RULES)
        self._app = App(load_settings(self._flags, environ), around)
        self._life = asyncio.create_task(self._app.run(), name=self._name)

    async def stop(self) -> None:
        life, self._life = self._life, None
        if self._app is not None and life is not None:
            self._app.stop()
            await life

    async def restart(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        self.start()


class MonitorInItsPod:
    """One monitor after the other: each lives in the newest pod of the stage and ends with it."""

    def __init__(self, clock: Clock, namespace: str, view: View, flags: dict[str, object]) -> None:
        self._clock = clock
        self._namespace = namespace
        self._view = view
        self._flags = flags
        self._following: asyncio.Task[None] | None = None
        self._app: App | None = None
        self._life: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._following = asyncio.create_task(self._follow(), name="pods with monitors")

    async def stop(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await self._end(lambda app: app.stop())

    async def restart(self) -> None:
        life = self._life
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        await self.stop()
        self.start()

    async def _follow(self) -> None:
        now = ""
        while True:
            await self._view.until(lambda then=now: self._newest() != then, float("inf"), str)
            now = self._newest()
            await self._end(lambda app: app.stop())
            if now:
                self._begin(now)

    def _begin(self, pod: str) -> None:
        environ = {"POD_NAME": pod, "POD_NAMESPACE": self._namespace}
        around = Surroundings(self._clock, Random(1), environ, RULES, _LEASE)
        self._app = App(load_settings(self._flags, environ), around, own_pod_scope)
        self._life = asyncio.create_task(self._app.run(), name=f"monitor in {pod}")

    async def _end(self, how: Callable[[App], None]) -> None:
        app, life, self._life = self._app, self._life, None
        if app is None or life is None:
            return
        how(app)
        await asyncio.wait({life})
        error = None if life.cancelled() else life.exception()
        if error is not None and not isinstance(error, SettingsFault):  # its pod was gone before
            raise error

    def _newest(self) -> str:
        """Of the pods; those that are to go are as good as gone where another is there."""
        found = sorted(
            self._view.all("pods"),
            key=lambda pod: (
                "deletionTimestamp" not in pod["metadata"],
                pod["metadata"]["creationTimestamp"],
                int(pod["metadata"]["resourceVersion"]),
            ),
        )
        return str(found[-1]["metadata"]["name"]) if found else ""
