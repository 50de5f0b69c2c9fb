"""A simulated world in this process, and the controller beside it in another, as in a cluster: with
a service account (tests/in_cluster_command.py), TLS to the API server, and a listener that kubelet
and Prometheus ask. Registry and nodes speak plain HTTP.
"""

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

REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
PASSES = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=3.0))
GOES_ON = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))
LIMIT = 60.0  # seconds for each step


@dataclass(frozen=True)
class Case:
    """One way to run it."""

    name: str
    command: str = "run"
    redis: bool = False  # else memory://
    deployments: int = 1
    in_cluster: bool = True  # else by a kubeconfig
    page: str = ""  # address of the page; empty: none


@dataclass
class Stage:
    """A world, and the controller beside it; a monitor begins anew in each pod, as in a cluster."""

    world: World
    session: aiohttp.ClientSession
    command: tuple[str, ...]  # all words after python's name
    environ: dict[str, str]
    listener: str  # URL
    log: Path
    pod: str = ""  # that a monitor runs in
    process: asyncio.subprocess.Process | None = None

    async def start(self, pod: str) -> None:
        self.pod = pod
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.command,
                stdout=log,
                stderr=log,
                env=self.environ | {"POD_NAME": pod, "POD_NAMESPACE": NAMESPACE},
            )

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def follow(self, deployment: str) -> None:
        """A monitor ends with its pod, and begins with the next one."""

        def another() -> str:
            pod = self.world.pod_of(deployment)
            name = pod["metadata"]["name"] if pod else self.pod
            return "" if name == self.pod else str(name)

        while True:
            pod = await self.world.until(another)
            await self.stop()
            await self.start(pod)

    async def ready(self) -> None:
        """Waits until it leads."""
        async with asyncio.timeout(LIMIT):
            while await self.asked("/readyz") != 200:  # noqa: ASYNC110 another process is asked
                await asyncio.sleep(0.1)

    async def asked(self, path: str) -> int:
        """The status of its listener's answer; 0 for none."""
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with self.session.get(self.listener + path) as response:
                await response.read()
                return response.status
        return 0

    async def until(self, deployments: Sequence[str], met: Callable[[Record], bool]) -> None:
        """Waits until the records of all of them have met it, and the controller leads."""

        def reached() -> bool:
            for name in deployments:
                text = self.world.deployment(name)["metadata"]["annotations"].get(names.RECORD)
                if not text or not met(decode_record(text, NAMESPACE, name)):
                    return False
            return True

        await self.world.until(reached, within=LIMIT)
        await self.ready()

    async def goes_on(self, seconds: float) -> None:
        """Meanwhile kubelet and Prometheus ask."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            for path in ("/healthz", "/readyz", "/metrics"):
                await self.asked(path)
            await asyncio.sleep(1.0)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


@contextlib.asynccontextmanager
async def staged(case: Case, deployments: Sequence[str]) -> AsyncIterator[Stage]:
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
        flags += ["--page", case.page] if case.page else []
        environ = {"HOME": str(folder), "PYTHONPATH": "."}
        if case.in_cluster:
            program = ["-m", "tests.in_cluster_command", str(folder / "account"), case.command]
            # the nodes of the simulator listen on this machine, not at the addresses of pods
            environ["BOOTSTRAP_NODE_URL"] = f"{world.api.url}{_PROXY}"
            environ |= await stack.enter_async_context(in_cluster(world, folder))
        else:
            program = ["-m", "controller", case.command]
            flags += ["--kubeconfig", str(world.kubeconfig(folder / "kubeconfig"))]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(
            world, session, (*program, *flags), environ, f"http://{listener}", folder / "log"
        )
        stack.push_async_callback(stage.stop)
        await open_on(stage, case, deployments, stack)
        try:
            yield stage
        except Exception:
            sys.stderr.write(stage.log.read_text()[-4000:])
            raise


async def open_on(
    stage: Stage, case: Case, deployments: Sequence[str], stack: contextlib.AsyncExitStack
) -> None:
    """Deploys, and starts the controller."""
    stage.world.push(REPOSITORY, TAG, PASSES)
    for name in deployments:
        # a target of its own, so that each of them tests the build
        stage.world.deploy(name, annotations={names.SOAK: "1s", names.SERIES: name})
    if case.command != "monitor":
        await stage.start("controller-0")
        return
    following = asyncio.create_task(stage.follow(deployments[0]))
    stack.push_async_callback(asyncio.gather, following, return_exceptions=True)
    stack.callback(following.cancel)


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
