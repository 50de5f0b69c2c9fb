"""The replay server as a process, and our client of it."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

from controller.base.clock import SystemClock
from controller.kube.api.client import KubeClient
from tests.kube_samples.credentials import GivenCredentials


@contextlib.contextmanager
def replay_server(objects: int = 0) -> Iterator[str]:
    """Its URL. objects: how many of each kind its lists hold; 0 for empty ones, and the watch."""
    command = [sys.executable, "-m", "tests.bench.replay_server", "--objects", str(objects)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def client_of(url: str) -> AsyncIterator[KubeClient]:
    async with KubeClient(GivenCredentials(url, namespace="bench"), SystemClock()) as client:
        yield client


async def until_ended(task: asyncio.Task[object], happened: asyncio.Event) -> None:
    """Until it happens, while the task runs; then the task is cancelled. Raises what it raises."""
    waiting = asyncio.create_task(happened.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    for each in (task, waiting):
        each.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
