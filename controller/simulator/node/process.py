"""One node process: from its start to its exit code."""

import asyncio
import socket
from dataclasses import dataclass
from math import inf

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.faults import Faults
from controller.simulator.node.health import Health, shutting_down
from controller.simulator.node.log import NodeLog
from controller.simulator.node.narration import Narration
from controller.simulator.node.plan import Plan
from controller.simulator.node.progress import Progress
from controller.simulator.node.routes import Routes, host_check
from controller.simulator.node.settings import NodeSettings, Version
from controller.simulator.node.state import NodeState

KILLED = 137  # 128 + SIGKILL: the kernel on an exhausted memory limit, or the kubelet


@dataclass(frozen=True)
class Pace:
    """health_seconds: between two runs of the checks (30 in avalanchego [88]). log_seconds: between
    two lines of progress.
    """

    health_seconds: float = 0.1
    log_seconds: float = 0.5


class SimulatedNode:
    """A node over the database `progress`; `run` is its whole life. `bound`: it listens.

    The methods that change it while it runs (`finish`, `stall`, `fail`, `mend`) run the health
    checks at once, so that a test need not wait for the interval.
    """

    def __init__(
        self,
        settings: NodeSettings,
        version: Version,
        plan: Plan,
        progress: Progress,
        clock: Clock,
        *,
        pace: Pace = Pace(),
    ) -> None:
        self.log = NodeLog(clock)
        self.bound = asyncio.Event()
        self.faults = Faults()
        self.state = NodeState(settings, plan, progress)
        self.health = Health(self.state.checks())
        self.port = 0
        self._tells = Narration(self.log, self.state)
        self._version = version
        self._clock = clock
        self._pace = pace
        self._serving = asyncio.Event()
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._seen = 0.0
        self._dying: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def run(self) -> int:
        """Lives, and returns the exit code. Cancelled: the machine is gone."""
        self._seen = self._clock.monotonic()
        progress = self.state.progress
        progress.starts += 1
        if not progress.clean:
            self.log.write("WARN", "node/node.go:836", "detected previous ungraceful shutdown")
        self._tells.starting(self._version)
        if progress.network not in {"", self.state.settings.network}:
            self.log.raw("couldn't start node: db contains invalid genesis hash")  # [103]
            return 1
        progress.network = self.state.settings.network
        progress.clean = False
        tasks = [
            asyncio.create_task(self._ends(), name="node ends"),
            asyncio.create_task(self._checks(), name="node checks"),
            asyncio.create_task(self._reports(), name="node reports"),
        ]
        runner = self._runner()
        # Shielded: a cancellation inside would leave a socket that nobody knows.
        listening = asyncio.create_task(self._listen(runner), name="node listens")
        try:
            await asyncio.shield(listening)
            code = await self._exit
        finally:
            if self._dying:
                tasks.append(self._dying)
            await stop_all(tasks)
            await asyncio.gather(listening, return_exceptions=True)
            self.port = 0
            await self._unlisten(runner)
        progress.clean = code == 0
        return code

    def terminate(self) -> None:
        """SIGTERM: exit code 0 [117], after the plan's time."""
        if self._dying or self._exit.done():
            return
        self.log.write("INFO", "node/node.go:1711", "shutting down node", exitCode=0)
        self._dying = asyncio.create_task(self._shut_down(), name="node shuts down")

    def kill(self, code: int = KILLED) -> None:
        """SIGKILL: nothing is said and nothing closed."""
        self._end(code)

    def crash(self, code: int, line: str) -> None:
        """A fatal error of a chain [116]."""
        self._tells.crashing(line)
        self.state.progress.crashes += 1
        self._end(code)

    def finish(self) -> None:
        """All work that is left is done now."""
        self._advance()
        self.state.progress.done = self.state.plan.bootstrap_seconds
        self.evaluate()

    def stall(self, *, stalled: bool = True) -> None:
        """Nothing moves from now on; or it does again."""
        self._advance()
        self.state.stalled = stalled
        self.evaluate()

    def fail(self, check: str, error: str = "not connected to enough stake") -> None:
        """That health check fails until it is mended."""
        self.state.outages[check] = error
        self.evaluate()

    def mend(self, check: str) -> None:
        self.state.outages.pop(check, None)
        self.evaluate()

    def evaluate(self) -> None:
        """Runs the health checks now instead of at the next interval."""
        self._advance()
        self.health.evaluate(self._clock.now())

    def _runner(self) -> web.AppRunner:
        app = web.Application(
            middlewares=[
                self._hang_until_serving(),
                self.faults.middleware,
                host_check(self.state),
            ]
        )
        app.add_routes(Routes(self.state, self.health, self._version).table())
        # A process that is gone answers nobody: handlers are not waited for. (Zero would mean for
        # ever to aiohttp.)
        return web.AppRunner(app, access_log=None, shutdown_timeout=0.001)

    async def _listen(self, runner: web.AppRunner) -> None:
        if self.state.plan.never_listens:
            return
        await runner.setup()
        self._socket = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, self._socket).start()
        self.port = runner.addresses[0][1]
        self.bound.set()

    async def _unlisten(self, runner: web.AppRunner) -> None:
        # asyncio takes a few turns from accepting a connection to telling aiohttp of it; one that
        # it meets a closed server with, or that is cleaned up before that, would never be closed.
        # So nothing more is accepted first, and the server is closed a few turns later.
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
        for _ in range(5):
            await self._clock.sleep(0)
        for site in list(runner.sites):
            await site.stop()
        self.faults.release()
        await runner.cleanup()

    def _hang_until_serving(self) -> Middleware:
        @web.middleware
        async def hang(request: web.Request, handler: Handler) -> web.StreamResponse:
            await self._serving.wait()
            self._advance()
            return await handler(request)

        return hang

    async def _checks(self) -> None:
        await self._clock.sleep(self.state.plan.hang_for)
        self._seen = self._clock.monotonic()  # no work was done while the database was opened
        self._serving.set()
        self.log.write("INFO", "server/server.go:184", "API server listening")
        said = False
        while True:
            await self._clock.sleep(self._pace.health_seconds)
            self.evaluate()
            if self.state.bootstrapped and not said:
                said = True
                self._tells.bootstrapped()

    async def _reports(self) -> None:
        await self._serving.wait()
        while not self.state.bootstrapped:
            await self._clock.sleep(self._pace.log_seconds)
            self._advance()
            self._tells.progress()

    async def _ends(self) -> None:
        """The plan's endings, each at its age; the first one wins."""
        plan = self.state.plan
        crash = plan.crash_after
        if plan.crash_times is not None and self.state.progress.crashes >= plan.crash_times:
            crash = None
        ends = {"crash": crash, "disk": plan.disk_full_after, "zero": plan.exit_zero_after}
        age, how = min((inf if age is None else age, how) for how, age in ends.items())
        if age == inf:
            return
        await self._clock.sleep(age)
        self._advance()
        match how:
            case "crash":
                self.crash(plan.crash_code, plan.crash_line)
            case "disk":
                self.log.write("FATAL", "node/node.go:1477", "low on disk space. Shutting down...")
                self._end(1)
            case _:
                self.log.write("FATAL", "app/app.go:146", "caught panic", panic="runtime error")
                self._end(0)

    async def _shut_down(self) -> None:
        self.health.add(shutting_down())
        self.evaluate()
        await self._clock.sleep(self.state.plan.shutdown_seconds)
        self._end(0)

    def _end(self, code: int) -> None:
        if not self._exit.done():
            self._advance()
            self._exit.set_result(code)

    def _advance(self) -> None:
        now = self._clock.monotonic()
        if self._serving.is_set():
            self.state.advance(now - self._seen)
        self._seen = now
