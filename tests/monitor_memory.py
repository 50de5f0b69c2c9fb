"""How much memory a controller takes at work: `python -m tests.monitor_memory` prints a table.

The world is simulated in this process; what is measured is a child of it, the command itself
(tests/in_cluster_command.py). All else is as in a cluster: TLS to the API server, and a listener
that the kubelet and Prometheus ask. Registry and nodes speak plain HTTP.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import Random

import aiohttp

from controller.base.clock import SystemClock
from controller.demo.process import DURATIONS
from controller.domain import names
from controller.domain.record.record import Record, decode_record
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE, World
from tests.kube_samples.certificates import cluster_files
from tests.redis_servers import free_port, redis_server

COMMAND = "run"
REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
PASSES = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=1.0))
GOES_ON = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
LIMIT = 60.0  # seconds for each step
MB = 1024.0  # of the kilobytes that the kernel tells


@dataclass(frozen=True)
class Case:
    """What is measured."""

    name: str
    redis: bool = False  # else memory://
    deployments: int = 1
    in_cluster: bool = True  # else by a kubeconfig


CASES = (
    Case("one Deployment, memory://"),
    Case("one Deployment, Redis", redis=True),
    Case("ten Deployments, Redis", redis=True, deployments=10),
    Case("one Deployment, Redis, a kubeconfig", redis=True, in_cluster=False),
)


@dataclass(frozen=True)
class Memory:
    """Of one process, in MB of 1024 kilobytes."""

    rss: float
    pss: float  # what it shares with others counts as its part only
    uss: float  # what it shares with nobody
    peak: float  # the largest RSS so far

    @classmethod
    def of(cls, pid: int) -> "Memory":
        kilobytes: dict[str, int] = {}
        for file in ("smaps_rollup", "status"):
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                name, *values = line.split()
                if values[1:] == ["kB"]:
                    kilobytes[name] = int(values[0])
        private = kilobytes["Private_Clean:"] + kilobytes["Private_Dirty:"]
        found = (kilobytes["Rss:"], kilobytes["Pss:"], private, kilobytes["VmHWM:"])
        return cls(*(each / MB for each in found))


@dataclass
class Stage:
    """A world, and the controller beside it."""

    world: World
    process: asyncio.subprocess.Process
    listener: str  # its URL
    session: aiohttp.ClientSession

    async def ready(self) -> None:
        """Waits until it leads."""
        async with asyncio.timeout(LIMIT):
            while await self.asked("/readyz") != 200:  # noqa: ASYNC110 another process is asked
                await asyncio.sleep(0.1)

    async def asked(self, path: str) -> int:
        """The status of its listener's answer; 0 for none."""
        if self.process.returncode is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}")
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with self.session.get(self.listener + path) as response:
                await response.read()
                return response.status
        return 0

    async def until(self, deployments: Sequence[str], met: Callable[[Record], bool]) -> None:
        """Waits until the records of all of them have met it."""

        def reached() -> bool:
            for name in deployments:
                text = self.world.deployment(name)["metadata"]["annotations"].get(names.RECORD)
                if not text or not met(decode_record(text, NAMESPACE, name)):
                    return False
            return True

        await self.world.until(reached, within=LIMIT)

    async def goes_on(self, seconds: float) -> None:
        """Meanwhile kubelet and Prometheus ask."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            for path in ("/healthz", "/readyz", "/metrics"):
                await self.asked(path)
            await asyncio.sleep(1.0)

    def memory(self) -> Memory:
        return Memory.of(self.process.pid)


async def measured(case: Case, seconds: float) -> list[tuple[str, Memory]]:
    """Each moment in words, with the memory then. seconds: how long the open run is asked."""
    deployments = [f"node-{number}" for number in range(case.deployments)]
    async with staged(case) as stage:
        await stage.ready()
        found = [("leads", stage.memory())]
        stage.world.push(REPOSITORY, TAG, PASSES)
        for name in deployments:
            # a target of its own, so that each of them tests the build
            stage.world.deploy(name, annotations={names.SOAK: "1s", names.SERIES: name})
        await stage.until(deployments, lambda record: bool(record.outcomes))
        found.append(("a run has passed", stage.memory()))
        stage.world.push(REPOSITORY, TAG, GOES_ON)
        await stage.until(deployments, lambda record: bool(record.run and record.run.started))
        await stage.goes_on(seconds)
        found.append((f"{seconds:g} s of a run", stage.memory()))
        return found


@contextlib.asynccontextmanager
async def staged(case: Case) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memory-")))
        world = await stack.enter_async_context(World(SystemClock(), Random(1)))
        store = "memory://"
        if case.redis:
            store = stack.enter_context(redis_server(folder)).url
        listener = f"127.0.0.1:{free_port()}"
        flags = ["--store", store, "--listen", listener, "--log-format", "json"]
        flags += ["--registry", f"docker.io={world.registry.url}"]
        flags += [word for pair in DURATIONS.items() for word in pair]
        environ = {"HOME": str(folder), "POD_NAME": "monitored-0", "PYTHONPATH": "."}
        if case.in_cluster:
            program = ["tests.in_cluster_command", str(folder / "account"), COMMAND]
            # the nodes of the simulator listen on this machine, not at the addresses of pods
            flags += ["--node-url", f"{world.api.url}{_PROXY}"]
            environ |= await stack.enter_async_context(in_cluster(world, folder))
        else:
            program = ["controller", COMMAND]
            flags += ["--kubeconfig", str(world.kubeconfig(folder / "kubeconfig"))]
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *program, *flags, stdout=log, stderr=log, env=environ
            )
        stack.push_async_callback(process.wait)
        stack.callback(process.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        try:
            yield Stage(world, process, f"http://{listener}", session)
        except Exception:
            sys.stderr.write((folder / "log").read_text()[-4000:])
            raise


_PROXY = "/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy"


@contextlib.asynccontextmanager
async def in_cluster(world: World, folder: Path) -> AsyncIterator[dict[str, str]]:
    """The variables of a pod with a service account, whose files are in `account`; the API server
    stands behind TLS, as in a cluster.
    """
    files, account = cluster_files(folder / "tls"), folder / "account"
    account.mkdir()
    (account / "ca.crt").write_bytes(files.ca.read_bytes())
    (account / "token").write_text("token")
    (account / "namespace").write_text(NAMESPACE)
    plain = int(world.api.url.rpartition(":")[2])

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", plain)
        await asyncio.gather(pass_on(reader, behind[1]), pass_on(behind[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=files.server_context())
    port = server.sockets[0].getsockname()[1]
    try:
        yield {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}
    finally:
        server.close()


async def table(cases: Sequence[Case], seconds: float) -> None:
    row = "{:<38}{:<20}" + "{:>8}" * 4
    print(row.format("", "MB", "RSS", "PSS", "USS", "peak"))  # noqa: T201
    for case in cases:
        for moment, memory in await measured(case, seconds):
            sizes = (memory.rss, memory.pss, memory.uss, memory.peak)
            line = row.format(case.name, moment, *(f"{size:.1f}" for size in sizes))
            print(line, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description="How much memory a controller takes at work.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a run is asked")
    parser.add_argument("--only", type=int, choices=range(1, len(CASES) + 1), help="one case")
    chosen = parser.parse_args()
    cases = CASES if chosen.only is None else CASES[chosen.only - 1 : chosen.only]
    asyncio.run(table(cases, chosen.seconds))


if __name__ == "__main__":
    main()
