"""One node process: from its start to its exit code."""

import asyncio

from aiohttp import web

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.faults import Faults
from controller.simulator.node import start_failure
from controller.simulator.node.health import Health
from controller.simulator.node.inside import Inside
from controller.simulator.node.listener import Listener
from controller.simulator.node.log import NodeLog
from controller.simulator.node.pace import DEFAULT_PACE, Pace
from controller.simulator.node.planned_behaviour import LOW_STAKE, Plan
from controller.simulator.node.planned_exit import ExitKind, next_exit
from controller.simulator.node.progress import Progress
from controller.simulator.node.routes import Routes, runner_of
from controller.simulator.node.settings import NodeSettings, Version
from controller.simulator.node.shutdown_words import LONGEST
from controller.simulator.node.start_failure import StartFailure
from controller.simulator.node.state import NodeState

KILLED = 137  # 128 + SIGKILL: the kernel on an exhausted memory limit, or the kubelet
OOM_KILLED = "OOMKilled"  # the kubelet's word for the kernel's doing
_PANICKED = 2  # exit code of a Go program


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
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        self.log = NodeLog(clock, as_json=settings.log_json)
        self.faults = Faults()
        self.end_reason = ""
        self.state = NodeState(settings, plan, progress)
        self._inside = Inside(self.state, self.log, version, clock)
        self._listener = Listener(self.faults, clock)
        self.bound = self._listener.bound
        self._version = version
        self._clock = clock
        self._pace = pace
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._dying: asyncio.Task[None] | None = None
        self._in_order = False  # whether it has gone through its shutdown

    @property
    def health(self) -> Health:
        return self._inside.health

    @property
    def port(self) -> int:
        """0 while nothing listens."""
        return self._listener.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def run(self) -> int:
        """Lives, and returns the exit code. Cancelled: the machine is gone."""
        plan, progress = self.state.plan, self.state.progress
        if plan.refuses:
            self.log.raw(plan.refuses)
            return 1
        progress.starts += 1
        if plan.fails_to_start is not None:
            return self.fail_to_start(plan.fails_to_start)
        if progress.network not in {"", self.state.settings.network}:
            return self.fail_to_start(StartFailure.WRONG_GENESIS)
        self._inside.tells.starting()
        self._inside.begin(clean=progress.clean)
        progress.network = self.state.settings.network
        progress.clean = False
        tasks = [
            asyncio.create_task(self._ends(), name="node ends"),
            asyncio.create_task(self._checks(), name="node checks"),
            asyncio.create_task(self._reports(), name="node reports"),
        ]
        routes = Routes(self.state, self.health, self._version, self.log, self._clock)
        before = self._listener.hang_until_serving(self._inside.advance)
        runner = runner_of(routes, self.state, [before, self.faults.middleware])
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
        progress.clean = self._in_order or code == 0
        return code

    def fail_to_start(self, failure: StartFailure) -> int:
        """Says so, in place of `run`'s own words; returns the exit code."""
        settings = self.state.settings
        database = f"{settings.data_dir}/db/{settings.network}/v1.4.5"
        address = f"{settings.http_host}:{settings.http_port}"
        begin = self._inside.tells.starting
        start_failure.tell(failure, self.log, begin, database=database, address=address)
        return 1

    def terminate(self) -> None:
        """SIGTERM: exit code 0 [117], after the plan's time."""
        if self._dying or self._exit.done() or self.state.plan.deaf:
            return
        self._dying = asyncio.create_task(self._shut_down(), name="node shuts down")

    def kill(self, code: int = KILLED) -> None:
        """SIGKILL: nothing is said and nothing closed."""
        self._end(code)

    def crash(self, code: int, line: str) -> None:
        """A fatal error of a chain [116]; without a word where the line is empty."""
        if not self._exit.done():
            self._inside.advance()
            if line:
                self._inside.tells.crashing(line)
                self._in_order = True
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
        self._inside.advance()
        self.state.progress.done = self.state.plan.bootstrap_seconds
        self.evaluate()

    def stall(self, *, stalled: bool = True) -> None:
        """Nothing moves from now on; or it does again."""
        self._inside.advance()
        self.state.stalled = stalled
        self.evaluate()

    def freeze(self, *, frozen: bool = True) -> None:
        """No new block from now on, on any chain, and nothing else amiss; or blocks come again."""
        self._inside.advance()
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
        self._inside.evaluate()

    async def _listen(self, runner: web.AppRunner) -> None:
        if not self.state.plan.never_listens:
            await self._listener.open(runner)

    async def _checks(self) -> None:
        await self._clock.sleep(self.state.plan.hang_for)
        self._inside.serve(self.state.settings.http_port or self.port)
        self._listener.serving.set()
        interval = self.state.settings.health_seconds or self._pace.health_seconds
        while not self._inside.doomed:
            await self._clock.sleep(interval)
            self.evaluate()
        self._in_order = True
        self._end(1)

    async def _reports(self) -> None:
        await self._listener.serving.wait()
        while not self.state.bootstrapped:
            await self._clock.sleep(self._pace.log_seconds)
            self._inside.advance()
            self._inside.tells.progress()

    async def _ends(self) -> None:
        plan, progress = self.state.plan, self.state.progress
        planned = next_exit(plan, progress)
        if planned is None:
            return
        await self._clock.sleep(planned.age)
        if self._exit.done():
            return
        self._inside.advance()
        match planned.kind:
            case ExitKind.CRASH:
                self.crash(plan.crash_code, plan.crash_line)
            case ExitKind.MEMORY:
                self.run_out_of_memory()
            case ExitKind.DISK:
                self._inside.tells.low_on_disk()
                self._in_order = True
                self._end(1)
                progress.full_disks += 1
            case ExitKind.PANIC:
                self._inside.tells.panicking()
                self._end(_PANICKED)
                progress.panics += 1
            case ExitKind.CAUGHT:
                self._inside.tells.caught()
                self._end(0)
                progress.caught += 1

    async def _shut_down(self) -> None:
        shutdown = self._inside.begin_shutdown()
        await self._clock.sleep(self.state.settings.http_wait)
        shutdown.routers()
        shutdown.chains()
        hangs = LONGEST if self.state.locked else 0.0
        await self._clock.sleep(max(self.state.plan.shutdown_seconds, hangs))
        shutdown.end()
        self._end(0)

    def _end(self, code: int) -> None:
        if not self._exit.done():
            self.log.close()  # what comes about now is told by nobody
            self._inside.advance()
            self._exit.set_result(code)
