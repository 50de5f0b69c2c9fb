"""Scenes of one run before the machine: what pods and node show, hour after hour, and what became
of it.
"""

from dataclasses import dataclass

from msgspec.structs import replace as with_fields

from controller.domain.failure_class import class_of
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.objects import (
    ContainerState,
    Pod,
    StateTerminated,
)
from controller.domain.run import Phase
from tests.machine_objects import BUSY, SOUND, deployment, pod, with_annotations, word
from tests.machine_world import World

HOUR = 3600.0
KEY = deployment().metadata.key
MOVING = NodeAnswer(
    AnswerKind.ANSWERED, "", failing={"bootstrapped": "no"}, counters={"C/fetched": 1.0}, peers=5
)


@dataclass
class Scene:
    """One run whose node has started; an hour or so is played in steps of half a minute."""

    world: World
    key: str
    run: str

    def shows(self, made: Pod) -> None:
        self.world.pods[self.key] = (made,)

    def made(self, **shape: object) -> Pod:
        run = self.world.record(self.key).run
        assert run is not None
        shape.setdefault("said", word(self.run, "fresh"))
        shape.setdefault("started", self.world.now)
        shape.setdefault("uid", f"pod-{self.world.pods_made}")
        return pod(self.run, run.image, **shape)  # type: ignore[arg-type]

    def looks(self, answer: NodeAnswer | None, hours: float) -> None:
        """As long as the run is open."""
        for _ in range(int(hours * 120)):
            if self.world.record(self.key).run is None:
                return
            self.world.probe(self.key, answer)
            self.world.settle(self.key)

    def ends(self, times: int, code: int, *, line: str = "", reason: str = "Error") -> None:
        """The node ends and is started again; its status has the last line of its log."""
        for number in range(1, times + 1):
            self.ends_with(number, code, line=line, reason=reason)

    def ends_with(self, restarts: int, code: int, *, line: str = "", reason: str = "Error") -> None:
        """The end after which the node's container has been restarted so often."""
        if self.world.record(self.key).run is None:
            return
        made = self.made(restarts=restarts, exit_code=code, last_reason=reason)
        assert made.status.container_statuses is not None
        status = made.status.container_statuses[0]
        ended = with_fields(status.last_state.terminated or StateTerminated(), message=line)
        status = with_fields(status, last_state=ContainerState(terminated=ended))
        self.shows(with_fields(made, status=with_fields(made.status, container_statuses=[status])))
        self.looks(BUSY, 0.05)

    @property
    def verdict(self) -> tuple[str, str, str]:
        """Phase, reason and class of the run, or of the open run."""
        record = self.world.record(self.key)
        if record.run is not None:
            return str(record.run.phase), "", ""
        outcome = record.outcome()
        assert outcome is not None
        return str(outcome.phase), outcome.reason, class_of(outcome.reason)


def scene() -> Scene:
    world = World()
    key = world.add(with_annotations(deployment(), soak="10m"))
    run = world.start_run(key)
    world.kubelet(key)
    world.settle(key)
    return Scene(world, key, run)


def soaking() -> Scene:
    found = scene()
    found.looks(SOUND, 0.02)
    record = found.world.record(found.key)
    assert record.run is not None
    assert record.run.phase is Phase.SOAKING
    return found


def moved(number: int) -> NodeAnswer:
    return NodeAnswer(
        AnswerKind.ANSWERED, "", counters={"C/executed": float(number)}, peers=3, failing={"C": ""}
    )


def failing(check: str, error: str) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, failing={check: error}, peers=5)


def with_tip(tip: Tip) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, healthy=True, tips={"C": tip}, peers=5)
