"""Scenes for tests of causes on the whole simulator: one Deployment, `fuji`, its node, its run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import Outcome
from controller.simulator.node import Plan, SimulatedNode
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.controlled_world import REPOSITORY, SPEED, ControlledWorld, controlled_world
from tests.fuji_world import state_of, status_of

# Patience of a second or so, where a real controller has hours. All of it is short, so that a scene
# which fails by one reason has been judged by all others too.
RULES = Rules(
    condition_told=0.3,
    image_pull_patience=1.0,
    unschedulable_patience=1.0,
    config_patience=1.0,
    volume_patience=1.0,
    no_peers_patience=1.0,
    silence_patience=1.0,
    stall_fetching=1.0,
    stall_executing=1.0,
    stall_syncing=1.0,
    unhealthy_patience=1.0,
    tip_age=2.0,
    tip_patience=1.0,
)
# Restarts slow enough for the last words of each end to be read, as any real kubelet's are [62].
SLOWER = replace(SPEED, restart_first=0.3, restart_cap=0.3)
COMMIT = "a1" * 20
QUICK = Plan(bootstrap_seconds=0.1)
LONG = Plan(bootstrap_seconds=600.0)


@asynccontextmanager
async def causes_world(folder: Path, rules: Rules = RULES) -> AsyncIterator[ControlledWorld]:
    """For fixtures."""
    async with controlled_world(folder, rules=rules, speed=SLOWER) as found:
        yield found


def begin(
    world: ControlledWorld,
    plan: Plan,
    *,
    tag: str = "latest",
    build: dict[str, Any] | None = None,
    store: str = "memory://",
    **manifest: Any,
) -> None:
    """Pushes a build, deploys `fuji` and starts the controller. build: what else the build is."""
    made = SimulatedBuild(commit=COMMIT, plan=plan, **(build or {}))
    world.world.push(REPOSITORY, tag, made)
    annotations = {names.SOAK: "1s", **manifest.pop("annotations", {})}
    image = f"{REPOSITORY}:{tag}"
    world.deploy("fuji", image=image, annotations=annotations, **manifest)
    world.start(store=store)


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
