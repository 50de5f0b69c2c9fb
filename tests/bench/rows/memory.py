"""Memory: what a process holds resident that has cached 10,000 Deployments, Pods and Services,
which a server in another process lists with managedFields, through the real informers.

Of each object: what the process grew by from before the lists. All is measured in a fresh process,
the row's own, after the collector of cycles ran.
"""

import gc
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figure import Figure, Scale, at_most
from tests.bench.idle_process import idle_process
from tests.bench.replaying import replay_server
from tests.bench.rows.first_sync import synced


async def measure(scale: Scale) -> Sequence[Figure]:
    return [*await _cached(scale.pick(10_000, 1_000)), *await idle_process(scale)]


async def _cached(count: int) -> Sequence[Figure]:
    with replay_server(count) as url, replay_server(1) as warm:
        await synced(warm, 1)  # code and buffers that are there once are not the objects'
        before = resident()
        cluster = await synced(url, count)
        gc.collect()
        after = resident()
        peak = _status("VmHWM")
    objects = 3 * count
    if len(cluster.keys()) != count:
        raise RuntimeError("objects were lost")
    what = f"an object cached, of {objects:,}"
    return (
        Figure(what, (after - before) / objects, "KB", at_most(4)),
        Figure("all of the process with them", after / 1024, "MB", at_most(200)),
        Figure("the same at its peak, while it listed", peak / 1024, "MB"),
    )


def resident() -> float:
    """KB of this process that are in memory now."""
    return _status("VmRSS")


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(field + ":")).split()[1])
