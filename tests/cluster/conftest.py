"""The stage of each scenario: the simulator's, or with `--kubeconfig` a real cluster's."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from secrets import token_hex

import pytest

from controller.base.clock import Clock, SystemClock
from controller.simulator.world import World
from tests.cluster.stage import Stage
from tests.jumping_loop import LoopClock


@pytest.fixture
async def clock(kubeconfig: Path | None) -> Clock:
    """On the simulator it jumps (tests/conftest.py)."""
    return LoopClock() if kubeconfig is None else SystemClock()


@pytest.fixture
async def cluster(kubeconfig: Path | None, clock: Clock, tmp_path: Path) -> AsyncIterator[Path]:
    """A kubeconfig of the cluster to play on."""
    if kubeconfig is not None:
        yield kubeconfig
        return
    async with World(clock, Random(3), kubelet=False) as world:
        yield world.kubeconfig(tmp_path / "kubeconfig")


@pytest.fixture
def way() -> str:
    """Whether a controller looks after the Deployments, or a monitor in the pod of each."""
    return "controller"


@pytest.fixture
async def stage(cluster: Path, clock: Clock, way: str) -> AsyncIterator[Stage]:
    """In a namespace of its own, which goes with it."""
    namespace = f"bootstrap-test-{token_hex(4)}"
    async with Stage(cluster, namespace, clock, monitored=way == "monitor") as stage:
        yield stage
