"""The stage of each scenario: the simulator's, or with `--kubeconfig` a real cluster's."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from secrets import token_hex

import pytest

from controller.base.clock import SystemClock
from controller.simulator.world import World
from tests.cluster.stage import Stage


@pytest.fixture
async def cluster(kubeconfig: Path | None, tmp_path: Path) -> AsyncIterator[Path]:
    """A kubeconfig of the cluster to play on."""
    if kubeconfig is not None:
        yield kubeconfig
        return
    async with World(SystemClock(), Random(3), kubelet=False) as world:
        yield world.kubeconfig(tmp_path / "kubeconfig")


@pytest.fixture
async def stage(cluster: Path) -> AsyncIterator[Stage]:
    """In a namespace of its own, which goes with it."""
    async with Stage(cluster, f"bootstrap-test-{token_hex(4)}") as stage:
        yield stage
