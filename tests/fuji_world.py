"""A simulated world with one Deployment, `fuji`, for tests of the simulator itself. Their modules
are marked `jumping`: it takes a real cluster's and a real node's time over everything.
"""

from math import inf
from typing import Any

from controller.simulator.apiserver.resources import Object
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE, World

REPOSITORY = "avaplatform/avalanchego"
RUN = "20261123t060000z-11111111"
# Bootstraps until somebody ends it.
ENDLESS = SimulatedBuild(commit="a" * 40, plan=Plan(bootstrap_seconds=inf))


def deploy(world: World, build: SimulatedBuild = ENDLESS, **manifest: Any) -> None:
    """Deploys `fuji`, pinned to a build."""
    world.push(REPOSITORY, "latest", build)
    image = f"{REPOSITORY}:latest@{build.digest()}"
    world.deploy("fuji", image=image, run_id=RUN, **manifest)


async def start(world: World, build: SimulatedBuild = ENDLESS, **manifest: Any) -> str:
    """The same, and waits until its status says that the node runs; returns the pod's name."""
    deploy(world, build, **manifest)
    await world.until(lambda: "running" in state_of(world))
    return pod_name(world)


def pod_name(world: World) -> str:
    pod = world.pod_of("fuji")
    assert pod is not None
    return str(pod["metadata"]["name"])


def status_of(world: World, container: str = "node", pod: Object | None = None) -> Any:
    """A container's status in the pod that is to stay, or this one; empty where there is none."""
    status = (pod or world.pod_of("fuji") or {}).get("status") or {}
    found = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    return next((each for each in found if each["name"] == container), {})


def state_of(world: World, container: str = "node") -> Any:
    return status_of(world, container).get("state", {})


def ended(world: World, container: str = "node") -> Any:
    """How its last process ended, whether or not another has been started since."""
    status = status_of(world, container)
    for state in (status.get("state", {}), status.get("lastState", {})):
        if "terminated" in state:
            return state["terminated"]
    return None


def condition_of(pod: Object, kind: str) -> Any:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), None)


def events_of(world: World, reason: str, kind: str = "Pod") -> list[Object]:
    """Those with that reason about objects of that kind, as they are stored: the core view."""
    return [
        event
        for event in world.api.storage.objects("events", NAMESPACE)
        if event["reason"] == reason and event["involvedObject"]["kind"] == kind
    ]
