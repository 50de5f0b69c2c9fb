"""One node process: from its start to its exit code."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.faults import Faults
from controller.simulator.node.health import Health, shutting_down
from controller.simulator.node.listener import Listener
from controller.simulator.node.log import NodeLog
from controller.simulator.node.narration import Narration
from controller.simulator.node.planned_behaviour import LOW_STAKE, Plan
from controller.simulator.node.planned_exit import ExitKind, next_exit
from controller.simulator.node.progress import Progress
from controller.simulator.node.routes import Routes, host_check
from controller.simulator.node.settings import NodeSettings, Version
from controller.simulator.node.state import NodeState

KILLED = 137  # 128 + SIGKILL: the kernel on an exhausted memory limit, or the kubelet
OOM_KILLED = "OOMKilled"  # the kubelet's word for the kernel's doing


@dataclass(frozen=True)
class Pace:
    """What a node does by itself, in seconds."""

    health_seconds: float = 0.1  # between two runs of the checks (30 in avalanchego [88])
    log_seconds: float = 0.5  # between two lines of progress


class SimulatedNode:
    """A node over the database `progress`; `run` is its whole life. `bound`: it listens.
    end_reason: what a kubelet says beside the exit code, `OOMKilled` or nothing.

    The methods that change it while it runs (`finish`, `stall`, `freeze`, `fail`, `mend`) run the
    health checks at once, so that a test need not wait for the interval.
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
        self.faults = Faults()
        self.end_reason = ""
        self.state = NodeState(settings, plan, progress)
        self.health = Health(self.state.checks())
        self._listener = Listener(self.faults, clock)
        self.bound = self._listener.bound
        self._tells = Narration(self.log, self.state)
        self._version = version
        self._clock = clock
        self._pace = pace
        self._serving = self._listener.serving
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._seen = 0.0
        self._dying: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """0 while nothing listens."""
        return self._listener.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def run(self) -> int:
        """Lives, and returns the exit code. Cancelled: the machine is gone."""
        self._seen = self._clock.monotonic()
        if self.state.plan.refuses:
            self.log.raw(self.state.plan.refuses)
            return 1
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
            await self._listener.close(runner)
        progress.clean = code == 0
        return code

    def terminate(self) -> None:
        """SIGTERM: exit code 0 [117], after the plan's time."""
        if self._dying or self._exit.done() or self.state.plan.deaf:
            return
        self.log.write("INFO", "node/node.go:1711", "shutting down node", exitCode=0)
        self._dying = asyncio.create_task(self._shut_down(), name="node shuts down")

    def kill(self, code: int = KILLED) -> None:
        """SIGKILL: nothing is said and nothing closed."""
        self._end(code)

    def crash(self, code: int, line: str) -> None:
        """A fatal error of a chain [116]; without a word where the line is empty."""
        if not self._exit.done():
            if line:
                self._tells.crashing(line)
            self.state.progress.crashes += 1
            self._end(code)

    def run_out_of_memory(self) -> None:
        """The kernel kills it, and nothing is said: 137, `OOMKilled`."""
        if not self._exit.done():
            self.end_reason = OOM_KILLED
            self.state.progress.ooms += 1
            self._end(KILLED)

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

    def freeze(self, *, frozen: bool = True) -> None:
        """No new block from now on, on any chain, and nothing else amiss; or blocks come again."""
        self._advance()
        self.state.frozen = frozen
        self.evaluate()

    def fail(self, check: str, error: str = LOW_STAKE) -> None:
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
                self._listener.hang_until_serving(self._advance),
                self.faults.middleware,
                host_check(self.state),
            ]
        )
        app.add_routes(Routes(self.state, self.health, self._version).table())
        # A process that is gone answers nobody: handlers are not waited for. (Zero would mean for
        # ever to aiohttp.)
        return web.AppRunner(app, access_log=None, shutdown_timeout=0.001)

    async def _listen(self, runner: web.AppRunner) -> None:
        if not self.state.plan.never_listens:
            await self._listener.open(runner)

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
        plan, progress = self.state.plan, self.state.progress
        planned = next_exit(plan, progress)
        if planned is None:
            return
        await self._clock.sleep(planned.age)
        if self._exit.done():
            return
        match planned.kind:
            case ExitKind.CRASH:
                self.crash(plan.crash_code, plan.crash_line)
            case ExitKind.MEMORY:
                self.run_out_of_memory()
            case ExitKind.DISK:
                self._tells.low_on_disk()
                self._end(1)
                progress.full_disks += 1
            case ExitKind.PANIC:
                self._tells.panicking()
                self._end(0)
                progress.panics += 1

    async def _shut_down(self) -> None:
        self.health.add(shutting_down())
        self.evaluate()
        await self._clock.sleep(self.state.plan.shutdown_seconds)
        self._end(0)

    def _end(self, code: int) -> None:
        if not self._exit.done():
            self._advance()
            self._exit.set_result(code)
            self.log.close()

    def _advance(self) -> None:
        now = self._clock.monotonic()
        if self._serving.is_set():
            self.state.advance(now - self._seen, self._clock.now())
        self._seen = now
