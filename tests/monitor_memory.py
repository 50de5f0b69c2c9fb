"""How much memory a controller takes at work: `python -m tests.monitor_memory` prints a table, in
some minutes. The monitor's own limit is 60 MB resident.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.memory_stage import GOES_ON, REPOSITORY, TAG, Case, staged

MB = 1024.0  # of the kilobytes that the kernel tells

CASES = (
    Case("monitor, memory://", "monitor"),
    Case("monitor, Redis", "monitor", redis=True),
    Case("run, one Deployment, memory://"),
    Case("run, one Deployment, Redis", redis=True),
    Case("run, ten Deployments, Redis", redis=True, deployments=10),
    Case("run, one, Redis, a kubeconfig", redis=True, in_cluster=False),
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


async def measured(case: Case, seconds: float) -> list[tuple[str, Memory]]:
    """Each moment in words, with the memory then. seconds: how long the open run is asked."""
    deployments = [f"node-{number}" for number in range(case.deployments)]
    async with staged(case, deployments) as stage:
        await stage.until(deployments, lambda record: bool(record.run and record.run.started))
        found = [("follows a run", Memory.of(stage.pid))]
        await stage.until(deployments, lambda record: bool(record.outcomes))
        found.append(("has passed it", Memory.of(stage.pid)))
        stage.world.push(REPOSITORY, TAG, GOES_ON)
        await stage.until(deployments, lambda record: bool(record.run and record.run.started))
        await stage.goes_on(seconds)
        found.append((f"{seconds:g} s of another", Memory.of(stage.pid)))
        return found


async def table(cases: Sequence[Case], seconds: float) -> None:
    row = "{:<34}{:<18}" + "{:>8}" * 4
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
