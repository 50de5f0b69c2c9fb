"""How much memory a controller takes that has nothing to do: the real `run` in a process of its
own, as in a cluster (tests/memory_stage.py), with ten Deployments whose build is tested.
"""

import subprocess
import sys
from collections.abc import Sequence

from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.memory_stage import Case, staged
from tests.monitor_memory import Memory

DEPLOYMENTS = 10
_IMPORTED = ("controller.cli.main", "controller.cli.run", "controller.registry.client",
             "controller.node.http_probe", "controller.kube.login.service_account")  # fmt: skip
RESIDENT = 60.0  # MB of 1024 kilobytes

_CASES = (Case("memory://", deployments=DEPLOYMENTS), Case("Redis", redis=True,
          deployments=DEPLOYMENTS))  # fmt: skip


async def idle_process(scale: Scale) -> Sequence[Figure]:
    """Of each store. Quick: of one, and for a moment."""
    cases = _CASES if scale.redis and not scale.quick else _CASES[:1]
    return [await _idle(case, scale.pick(60, 1)) for case in cases]


async def _idle(case: Case, seconds: float) -> Figure:
    """seconds: for which it has rested, while kubelet and Prometheus ask."""
    names = [f"node-{number}" for number in range(case.deployments)]
    async with staged(case, names) as stage:
        await stage.until(names, lambda record: bool(record.outcomes) and record.run is None)
        looks = []
        for _ in range(3):
            await stage.goes_on(seconds / 3)
            looks.append(Memory.of(stage.pid))
    alone = _imports("store.redis.opening") if case.redis else _imports()
    what = f"`run` idle with ten Deployments, {case.name}"
    return of_rounds(
        what,
        [look.rss for look in looks],
        "MB resident",
        at_most(RESIDENT),
        {
            "its own (USS)": looks[-1].uss,
            "peak": looks[-1].peak,
            "Python and its imports alone": alone,
        },
    )


def _imports(*more: str) -> float:
    """MB of a process that imports what `run` does, and does nothing."""
    modules = ", ".join((*_IMPORTED, *more))
    code = f"import {modules}, pathlib; print(pathlib.Path('/proc/self/status').read_text())"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("VmRSS:"))
    return float(line.split()[1]) / 1024
