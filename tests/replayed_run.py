"""A recorded scene as a run: the real probe, looks and machine, at the product's own durations and
on a clock that is set, so that nothing waits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec.structs import replace as with_fields

from controller.domain.evidence import Read
from controller.domain.failure_class import class_of
from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest
from controller.domain.objects import (
    ContainerState,
    Pod,
    StateTerminated,
    StateWaiting,
)
from controller.domain.pace.words import describe_progress
from controller.domain.record.record import Outcome
from controller.engine.probing.run_looks import Probing, RunLooks
from controller.node.http_probe import HttpNodeProbe
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.machine_engine import StillClock, StillCluster, at_once
from tests.machine_objects import pod, word
from tests.machine_world import World
from tests.replayed_manifest import manifest
from tests.replayed_node import ReplayedNode, asked_to_end, beginning, log_until
from tests.scenes import KEPT_BY_KUBELET, Scene
from tests.told_door import ToldDoor

HOUR = 3600.0
INTERVAL = 30.0  # seconds between looks, as the controller has it
_STEP, _HELD_STEP = 5.0, 110.0
_BACKOFF = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)  # of the kubelet before each restart
_LIVES = 9  # more than any verdict takes


class Onlooker(BlindWitness):
    """To whom logs are granted: of the process before, and of the one that runs."""

    def __init__(self, before: bytes, now: Callable[[], bytes]) -> None:
        self._before = before
        self._now = now

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500, **more: object
    ) -> Read:
        raw = self._before if previous else self._now()
        found = raw.splitlines(keepends=True)
        text = b"".join(found[-lines:]).decode(errors="replace")
        return Read(text, cut=len(found) > lines)


@dataclass
class _Door(ToldDoor):
    """To the process that runs now."""

    node: ReplayedNode | None = None

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        assert self.node is not None
        return await self.node.fetch(address, request)


@dataclass
class Replay:
    """One run of a scene's build. readable: its logs may be read; else there is what the kubelet
    keeps. log: of each of its processes; None: the scene's. cut: what becomes of a body on its way.
    """

    scene: Scene
    readable: bool = True
    log: bytes | None = None
    cut: Callable[[bytes], bytes] = bytes
    world: World = field(default_factory=World)
    phases: list[str] = field(default_factory=list)  # of the run, in order
    conditions: set[str] = field(default_factory=set)  # that lasted until people were told
    progress: tuple[str, ...] = ()  # in words, of the last look
    ends: int = 0  # of its processes
    _pods: int = 1
    _resumes: int = 0

    def __post_init__(self) -> None:
        self.world.now = beginning(self.scene) - timedelta(seconds=INTERVAL)
        self.key = self.world.add(manifest(self.scene))
        self.run = self.world.start_run(self.key)
        self.world.pass_time(INTERVAL)
        clock, world = StillClock(lambda: self.world.now), self.world
        self._door = _Door()
        self.log = self.scene.log if self.log is None else self.log
        seen = Onlooker(self.log, self._said)
        probing = Probing(
            StillCluster(world.deployments, world.services, world.pods),
            HttpNodeProbe(self._door),
            world.store,
            FakeRegistry(clock),
            seen if self.readable else BlindWitness(),
        )
        self._looks = RunLooks(probing, clock, world.record(self.key), INTERVAL, world.rules)
        at_once(self._looks.begin())

    @property
    def open(self) -> bool:
        return self.world.record(self.key).run is not None

    @property
    def outcome(self) -> Outcome | None:
        return self.world.record(self.key).outcome()

    @property
    def verdict(self) -> tuple[str, ...]:
        """Phase, reason and class of the run that is over; the phase alone of one that is open."""
        record, outcome = self.world.record(self.key), self.outcome
        if record.run is not None:
            return (str(record.run.phase),)
        assert outcome is not None
        return str(outcome.phase), outcome.reason, class_of(outcome.reason)

    @property
    def sentence(self) -> str:
        """Of the verdict; empty where there is none."""
        return self.outcome.message if self.outcome else ""

    def look(self) -> None:
        record = self.world.record(self.key)
        assert record.run is not None
        self._looks.record = record
        at_once(self._looks.look())
        at_once(self._looks.listen())
        attention = self._looks.attention
        self.world.attention[self.key] = attention
        self.world.facts[self.key] = self._looks.facts
        self.world.settle(self.key)
        run = self.world.record(self.key).run
        self.conditions |= {told.type for told in run.conditions} if run else set()
        self.progress = describe_progress(attention.progress)
        phase = self.verdict[0]
        if phase not in self.phases:
            self.phases.append(phase)

    def lives(self, seconds: float, *, until: float | None = None) -> None:
        """One process of the node, from its beginning, for so long. until: as of `ReplayedNode`."""
        began = self.world.now
        self._door.node = ReplayedNode(
            self.scene, began, lambda: self.world.now, until=until, cut=self.cut
        )
        self._show(self._pod(began=began))
        while self.open and (self.world.now - began).total_seconds() < seconds:
            self.look()
            left = seconds - (self.world.now - began).total_seconds()
            played = left > seconds - float(self.scene.about["seconds"])
            step = min(_STEP, float(self.scene.about["seconds"]) / 3) if played else _HELD_STEP
            self.world.pass_time(min(step, left))

    def ends_and_is_restarted(self) -> None:
        """Until its verdict, or for so long that there is none."""
        seconds = float(self.scene.about["seconds"])
        for number in range(_LIVES):
            self.lives(seconds)
            if not self.open:
                return
            self.ends += 1
            self._show(self._pod(began=None))
            pause = self.world.now + timedelta(seconds=_BACKOFF[min(number, 5)])
            while self.open and self.world.now < pause:
                self.look()
                self.world.pass_time(min(INTERVAL, (pause - self.world.now).total_seconds()))
            if not self.open:
                return

    def is_ended_and_replaced(self, times: int = 2) -> None:
        """SIGTERM by the cluster: another pod takes its place, and finds the data."""
        for _ in range(times):
            self.lives(float(self.scene.about["seconds"]))
            self._pods, self._resumes = self._pods + 1, self._resumes + 1
        self.lives(min(_STEP, float(self.scene.about["seconds"])))

    def is_held(self, hours: float) -> None:
        """No SIGTERM: what was so at the end stays so."""
        end = asked_to_end(self.scene)
        self.lives(hours * HOUR, until=end)

    def _said(self) -> bytes:
        node, end = self._door.node, asked_to_end(self.scene)
        if node is None:
            return b""
        return log_until(self.scene, node.second if end is None else min(node.second, end))

    def _show(self, made: Pod) -> None:
        self.world.pods[self.key] = (made,)

    def _pod(self, *, began: object) -> Pod:
        """began: when the process that runs began; None where it waits to be restarted."""
        run = self.world.record(self.key).run
        assert run is not None
        now = self.world.now
        said = word(self.run, "resumed" if self._resumes else "fresh", resumes=self._resumes)
        made = pod(self.run, run.image, uid=f"pod-{self._pods}", said=said, started=now)
        template = self.world.deployments[self.key].spec.template.spec
        made = with_fields(made, spec=with_fields(made.spec, containers=template.containers))
        made = with_fields(made, metadata=with_fields(made.metadata, name=f"fuji-{self._pods}"))
        assert made.status.container_statuses is not None
        status = made.status.container_statuses[0]
        ended = StateTerminated(
            exit_code=self.scene.exit_code,
            reason="Error" if self.scene.exit_code else "Completed",
            message=self._kept(),
            started_at=now - timedelta(seconds=float(self.scene.about["seconds"])),
            finished_at=now,
        )
        waits = ContainerState(waiting=StateWaiting(reason="CrashLoopBackOff", message=""))
        status = with_fields(
            status,
            state=status.state if began is not None else waits,
            restart_count=self.ends if began is not None else max(0, self.ends - 1),
            last_state=ContainerState(terminated=ended if self.ends else None),
        )
        return with_fields(made, status=with_fields(made.status, container_statuses=[status]))

    def _kept(self) -> str:
        """As `FallbackToLogsOnError` keeps it."""
        kept = (self.log or b"")[-KEPT_BY_KUBELET:] if self.scene.exit_code else b""
        return kept.decode(errors="replace")
