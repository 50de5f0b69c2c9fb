"""Scenes for tests of causes on the whole simulator: one Deployment, `fuji`, its node, its run."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.domain.record.record import Outcome
from controller.simulator.node import Plan, SimulatedNode
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.controlled_world import DAY, HOUR, REPOSITORY, SELDOM, ControlledWorld, controlled_world
from tests.fuji_world import state_of, status_of

COMMIT = "a1" * 20
QUICK = Plan(bootstrap_seconds=HOUR)
LONG = Plan(bootstrap_seconds=30 * DAY)


@asynccontextmanager
async def causes_world(folder: Path) -> AsyncIterator[ControlledWorld]:
    """For fixtures."""
    async with controlled_world(folder) as found:
        yield found


def begin(
    world: ControlledWorld,
    plan: Plan,
    *,
    tag: str = "latest",
    build: dict[str, Any] | None = None,
    store: str = "memory://",
    flags: Mapping[str, object] = SELDOM,
    **manifest: Any,
) -> None:
    """Pushes a build, deploys `fuji` and starts the controller. build: what else the build is.
    flags: the controller's.
    """
    made = SimulatedBuild(commit=COMMIT, plan=plan, **(build or {}))
    world.world.push(REPOSITORY, tag, made)
    world.deploy("fuji", image=f"{REPOSITORY}:{tag}", **manifest)
    world.start(store=store, **flags)


async def bootstrapping(world: ControlledWorld) -> SimulatedNode:
    """Until the controller knows that the run's node has started; returns the node."""
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    return await running(world)


async def running(world: ControlledWorld, restarts: int = 0) -> SimulatedNode:
    """Until the status says that the node runs, after so many restarts at least."""

    def node() -> SimulatedNode | None:
        counted = status_of(world.world).get("restartCount", -1)
        return world.world.node_of("fuji") if _runs(world) and counted >= restarts else None

    return await world.until(node)


def _runs(world: ControlledWorld) -> bool:
    return "running" in state_of(world.world)


async def ends(world: ControlledWorld) -> Outcome:
    """Until the first run is over."""
    return await world.until(lambda: outcome(world))


def outcome(world: ControlledWorld) -> Outcome | None:
    record = world.record("fuji")
    return record.outcome() if record else None


def pod(world: ControlledWorld) -> str:
    """Name of the pod that is to stay."""
    found = world.world.pod_of("fuji")
    assert found is not None
    return str(found["metadata"]["name"])


def kill(world: ControlledWorld) -> None:
    """SIGKILL of the node, and not by the kernel for want of memory."""
    world.world.workloads.kill(NAMESPACE, pod(world), "node", reason="")


def told(world: ControlledWorld, reason: str) -> list[str]:
    """Notes of the controller's Kubernetes Events of that reason."""
    return [note for found, note in world.events("fuji") if found == reason]


async def hears(world: ControlledWorld, reason: str, times: int = 1) -> list[str]:
    """Until so many such Events are there; returns their notes."""
    await world.until(lambda: len(told(world, reason)) >= times)
    return told(world, reason)
