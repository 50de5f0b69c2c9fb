"""What runs inside containers: a node, an init container that prepares data, or something idle."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from controller.base.clock import Clock
from controller.simulator.node import (
    KILLED,
    BadSettings,
    NodeSettings,
    Pace,
    SimulatedNode,
    StartFailure,
    Version,
)
from controller.simulator.node.log import NodeLog
from controller.simulator.registry.simulated_build import SimulatedBuild
from controller.simulator.workloads.initcontainer import InitCall, InitContainer
from controller.simulator.workloads.volumes import RunDirectory, Volume

TERMINATED = 143  # 128 + SIGTERM: what a shell that traps it, or a program that does not, ends with


@dataclass(frozen=True)
class Exit:
    code: int
    message: str = ""  # the termination message; empty for none
    reason: str = ""  # what the runtime says of it, `OOMKilled`; empty where the code says it


@dataclass(frozen=True)
class Command:
    """What a container is started with."""

    environment: dict[str, str]
    arguments: tuple[str, ...] = ()  # command and args in one


class Process(Protocol):
    """One container's life. `run` may be cancelled: then the machine is gone."""

    log: NodeLog

    async def run(self) -> Exit: ...

    def terminate(self) -> None:
        """SIGTERM."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...


class CannotCreate(Exception):
    """No container can be made of the manifest: a Secret that it names is not there."""


class CannotStart(Exception):
    """The runtime has made the container, and the image's program does not run in it."""


class IdleProcess:
    """Runs until it is stopped: the other containers of a pod."""

    def __init__(self, clock: Clock) -> None:
        self.log = NodeLog(clock)
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> Exit:
        return Exit(await self._exit)

    def terminate(self) -> None:
        self._end(TERMINATED)

    def kill(self) -> None:
        self._end(KILLED)

    def _end(self, code: int) -> None:
        if not self._exit.done():
            self._exit.set_result(code)


class DoneProcess(IdleProcess):
    """Ends with 0 at once: init containers that prepare nothing of ours."""

    async def run(self) -> Exit:
        return Exit(0)


class ForeignProcess(IdleProcess):
    """A program for another architecture: the kernel refuses to run it when the container has been
    started, and the runtime writes why to the container's log [scene arm].
    """

    def __init__(self, clock: Clock, program: str) -> None:
        super().__init__(clock)
        self.log.raw(f"exec {program}: exec format error")

    async def run(self) -> Exit:
        return Exit(1)


class InitProcess(IdleProcess):
    """An init container of the node's image. SIGTERM while it waits ends it at once, but is lost in
    its first seconds: `deaf`, 0 for none.
    """

    def __init__(
        self,
        container: InitContainer,
        environment: dict[str, str],
        volume: Volume,
        build: SimulatedBuild,
        clock: Clock,
        deaf: float = 0.0,
    ) -> None:
        super().__init__(clock)
        self._clock = clock
        self._hears = clock.monotonic() + deaf
        self._container = container
        self._call = InitCall(environment, volume, build.binary, clock.now, self.log.raw)

    def terminate(self) -> None:
        if self._clock.monotonic() >= self._hears:
            super().terminate()

    async def run(self) -> Exit:
        work = asyncio.create_task(self._prepare(), name="init container")
        stopped = asyncio.create_task(super().run(), name="init container stops")
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else stopped.result()
        finally:
            stopped.cancel()
            work.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)

    async def _prepare(self) -> Exit:
        done = await self._container.prepare(self._call)
        return Exit(done.code, done.message)


class NodeProcess:
    """avalanchego in its container: settings from the environment, database on the volume.

    node: None until it has read its settings, and for ever if it could not.
    """

    def __init__(
        self,
        build: SimulatedBuild,
        command: Command,
        volume: Volume,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.log = NodeLog(clock)
        self.node: SimulatedNode | None = None
        self._directory: RunDirectory | None = None
        try:
            settings = NodeSettings.read(command.environment, command.arguments)
        except BadSettings as error:
            self.log.raw(str(error))
            return
        self._directory = volume.directory(settings.data_dir)
        version = Version(build.version, build.commit)
        progress = self._directory.progress
        self.node = SimulatedNode(settings, version, build.plan, progress, clock, pace=pace)
        self.log = self.node.log

    async def run(self) -> Exit:
        node, directory = self.node, self._directory
        if node is None or directory is None:
            return Exit(1)
        if directory.in_use:
            return Exit(node.fail_to_start(StartFailure.DB_LOCKED))  # LevelDB's lock
        directory.in_use = True
        try:
            code = await node.run()
            return Exit(code, reason=node.end_reason)
        finally:
            directory.in_use = False

    def terminate(self) -> None:
        if self.node is not None:
            self.node.terminate()

    def kill(self) -> None:
        if self.node is not None:
            self.node.kill()

    def local_port(self, port: int, *, inside: bool = False) -> int | None:
        """Where the container's port really is, if anybody could connect to it: from outside the
        pod, or from inside, where a node that listens on 127.0.0.1 only is reached too.
        """
        node = self.node
        if node is None or not node.port:
            return None
        settings = node.state.settings
        reached = inside or settings.reachable
        return node.port if reached and settings.http_port == port else None
