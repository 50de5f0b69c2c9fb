"""The real process beside a simulated cluster, on a store that is there already: its start, and
commands that read.
"""

import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from redis.asyncio import Redis

from controller.base.clock import SystemClock
from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import World
from tests.redis_servers import free_port

REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
_BUILD = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=3600.0))
_DEPLOYMENTS = 3
_LIMIT = 60.0  # seconds
_numbers = itertools.count()  # targets of their own for each start: no claim of an earlier one


@dataclass
class Beside:
    """A cluster with some Deployments, and what is run beside it."""

    world: World
    store: str  # URL
    folder: Path
    _flags: list[str] = field(init=False)

    def __post_init__(self) -> None:
        kubeconfig = self.world.kubeconfig(self.folder / "kubeconfig")
        self._flags = ["--kubeconfig", str(kubeconfig), "--store", self.store]

    async def first_claim(self) -> float:
        """Seconds from the start of the process until the store has granted it its first claim. It
        settles for no time: that is waited for on purpose.
        """
        registry = f"docker.io={self.world.registry.url}"
        flags = ["--registry", registry, "--listen", f"127.0.0.1:{free_port()}", "--settle", "0s",
                 "--poll-interval", "1s"]  # fmt: skip
        redis = Redis.from_url(self.store)
        await redis.delete("bootstrap:meta")
        begin = time.perf_counter()
        process = await self._process("run", *flags)
        try:
            async with asyncio.timeout(_LIMIT):
                while int(await redis.hget("bootstrap:meta", "grants") or 0) == 0:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            return time.perf_counter() - begin
        finally:
            process.terminate()
            await process.wait()
            await redis.aclose()

    async def command(self, *words: str) -> float:
        """Seconds that it takes, from its start to its end."""
        begin = time.perf_counter()
        process = await self._process(*words)
        if code := await process.wait():
            raise RuntimeError(f"{' '.join(words)} ends with {code}")
        return time.perf_counter() - begin

    async def _process(self, *words: str) -> asyncio.subprocess.Process:
        nowhere = asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "controller", *words, *self._flags,
            stdout=nowhere, stderr=nowhere, env=os.environ | {"HOME": str(self.folder)},
        )  # fmt: skip


@asynccontextmanager
async def beside(store: str) -> AsyncIterator[Beside]:
    """A fresh cluster, in which nothing was tested yet."""
    with tempfile.TemporaryDirectory(prefix="years-") as folder:
        async with World(SystemClock(), Random(1)) as world:
            world.push(REPOSITORY, TAG, _BUILD)
            for _ in range(_DEPLOYMENTS):
                name = f"start-{next(_numbers)}"
                world.deploy(name, annotations={names.SERIES: name})
            yield Beside(world, store, Path(folder))
