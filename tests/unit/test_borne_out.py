"""A verdict is written only if the pods as they are now bear it out."""

from collections.abc import Sequence

import pytest

from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, Observation
from controller.domain.objects import Pod
from controller.domain.run import Phase
from controller.engine.reconcile.borne_out import borne_out
from tests.machine_engine import at_once
from tests.machine_objects import SOUND, word
from tests.machine_scene import Scene, scene


class Listed:
    """The API server's list of pods. asked: how often it was."""

    def __init__(self, *pods: Pod) -> None:
        self.asked = 0
        self._pods = pods

    async def __call__(self, key: str) -> Sequence[Pod]:
        assert key == "bootstrap/fuji"
        self.asked += 1
        return self._pods


def about_to_end(found: Scene, answer: object) -> tuple[Observation, Decision]:
    """The look that ends the run, not carried out yet."""
    for _ in range(2000):
        found.world.probe(found.key, answer, seconds=80)  # type: ignore[arg-type]
        o = found.world.observe(found.key)
        decision = decide(o)
        if decision.record is not None and decision.record.run is None:
            return o, decision
        found.world.settle(found.key)
    raise AssertionError("it does not end")


def anew(found: Scene, **shape: object) -> Pod:
    said = word(found.run, "resumed", resumes=1)
    return found.made(uid="pod-new", said=said, started=found.world.now, **shape)


@pytest.mark.parametrize(("answer", "phase"), [(None, Phase.FAILED), (SOUND, Phase.PASSED)])
def test_a_verdict_that_the_pods_of_now_contradict_is_not_written(
    answer: object, phase: Phase
) -> None:
    """Does a pod that the watch has not told of yet keep a run from failing, and from passing?"""
    found = scene()
    if answer is None:
        found.world.pods[found.key] = ()
    o, decision = about_to_end(found, answer)
    assert decision.record is not None
    assert decision.record.outcomes[-1].phase is phase
    listed = Listed(anew(found))
    assert at_once(borne_out(o, decision, listed)) is None
    assert listed.asked == 1


def test_a_verdict_that_stands_is_written_as_it_is_seen_now() -> None:
    """Is a failure that the pods of now bear out carried out, on them?"""
    found = scene()
    found.world.pods[found.key] = ()
    o, decision = about_to_end(found, None)
    still = at_once(borne_out(o, decision, Listed()))
    assert still is not None
    assert still == (o, decision)


def test_nothing_else_costs_a_list() -> None:
    """Are pods not listed for what is no verdict?"""
    found = scene()
    found.world.probe(found.key, SOUND)
    o = found.world.observe(found.key)
    listed = Listed()
    decision = decide(o)
    assert decision.write is not None
    assert at_once(borne_out(o, decision, listed)) == (o, decision)
    assert listed.asked == 0
