"""A kubelet that does what it did when it was recorded: it takes the pods that the simulated
controllers make and writes their statuses and Events as they were, at the distances in time that
they had. What a recording leaves off it goes on with: crash loops, and what people did.
"""

import asyncio
from dataclasses import dataclass, field

from controller.base.tasks import stop_all
from controller.domain import names
from controller.simulator.apiserver.statuses import bad_request
from controller.simulator.apiserver.storage import Change
from controller.simulator.world import NAMESPACE
from tests.kubelet_pod import PlayedMachine, PlayedPod
from tests.kubelet_retold import container
from tests.kubelet_tracks import Object, Recording

# What the stand-in wrote of an end of which the kubelet keeps no message.
FIRST_LINE = '{"level":"info","logger":"","msg":"initializing node"}\n'


@dataclass
class Player:
    """`async with`."""

    machine: PlayedMachine
    scene: Recording
    fault: BaseException | None = None  # a mistake of the player's own
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _played: int = 0  # pods of the run

    async def __aenter__(self) -> "Player":
        self._unsubscribe = self.machine.world.api.storage.subscribe(self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._unsubscribe()
        await stop_all(list(self._tasks))

    def local_address(self, pod: Object, port: int) -> tuple[str, int] | None:
        """Of the node in it, if one listens."""
        node = self.machine.nodes.get(pod["metadata"]["uid"])
        return ("127.0.0.1", node.port) if node is not None and node.port else None

    def served_log(self, pod: str, name: str, *, previous: bool) -> str:
        """Of an end: what the kubelet keeps of it, which is all that the stand-in wrote."""
        found = self.machine.world.api.storage.peek("pods", NAMESPACE, pod)
        status = container((found or {}).get("status") or {}, name)
        states = [status.get("lastState") or {}]
        if not previous:
            states.insert(0, status.get("state") or {})
        for state in states:
            if "running" in state:
                return FIRST_LINE
            if "terminated" in state:
                return str(state["terminated"].get("message", FIRST_LINE))
        raise bad_request(f'container "{name}" in pod "{pod}" is waiting to start')

    def _hear(self, change: Change) -> None:
        if change.plural == "pods" and change.type == "ADDED":
            task = asyncio.create_task(self._play(change.object), name="pod is played")
            self._tasks.add(task)
            task.add_done_callback(self._is_done)

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.fault = task.exception()

    async def _play(self, pod: Object) -> None:
        run = (pod["metadata"].get("annotations") or {}).get(names.RUN_ID, "")
        tracks = self.scene.of_run if run else (self.scene.unpinned,)
        number, self._played = (self._played, self._played + 1) if run else (0, self._played)
        track = tracks[min(number, len(tracks) - 1)]
        life = PlayedPod(self.machine, pod, track, run, number)
        try:
            await life.play(first=bool(run) and number == 0, last=number >= len(tracks) - 1)
        finally:
            await life.node_ends()
