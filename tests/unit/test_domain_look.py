"""What one look at an open run shows."""

from dataclasses import replace
from typing import Any

from msgspec.structs import replace as with_fields

from controller.domain.health.look import Look, look_of
from controller.domain.objects import Deployment
from controller.domain.pods.run_pods import RunPods, view_pods
from controller.domain.record.record import Record
from tests.machine_objects import SOUND, bare, deployment, with_images
from tests.machine_world import World


class Desk:
    """One open run whose node runs."""

    def __init__(self) -> None:
        self.world = World()
        self.key = self.world.add(deployment())
        self.world.start_run(self.key)
        self.world.kubelet(self.key)
        self.world.settle(self.key)

    @property
    def deployment(self) -> Deployment:
        return self.world.deployments[self.key]

    @property
    def record(self) -> Record:
        return self.world.record(self.key)

    @property
    def pods(self) -> RunPods:
        run = self.record.run
        assert run is not None
        return view_pods(self.world.pods[self.key], run, "node")

    def look(self, **changed: Any) -> Look:
        """With these arguments instead of those of a node that answers."""
        given: dict[str, Any] = {
            "record": self.record,
            "deployment": self.deployment,
            "before": self.pods,
            "after": self.pods,
            "answer": SOUND,
            "at": 1.0,
            "now": 2.0,
        }
        return look_of(**(given | changed))


def test_an_answer_of_another_life_is_none() -> None:
    """Is whoever answered while the node was started anew not taken for the node that runs now?"""
    desk = Desk()
    assert desk.look().answer is SOUND
    assert desk.pods.life is not None
    restarted = replace(desk.pods, life=replace(desk.pods.life, restarts=1))
    look = desk.look(after=restarted)
    assert (look.answer, look.life) == (None, restarted.life)


def test_the_end_that_a_look_began_with_is_the_one_it_has_heard() -> None:
    """Is an end that came during the look left to the next, which can read its last words?"""
    desk = Desk()
    assert desk.pods.status is not None
    restarted = replace(desk.pods, status=with_fields(desk.pods.status, restart_count=1))
    assert desk.look(after=restarted).ends == desk.pods.ends


def test_a_run_whose_manifest_is_broken_is_not_judged() -> None:
    """Does its time count for nothing, and hold no condition against it?"""
    desk = Desk()
    run = desk.record.run
    assert run is not None
    assert (desk.look().started, desk.look().judged) == (True, True)
    look = desk.look(record=with_fields(desk.record, run=with_fields(run, fault="Paused")))
    assert (look.started, look.judged) == (False, False)


def test_a_pin_that_is_taken_back_is_seen() -> None:
    """Does the look know the bare tag from the pin?"""
    desk = Desk()
    assert not desk.look().reverted
    assert desk.look(deployment=with_images(desk.deployment, bare())).reverted
