"""A recorded scene of a kubelet through the whole controller: the simulated API server, registry
and controllers, a kubelet that does what it did, and the controller in process, at the product's
own durations. Their modules are marked `jumping`.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from loguru import logger

from controller.domain import names
from controller.domain.failure_class import class_of
from controller.domain.record.record import Outcome
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import Change, copied
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Workloads
from controller.simulator.workloads.cluster import Cluster
from controller.simulator.world import NAMESPACE, World
from tests.commands import command
from tests.controlled_world import LIMIT, MINUTE, REPOSITORY, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.kubelet_player import Player
from tests.kubelet_pod import PlayedMachine
from tests.kubelet_tracks import Recording

# Of a pod's spec, what admission adds to it.
_ADMITTED = (
    "tolerations",
    "serviceAccount",
    "serviceAccountName",
    "priority",
    "preemptionPolicy",
    "nodeName",
)


@dataclass
class Shown:
    """What people were shown of a run, until its verdict."""

    phases: list[str] = field(default_factory=list)  # of its Deployment, in order
    messages: list[str] = field(default_factory=list)  # each that it had, in order
    told: list[tuple[float, str, str]] = field(default_factory=list)  # second, reason, sentence
    over: float = 0.0  # second at which the recording was
    now: dict[str, str] = field(default_factory=dict)  # a while after that, by where it is shown
    outcome: Outcome | None = None
    patches: int = 0  # of the Deployment, by the controller
    second: float = 0.0  # of the verdict
    began: float = 0.0  # second at which the pod of the run was made

    @property
    def verdict(self) -> str:
        assert self.outcome is not None
        found = self.outcome
        return f"{found.phase} {found.reason} {class_of(found.reason)}".strip()

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.told]


class _Played(Workloads):
    """Asks the player for what a kubelet would know."""

    player: Player

    def local_address(self, pod: Object, port: int) -> tuple[str, int] | None:
        return self.player.local_address(pod, port)

    def served_log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False
    ) -> str:
        return self.player.served_log(pod, container or "node", previous=previous)


class _World(World):
    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock, Random(7), kubelet=False)
        cluster = Cluster(self.api.storage, self.api.objects)
        self.workloads: _Played = _Played(cluster, self.images, clock, kubelet=False)


Act = Callable[[World, str], None]


async def play(
    scene: Recording,
    folder: Path,
    *,
    bootstrap: float = inf,
    act: Act | None = None,
    fresh: bool = False,
    within: float = LIMIT,
    asked: float = MINUTE,
    **flags: Any,
) -> Shown:
    """Until the verdict. bootstrap: seconds that the node needs. act: of a person, on the pod of
    that name, when the recording is over. fresh: see `PlayedMachine`. within: seconds until the
    verdict. asked: seconds after the recording at which message, `status` and `explain` are read.
    """
    shown, clock = Shown(), LoopClock()
    build = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=bootstrap))
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(_World(clock))
        world.push(REPOSITORY, "latest", build)
        acts = (lambda pod: act(world, pod)) if act is not None else None
        player = Player(PlayedMachine(world, build, acts, fresh), scene)
        world.workloads.player = player
        await stack.enter_async_context(player)
        controlled = ControlledWorld(world, folder, clock=clock)
        stack.callback(logger.remove, logger.add(controlled.hear, level="DEBUG"))
        stack.push_async_callback(controlled.stop)
        stack.callback(world.api.storage.subscribe(lambda c: _note(shown, clock, scene.name, c)))
        controlled.deploy(scene.name, lambda d: _as_recorded(d, scene))
        controlled.start(store="memory://", **flags)
        noting = asyncio.create_task(_note_now(shown, clock, player, controlled, asked))
        stack.push_async_callback(_cancelled, noting)
        await controlled.until(lambda: player.fault or _outcome(controlled, scene.name), within)
        if player.fault is not None:
            raise player.fault
        shown.outcome = _outcome(controlled, scene.name)
        shown.second = clock.monotonic()
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{scene.name}"
        shown.patches = sum(
            seen.method == "PATCH" and seen.path.partition("?")[0] == path
            for seen in world.api.requests
        )
        # What the verdict says is told, and written, a moment later.
        await clock.sleep(MINUTE)
        await controlled.until(lambda: shown.now)
    return shown


def _outcome(world: ControlledWorld, name: str) -> Outcome | None:
    record = world.record(name)
    return record.outcome() if record else None


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _note_now(
    shown: Shown, clock: LoopClock, player: Player, world: ControlledWorld, asked: float
) -> None:
    await player.machine.over.wait()
    shown.over = clock.monotonic()
    await clock.sleep(asked)
    name = player.scene.name
    where = ("--kubeconfig", str(world.kubeconfig))
    message = world.message(name)
    explained = (await command("explain", name, *where)).out
    status = (await command("status", *where)).out
    shown.now = {"message": message, "status": status, "explain": explained}


def _note(shown: Shown, clock: LoopClock, name: str, change: Change) -> None:
    obj = change.object
    if change.plural == "events" and obj.get("reportingComponent") == names.COMPONENT:
        shown.told.append((clock.monotonic(), obj["reason"], obj["message"]))
    if change.plural != "deployments" or obj["metadata"]["name"] != name:
        return
    phase = (obj["metadata"].get("labels") or {}).get(names.PHASE, "")
    message = (obj["metadata"].get("annotations") or {}).get(names.MESSAGE, "")
    if phase == "Starting" and not shown.began:
        shown.began = clock.monotonic()
    for found, known in ((phase, shown.phases), (message, shown.messages)):
        if found and found not in known[-1:]:
            known.append(found)


def _as_recorded(deployment: Object, scene: Recording) -> None:
    """With the pod template that the recorded pod had, of the tag that is followed here; its data
    on the claim, where the recorder had it in the pod; and the command of a node, where the
    recorder wrote another, which nobody would be let start: it is the image then that has the
    fault.
    """
    spec = {k: v for k, v in copied(scene.unpinned.spec).items() if k not in _ADMITTED}
    for container in (*spec["initContainers"], *spec["containers"]):
        container["image"] = f"{REPOSITORY}:latest"
    spec["containers"][0]["command"] = ["/avalanchego/build/avalanchego"]
    for volume in spec["volumes"]:
        if volume["name"] == "data" and "persistentVolumeClaim" not in volume:
            claim = {"claimName": scene.name}
            volume |= {"persistentVolumeClaim": claim}
            for kind in ("emptyDir", "hostPath"):
                volume.pop(kind, None)
    deployment["spec"]["template"]["spec"] = spec
