"""One pod of a kubelet that does what it did when it was recorded (tests/kubelet_player.py)."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.base.tasks import stop_all
from controller.domain import names
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.node import NodeSettings, SimulatedNode, Version
from controller.simulator.node.progress import Progress
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.environment import environment_of
from controller.simulator.workloads.machine import NODE_NAME
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, World
from tests.jumping_loop import LoopClock
from tests.kubelet_retold import Retold, container, goes_on, looping
from tests.kubelet_tracks import Object, Seen, Track

KUBELET = Write("kubelet", "status")
NODE = names.DEFAULT_CONTAINER
SHUTDOWN = 5.0  # seconds from SIGTERM to the end of a node


@dataclass
class PlayedMachine:
    """What the pods share."""

    world: World
    build: SimulatedBuild
    # Of a person, once the recording of the first pod is over: it is given that pod's name
    act: Callable[[str], None] | None = None
    fresh: bool = False  # the data of a later pod is new, as recorded, and not on a claim
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the recording is
    progress: Progress = field(default_factory=Progress)  # of the data
    nodes: dict[str, SimulatedNode] = field(default_factory=dict)  # that run, by uid of the pod
    events: dict[str, str] = field(default_factory=dict)  # names of ours, by theirs


class PlayedPod:
    """One pod of a played kubelet, and the node in it."""

    def __init__(
        self, machine: PlayedMachine, pod: Object, track: Track, run: str, number: int
    ) -> None:
        self._machine = machine
        self._clock = LoopClock()
        self._pod = pod
        self._name = str(pod["metadata"]["name"])
        self._uid = str(pod["metadata"]["uid"])
        self._track = track
        self._run = run
        resumes = number if number and not machine.fresh else None
        begin = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
        self._retold = Retold(track, pod, run, machine.build.digest(), begin, resumes)
        self._life: asyncio.Task[int] | None = None
        self._container = ""  # id of the node's

    async def play(self, *, first: bool, last: bool) -> None:
        began = self._clock.monotonic()
        for seen in _by_time(self._track):
            after = (seen.at - self._track.begin).total_seconds()
            await self._until(began + after)
            if self._stored is None:
                return
            if seen.object["kind"] == "Event":
                self._tell(seen)
                continue
            if seen.type == "DELETED":
                self._delete()
                return
            if "deletionTimestamp" in seen.object["metadata"] and not self._leaves:
                await self._is_to_go()
            self._show(seen)
        if not self._run:
            return
        if last:
            self._machine.over.set()
        if first and self._machine.act is not None:
            await self._until(self._clock.monotonic() + 60)
            self._machine.act(self._name)
        await self._goes_on()

    async def _goes_on(self) -> None:
        statuses = [self._retold.document(s) for s in self._track.statuses]
        if looping(statuses[-1]):
            for pause, status in goes_on(statuses):
                await self._sleep(pause)
                if self._leaves:
                    break
                self._write(status)
        elif container(statuses[-1], NODE).get("state", {}).get("running"):
            await self._is_ready(statuses[-1])
        await self._is_to_go()
        await self._ends(statuses[-1])

    async def _is_ready(self, status: Object) -> None:
        """Until its probe says so, and then that."""
        node = self._machine.nodes.get(self._uid)
        while not self._leaves and node is not None and not node.state.bootstrapped:
            await self._sleep(30)
        if self._leaves or self._stored is None:
            return
        container(status, NODE)["ready"] = True
        for condition in status["conditions"]:
            if condition["type"] in {"Ready", "ContainersReady"}:
                condition["status"] = "True"
                for field_ in ("reason", "message"):
                    condition.pop(field_, None)
        self._write(status)

    async def _ends(self, status: Object) -> None:
        """It was told to stop."""
        if self._stored is None:
            return
        await self._sleep(SHUTDOWN)
        mine = container(status, NODE)
        if running := mine.get("state", {}).get("running"):
            end = {"exitCode": 0, "reason": "Completed", "containerID": mine["containerID"]}
            end |= {"startedAt": running["startedAt"], "finishedAt": _stamp(self._clock)}
            mine |= {"state": {"terminated": end}, "ready": False, "started": False}
            self._write(status)
        self._delete()

    # What is written

    def _show(self, seen: Seen) -> None:
        scheduled = seen.object["spec"].get("nodeName") if "spec" in seen.object else None
        status = self._retold.document(seen.object["status"])
        held = [c["type"] for c in status.get("conditions", ()) if c["status"] == "True"]
        if scheduled or "PodScheduled" in held:
            self._change(lambda p: p["spec"].update(nodeName=NODE_NAME), Write("kube-scheduler"))
        self._write(status)

    def _write(self, status: Object) -> None:
        ours = {condition["type"] for condition in status.get("conditions", ())}

        def change(pod: Object) -> None:
            before = (pod.get("status") or {}).get("conditions") or ()
            others = [each for each in before if each["type"] not in ours]
            pod["status"] = status | {"conditions": [*status.get("conditions", ()), *others]}

        self._change(change, KUBELET)
        self._node_follows(container(status, NODE))

    def _change(self, change: Callable[[Object], Any], write: Write) -> None:
        if self._stored is not None:
            self._machine.world.api.objects.update("pods", NAMESPACE, self._name, change, write)

    def _tell(self, seen: Seen) -> None:
        """An Event, or that it was said again."""
        event = self._retold.document(seen.object)
        objects, known = self._machine.world.api.objects, self._machine.events
        theirs = seen.object["metadata"]["name"]
        if theirs in known:
            kept = {k: v for k, v in event.items() if k not in {"metadata", "involvedObject"}}
            objects.update("events", NAMESPACE, known[theirs], lambda e: e.update(kept))
            return
        event["metadata"] = {"name": f"{self._name}.{len(known):x}", "namespace": NAMESPACE}
        known[theirs] = str(objects.create("events", event)["metadata"]["name"])

    def _delete(self) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        try:
            self._machine.world.api.objects.delete("pods", NAMESPACE, self._name, options)
        except StatusError as error:
            if error.code not in {404, 409}:
                raise

    # The node in it

    def _node_follows(self, status: Object) -> None:
        runs = "running" in status.get("state", {})
        if runs and status["containerID"] != self._container:
            self._kill()
            self._container = str(status["containerID"])
            self._start()
        elif not runs:
            self._kill()

    def _start(self) -> None:
        machine, spec = self._machine, self._pod["spec"]
        node = next(each for each in spec["containers"] if each["name"] == NODE)
        settings = NodeSettings.read(environment_of(node, self._pod))
        version = Version(machine.build.version, machine.build.commit)
        plan, progress = machine.build.plan, machine.progress
        made = SimulatedNode(settings, version, plan, progress, self._clock, pace=REAL_SPEED.node)
        machine.nodes[self._uid] = made
        self._life = asyncio.create_task(made.run(), name="node runs")

    def _kill(self) -> None:
        node = self._machine.nodes.pop(self._uid, None)
        if node is not None:
            node.kill()

    async def node_ends(self) -> None:
        self._kill()
        if self._life is not None:
            await stop_all([self._life])

    # What is

    @property
    def _stored(self) -> Object | None:
        found = self._machine.world.api.storage.peek("pods", NAMESPACE, self._name)
        return found if found and found["metadata"]["uid"] == self._uid else None

    @property
    def _leaves(self) -> bool:
        found = self._stored
        return found is None or "deletionTimestamp" in found["metadata"]

    async def _is_to_go(self) -> None:
        """Until somebody deletes it."""
        while not self._leaves:
            changed = asyncio.Event()
            end = self._machine.world.api.storage.subscribe(lambda _, c=changed: c.set())  # type: ignore[misc]
            try:
                await changed.wait()
            finally:
                end()

    async def _until(self, moment: float) -> None:
        await self._sleep(max(0.0, moment - self._clock.monotonic()))

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


def _by_time(track: Track) -> Iterable[Seen]:
    """Statuses before what is said of them."""
    return sorted((*track.pods, *track.events), key=lambda seen: seen.at)


def _stamp(clock: LoopClock) -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
