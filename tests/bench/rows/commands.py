"""The commands, as whole processes by the wall clock: what a person waits for.

`status` asks a server that only lists (tests/bench/list_server.py). Its request is what a bare
fetch of the same pages takes in a process that runs already: the server's share and the wire's. It
is taken off; kubectl stands beside it whole.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from store import open_store
from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.fleet import NAMESPACE, deployments, remember
from tests.bench.list_server import DEPLOYMENTS
from tests.bench.whole_process import seconds

HELP = 150.0  # ms
STATUS = 400.0  # ms beside its request
_OURS = (str(Path(sys.executable).with_name("bootstrap-controller")),)
_PREFIX = "commands"  # of the store's keys
_REDIS = " and what Redis knows"
_IMPORTED = ("controller.cli.main", "controller.cli.status",
             "controller.kube.login.kubeconfig.credentials")  # fmt: skip


@dataclass(frozen=True)
class _Place:
    """A server, and how it is asked."""

    count: int  # Deployments
    url: str
    kubeconfig: Path
    environ: Mapping[str, str]
    rounds: int

    def timed(self, *command: str) -> list[float]:
        """Milliseconds of each round."""
        words = (*command, "--kubeconfig", str(self.kubeconfig))
        return [1e3 * each for each in seconds(words, self.environ, self.rounds)]

    def fetched(self) -> float:
        """Milliseconds of its request alone."""
        return median(self._fetched_once() for _ in range(self.rounds))

    def _fetched_once(self) -> float:
        begin, token = time.perf_counter(), ""
        while True:
            with urlopen(f"{self.url}{DEPLOYMENTS}?limit=500&continue={token}") as answer:
                head = answer.read()[:200].decode()
            found = json.loads(head[head.index('"metadata":') + 11 : head.index("}") + 1])
            token = found.get("continue", "")
            if not token:
                return 1e3 * (time.perf_counter() - begin)


async def measure(scale: Scale) -> Sequence[Figure]:
    rounds = scale.pick(15, 1)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = {"HOME": folder, "KUBECONFIG": "", "PYTHONPATH": os.getcwd()}
        figures = list(await asyncio.to_thread(_without_cluster, environ, rounds))
        for count in (10, 1000):
            async with _place(count, Path(folder), environ, scale.pick(7, 1)) as place:
                if scale.redis:
                    await _fill(scale.redis, count)
                figures += await asyncio.to_thread(_of_status, place, scale.redis)
    return figures


def _without_cluster(environ: Mapping[str, str], rounds: int) -> Sequence[Figure]:
    def timed(*command: str) -> list[float]:
        return [1e3 * each for each in seconds(command, environ, rounds)]

    python = {"python -c pass": median(timed(sys.executable, "-c", "pass"))}
    peer, most, why = {}, HELP, ""
    if shutil.which("kubectl"):
        peer["kubectl version --client"] = median(timed("kubectl", "version", "--client"))
        twice = 2 * peer["kubectl version --client"]
        most, why = min(HELP, twice), "150 ms, and twice kubectl"
    note = "typer alone takes three quarters of it"
    return (
        of_rounds("--help", timed(*_OURS, "--help"), "ms", at_most(most, why), peer | python, note),
        of_rounds("--version", timed(*_OURS, "--version"), "ms", None, peer | python),
    )


def _of_status(place: _Place, redis: str) -> Sequence[Figure]:
    fetch = place.fetched()
    peer = {"its request": fetch}
    if shutil.which("kubectl"):
        peer["kubectl get"] = median(place.timed("kubectl", "get", "deployments"))
    whole = {"": place.timed(*_OURS, "status")}
    imports = {"": _imports(place)}
    if redis:
        whole[_REDIS] = place.timed(
            *_OURS, "status", "--store", redis, "--store-prefix", f"{_PREFIX}-{place.count}"
        )
        imports[_REDIS] = _imports(place, "store.redis.opening")
    return [
        of_rounds(
            f"status of {place.count:,} Deployments{beside}, beside its request",
            [each - fetch for each in rounds],
            "ms",
            at_most(STATUS),
            peer | {"Python and its imports alone": imports[beside], "whole": median(rounds)},
        )
        for beside, rounds in whole.items()
    ]


def _imports(place: _Place, *more: str) -> float:
    """Milliseconds of a process that imports what the command does, and does nothing."""
    modules = ", ".join((*_IMPORTED, *more))
    code = f"import gc; gc.disable(); import {modules}; gc.freeze()"
    return median(place.timed(sys.executable, "-c", code))


@contextlib.asynccontextmanager
async def _place(
    count: int, folder: Path, environ: Mapping[str, str], rounds: int
) -> AsyncIterator[_Place]:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.list_server", str(count), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().strip()
        kubeconfig = folder / f"kubeconfig-{count}"
        kubeconfig.write_text(json.dumps(_kubeconfig(url)))
        yield _Place(count, url, kubeconfig, environ, rounds)
    finally:
        server.terminate()
        await server.wait()


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "users": [{"name": "bench", "user": {}}],
        "contexts": [
            {
                "name": "bench",
                "context": {"cluster": "bench", "user": "bench", "namespace": NAMESPACE},
            }
        ],
        "current-context": "bench",
    }


async def _fill(redis: str, count: int) -> None:
    store = await open_store(redis, prefix=f"{_PREFIX}-{count}")
    try:
        await remember(store, deployments(count))
    finally:
        await store.close()
