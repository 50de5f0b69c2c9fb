"""A stage for what looks like a pass and is none, with the whole controller: one run, `fuji`, whose
node bootstraps until the test tells it to finish.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import orjson
from loguru import logger

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.domain import names
from controller.domain.record.parts import Checked
from controller.domain.record.record import OpenRun
from controller.simulator.apiserver.resources import Object
from controller.simulator.faults import Delay, Rule, StreamFault
from controller.simulator.node import Plan, SimulatedNode
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.initcontainer import InitCall, InitExit, PreparesData
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.controlled_world import DAY, MINUTE, REPOSITORY, ControlledWorld
from tests.jumping_loop import LoopClock

NAME = "fuji"
TAG = "latest"
COMMIT = "a1" * 20
# Bootstraps until it is told to finish, so that no run passes before its scene is set.
HELD = SimulatedBuild("1.14.0", COMMIT, Plan(bootstrap_seconds=inf))
OTHER_RUN = "20200101t000000z-00000000"

# Shorter than the ten minutes for which a newest block is young: a node can lack a new block for
# longer than a soak, and nothing else.
SOAK = 2 * MINUTE
# Looks come each half minute: after so many a soak is over.
SOAK_LOOKS = 6
# A run that lacks nothing would have passed three times over.
DECISIONS = 15
BLOCKS = 2
# A pod that does not end by itself may take the whole of a scene for it.
PATIENT = replace(REAL_SPEED, longest_grace=DAY)

READINESS = "/ext/health/readiness"
OF_THE_CONTROLLER = f"/proxy{READINESS}"  # it asks through the pod proxy, the kubelet does not


@dataclass
class Misled(PreparesData):
    """Prepares the data as it should; while it speaks of another run's, or prepares that in fact,
    it does not.
    """

    speaks: bool = False
    prepares: bool = False

    async def prepare(self, call: InitCall) -> InitExit:
        if self.prepares and call.environment.get("RUN_ID"):
            call = replace(call, environment={**call.environment, "RUN_ID": OTHER_RUN})
        done = await super().prepare(call)
        if not self.speaks or done.code:
            return done
        return InitExit(0, orjson.dumps({**orjson.loads(done.message), "run": OTHER_RUN}).decode())


@dataclass
class Stage:
    """world: with a controller, once `begins` or `soaks` has been awaited."""

    world: ControlledWorld
    init: Misled = field(default_factory=Misled)

    async def begins(self, clock: Clock | None = None, **manifest: Any) -> SimulatedNode:
        """The node of a run that bootstraps."""
        self.deploys(clock, **manifest)
        await self.enters("Bootstrapping")
        return await self.node()

    def deploys(
        self,
        clock: Clock | None = None,
        soak: float = SOAK,
        flags: Mapping[str, str] | None = None,
        **manifest: Any,
    ) -> None:
        """Deploys, and starts a controller. clock, flags: of the controller. soak: seconds."""
        annotations = {names.SOAK: format_duration(soak)}
        self.world.deploy(NAME, annotations=annotations, **{"network": "fuji", **manifest})
        self.world.start(clock=clock, **(flags or {}))

    async def soaks(self, clock: Clock | None = None, **manifest: Any) -> SimulatedNode:
        """The node of a run that has soaked for long, and lacks one thing: a new block."""
        node = await self.begins(clock, **manifest)
        node.freeze()
        node.finish()
        await self.enters("Soaking")
        await self.asks(SOAK_LOOKS)
        return node

    async def enters(self, phase: str) -> None:
        await self.world.until(lambda: self.world.phase(NAME) == phase)

    async def asks(self, times: int) -> None:
        """Until the controller has asked so often, or the run is over."""
        looks = self.looks()
        await self.world.until(lambda: self.looks() >= looks + times or self.world.outcomes(NAME))

    async def does_not_pass(
        self, node: SimulatedNode, phase: str, before: int = 0, decisions: int = DECISIONS
    ) -> None:
        """The controller has every occasion to pass the run on what this node says, and the run
        stays in its phase. before: runs that were over by then.
        """
        wanted = self._decisions() + decisions
        await self.blocks(node, BLOCKS)
        await self.world.until(lambda: self._decisions() >= wanted)
        assert self.world.outcomes(NAME) == ["Passed"] * before
        assert self.world.phase(NAME) == phase

    async def passes(self, before: int = 0) -> Checked:
        """What the run that is over now was passed on; it must not have ended otherwise."""
        ended = await self.world.until(lambda: self.world.outcomes(NAME)[before:])
        record = self.world.record(NAME)
        assert record is not None
        assert ended == ["Passed"], record.outcomes[-1].message
        checked = record.outcomes[-1].checked
        assert checked is not None
        return checked

    async def blocks(self, node: SimulatedNode, more: int) -> None:
        """Until C is so many blocks higher: one comes each second. That needs no controller."""
        node.evaluate()
        wanted = height(node) + more
        await LoopClock().sleep(more)
        node.evaluate()
        assert height(node) >= wanted

    def late_watch(self) -> Rule:
        """What becomes of pods is told to nobody for some minutes, until the client doubts a watch
        that is silent and lists anew; nothing of it is lost. To be ended by `told`.
        """
        api = self.world.world.api
        rule = api.faults.add(StreamFault("silent"), path=r"/pods\?", is_watch=True, count=None)
        api.close_watches()
        return rule

    def told(self, late: Rule) -> None:
        """The watch tells again, and what it has not told."""
        faults = self.world.world.api.faults
        faults.remove(late)
        faults.release()

    def held_look(self, until: asyncio.Event) -> Rule:
        """The next look at a node waits in the middle: it has begun, and the node is not asked. For
        ten seconds at most, which is how long the controller waits for a node.
        """
        return self.world.world.api.faults.add(Delay(until), path=OF_THE_CONTROLLER)

    def looks(self) -> int:
        """How often a node has been asked for its readiness, by controllers only."""
        return sum(OF_THE_CONTROLLER in seen.path for seen in self.world.world.api.requests)

    async def node(self, besides: SimulatedNode | None = None) -> SimulatedNode:
        """The node that runs in the pod that is to stay, once it answers and has checked itself."""

        def there() -> SimulatedNode | None:
            found = self.world.world.node_of(NAME)
            return found if found is not None and found is not besides else None

        found = await self.world.until(there)
        assert found is not None
        await found.bound.wait()
        await LoopClock().sleep(1)
        found.evaluate()
        return found

    def run(self) -> OpenRun:
        record = self.world.record(NAME)
        assert record is not None
        assert record.run is not None
        return record.run

    def pod(self) -> str:
        """Name of the pod that is to stay."""
        found = self.world.world.pod_of(NAME)
        assert found is not None
        return str(found["metadata"]["name"])

    def delete_pod(self, name: str) -> None:
        self.world.world.api.objects.delete("pods", NAMESPACE, name)

    def set_pod_image(self, name: str, image: str) -> None:
        """As `kubectl set image pod/...` does: of the node's container only."""

        def change(pod: Object) -> None:
            pod["spec"]["containers"][0]["image"] = image

        self.world.world.api.objects.update("pods", NAMESPACE, name, change, PERSON)

    def set_image(self, image: str, manager: str) -> None:
        """Of all containers, in the Deployment's pod template; the run id stays."""

        def change(deployment: Object) -> None:
            spec = deployment["spec"]["template"]["spec"]
            for container in (*spec["initContainers"], *spec["containers"]):
                container["image"] = image

        self.world.world.change(NAME, change, manager=manager)

    async def another_pod(self, *, owned: bool) -> SimulatedNode:
        """The node of a second pod, on a disk of its own: labels, run id and image are those of the
        run's own. owned: it names the ReplicaSet as an owner of its, though not as its controller.
        """
        api, own = self.world.world.api.objects, self.world.world.pod_of(NAME)
        assert own is not None
        own["metadata"] = {
            "name": f"{NAME}-another",
            "namespace": NAMESPACE,
            "labels": own["metadata"]["labels"],
            "annotations": own["metadata"]["annotations"],
            "ownerReferences": [
                {k: v for k, v in owner.items() if k != "controller"}
                for owner in own["metadata"]["ownerReferences"]
                if owned
            ],
        }
        del own["spec"]["nodeName"]
        own["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
        api.create("pods", own, PERSON)
        workloads = self.world.world.workloads
        node = await self.world.until(lambda: workloads.node(NAMESPACE, f"{NAME}-another"))
        assert node is not None
        return node

    def _decisions(self) -> int:
        return sum(line.startswith("decided ") for line in self.world.said)


def passed_on() -> Delay:
    """For a rule that only counts: the request goes on at once."""
    now = asyncio.Event()
    now.set()
    return Delay(now)


def height(node: SimulatedNode) -> int:
    return node.state.numbers("C").height


@asynccontextmanager
async def stage(folder: Path, machine: Clock | None = None) -> AsyncIterator[Stage]:
    """The world, with HELD pushed and no controller started yet. machine: its clock, which is the
    node's and so the chain's too.
    """
    async with AsyncExitStack() as stack:
        init = Misled()
        world = World(LoopClock(), Random(7), speed=PATIENT, init_container=init, machine=machine)
        await stack.enter_async_context(world)
        world.push(REPOSITORY, TAG, HELD)
        controlled = ControlledWorld(world, folder)
        stack.callback(logger.remove, logger.add(controlled.hear, level="DEBUG"))
        stack.push_async_callback(controlled.stop)
        yield Stage(controlled, init)
