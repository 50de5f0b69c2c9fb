"""Containers of others in a run's pod: what they do is told, and judges nobody."""

from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.objects import (
    Container,
    ContainerState,
    ContainerStatus,
    Pod,
    StateRunning,
    StateTerminated,
    StateWaiting,
)
from tests.machine_objects import BUSY, SOUND, word
from tests.machine_scene import Scene, moved, scene

_AWAY = StateWaiting(reason="ImagePullBackOff", message="no such image")
_UNMADE = StateWaiting(reason="CreateContainerConfigError", message='secret "vault" not found')
_LOOP = StateWaiting(reason="CrashLoopBackOff", message="back-off 5m0s")
FAILED = StateTerminated(exit_code=1, reason="Error", message="cannot reach the mesh\n")


def beside(
    made: Pod,
    state: ContainerState,
    *,
    init: bool = False,
    stays: bool = False,
    last: StateTerminated | None = None,
) -> Pod:
    """The pod with a container of somebody else's, first in its list."""
    added = Container(name="mesh", image="mesh:1", restart_policy="Always" if stays else "")
    status = ContainerStatus(
        name="mesh", state=state, last_state=ContainerState(terminated=last), restart_count=1
    )
    spec, there = made.spec, made.status
    if init:
        inits, statuses = spec.init_containers or [], there.init_container_statuses or []
        spec = with_fields(spec, init_containers=[added, *inits])
        there = with_fields(there, init_container_statuses=[status, *statuses])
    else:
        spec = with_fields(spec, containers=[added, *(spec.containers or [])])
        there = with_fields(there, container_statuses=[status, *(there.container_statuses or [])])
    return with_fields(made, spec=spec, status=there)


def waits(reason: StateWaiting) -> ContainerState:
    return ContainerState(waiting=reason)


def not_begun(s: Scene) -> Pod:
    """Its node and our init container wait for their turn."""
    turn = StateWaiting(reason="PodInitializing")
    made = s.made(said=None, started=None, running=False, waiting=turn)
    (init,) = made.status.init_container_statuses or ()
    inits = [with_fields(init, state=waits(turn))]
    made = with_fields(made, spec=with_fields(made.spec, node_name="machine-1"))
    return with_fields(made, status=with_fields(made.status, init_container_statuses=inits))


@pytest.mark.parametrize("init", [False, True], ids=["sidecar", "native sidecar"])
@pytest.mark.parametrize("why", [_AWAY, _UNMADE, _LOOP])
def test_a_sidecar_in_trouble_is_told_and_fails_nothing(why: StateWaiting, *, init: bool) -> None:
    """Does a run go on and pass beside a container of others that does not come up, and are people
    told under its name?
    """
    found = scene()
    found.shows(beside(found.made(), waits(why), init=init, stays=init))
    for number in range(130):
        found.looks(moved(number), 0.1)
    run = found.world.record(found.key).run
    assert run is not None
    assert [c.type for c in run.conditions] == ["OtherContainer"]
    assert "container mesh, which is not the run's own" in run.conditions[0].message
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_sidecar_that_comes_and_goes_is_told_all_the_same() -> None:
    """Is one that fails again and again, between which it runs, seen; and its recovery too?"""
    found = scene()
    for _ in range(8):
        found.shows(beside(found.made(), waits(_LOOP), last=FAILED))
        found.looks(BUSY, 0.05)
        again = ContainerState(running=StateRunning(started_at=found.world.now))
        found.shows(beside(found.made(), again, last=FAILED))
        found.looks(BUSY, 0.05)
    assert "OtherContainer" in found.told
    found.looks(BUSY, 0.3)
    assert "OtherContainer" not in found.told


@pytest.mark.parametrize("message", ['{"run": "RUN", "data": "fresh"}', "{}", ""])
@pytest.mark.parametrize("code", [1, 2, 3])
def test_an_init_container_of_others_says_nothing_of_data(message: str, code: int) -> None:
    """Is neither its word taken for ours, nor its exit code for a complaint of volume or manifest,
    and does a node that it keeps for ever fail as the machine's, under its name?
    """
    found = scene()
    end = StateTerminated(exit_code=code, message=message.replace("RUN", found.run))
    state = waits(_LOOP)
    found.shows(beside(not_begun(found), state, init=True, last=end))
    found.looks(None, 11)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(None, 2)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")
    assert "container mesh, which is not the run's own" in found.message


def test_an_init_container_of_others_that_never_ends_keeps_the_node() -> None:
    """Is it named as what the node waits for, and is that no fault of the build's?"""
    found = scene()
    forever = ContainerState(running=StateRunning(started_at=found.world.now))
    found.shows(beside(not_begun(found), forever, init=True))
    found.looks(None, 13)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")
    assert "the init container mesh has not ended" in found.message


def test_an_init_container_of_others_that_fails_after_a_reboot_is_told() -> None:
    """Where the pod is set up again, and the node that ran before does not get its turn?"""
    found = scene()
    made = found.made()
    (status,) = made.status.container_statuses or ()
    gone = StateTerminated(exit_code=255, reason="Unknown", started_at=found.world.now)
    status = with_fields(status, state=ContainerState(terminated=gone))
    made = with_fields(made, status=with_fields(made.status, container_statuses=[status]))
    found.shows(beside(made, waits(_LOOP), init=True, last=FAILED))
    found.looks(None, 13)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")


def test_a_native_sidecar_gives_no_word_though_it_takes_the_run_id() -> None:
    """Is a container that stays never the one that prepares the data?"""
    found = scene()
    made = found.made(said=word(found.run, "resumed"))
    (ours,) = made.spec.init_containers or ()
    stays = with_fields(ours, restart_policy="Always")
    made = with_fields(made, spec=with_fields(made.spec, init_containers=[stays]))
    found.shows(made)
    found.looks(SOUND, 0.4)
    assert found.verdict == ("Soaking", "", "")


def test_a_native_sidecar_that_runs_keeps_nobody() -> None:
    """Is one that is made to run for ever not taken for what the node waits for?"""
    found = scene()
    runs = ContainerState(running=StateRunning(started_at=found.world.now - timedelta(days=9)))
    found.shows(beside(not_begun(found), runs, init=True, stays=True))
    found.looks(None, 0.1)
    spans = found.world.attention[found.key].spans
    assert all("mesh" not in span.sentence for span in spans.values())


def test_a_word_by_another_init_container_passes_nothing() -> None:
    """Where only an init container of others says that the data is fresh: is that no word?"""
    found = scene()
    said = ContainerState(terminated=StateTerminated(message=word(found.run, "fresh")))
    made = found.made(said=word(found.run, "fresh"))
    made = with_fields(made, status=with_fields(made.status, init_container_statuses=[]))
    found.shows(beside(made, said, init=True))
    found.looks(SOUND, 0.4)
    assert found.verdict == ("Soaking", "", "")
