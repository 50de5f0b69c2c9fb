"""When a run passes and when it fails: the whole machine, one condition at a time."""

from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.defaults import DAY, HOUR
from controller.domain.objects import StateWaiting
from controller.domain.record.record import Outcome
from controller.domain.run import Phase
from tests.machine_objects import BUSY, SOUND, deployment, pod, service, with_annotations, word
from tests.machine_world import World


def started(**annotations: str) -> tuple[World, str, str]:
    """A world with a run whose node has started and not bootstrapped."""
    world = World()
    key = world.add(with_annotations(deployment(), **annotations))
    run = world.start_run(key)
    world.kubelet(key)
    world.settle(key)
    assert world.record(key).phase is Phase.BOOTSTRAPPING
    return world, key, run


def node(world: World, key: str, restarts: int = 0, *, up: float = 1.0, uid: str = "pod-1") -> None:
    """The pod's status as it would be after so many restarts, up for so many seconds now."""
    run = world.record(key).run
    assert run is not None
    said = word(run.id, "fresh" if uid == "pod-1" else "resumed")
    when = world.now - timedelta(seconds=up)
    world.pods[key] = (
        pod(run.id, run.image, said=said, restarts=restarts, started=when, exit_code=139, uid=uid),
    )


def outcome(world: World, key: str) -> Outcome | None:
    record = world.record(key)
    return None if record.run is not None else record.outcome()


def test_a_run_passes_after_its_soak_and_not_before() -> None:
    """Does it take the whole of the observed healthy time, in three phases?"""
    world, key, run = started(soak="2m")
    phases = []
    for _ in range(5):
        world.probe(key)
        world.settle(key)
        phases.append(world.record(key).phase)
    assert phases == [Phase.SOAKING] * 4 + [Phase.IDLE]
    found = outcome(world, key)
    assert found is not None
    assert (found.run, found.phase, found.reason) == (run, Phase.PASSED, "Soaked")


def test_a_restart_in_the_soak_begins_it_anew_and_fails_nothing() -> None:
    """Is a restart never by itself a failure, and never a shortcut?"""
    world, key, _ = started(soak="2m")
    for _ in range(4):
        world.probe(key)
        world.settle(key)
    node(world, key, restarts=1)
    world.probe(key)
    world.settle(key)
    assert world.record(key).phase is Phase.SOAKING
    for _ in range(3):
        world.probe(key)
        world.settle(key)
        assert outcome(world, key) is None
    world.probe(key)
    world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert found.phase is Phase.PASSED


def test_a_soak_of_another_life_passes_nothing() -> None:
    """Does an old soak not pass a container that has restarted since, before the next look?"""
    world, key, _ = started(soak="1m")
    world.probe(key)
    world.settle(key)
    world.probe(key)
    world.probe(key)
    soak = world.attention[key].soak
    assert (world.record(key).phase, soak and soak.seconds) == (Phase.SOAKING, 60.0)
    node(world, key, restarts=1)
    world.settle(key)
    assert outcome(world, key) is None


@pytest.mark.parametrize(
    "said",
    [None, "", word("20261122t060000z-bbbbbbbb", "fresh"), word("", "fresh"), word("RUN", "kept")],
)
def test_without_the_init_containers_word_nothing_passes(said: str | None) -> None:
    """Can readiness alone, on data that nobody vouches for, not pass?"""
    world, key, run = started(soak="30s")
    old = world.record(key).run
    assert old is not None
    made = pod(run, old.image, said="placeholder")
    init = (made.status.init_container_statuses or [])[0]
    if said is None:
        statuses = []
    else:
        assert init.state.terminated is not None
        terminated = with_fields(init.state.terminated, message=said.replace("RUN", run))
        statuses = [with_fields(init, state=with_fields(init.state, terminated=terminated))]
    world.pods[key] = (
        with_fields(made, status=with_fields(made.status, init_container_statuses=statuses)),
    )
    for _ in range(10):
        world.probe(key)
        world.settle(key)
    assert outcome(world, key) is None
    assert "init container" in world.settle(key).why[0]


def test_two_pods_of_one_run_pass_nothing() -> None:
    """Is it one and the same pod that must soak?"""
    world, key, run = started(soak="30s")
    current = world.record(key).run
    assert current is not None
    twin = pod(run, current.image, said=word(run, "resumed"), uid="twin", name="fuji-2")
    world.pods[key] = (*world.pods[key], twin)
    for _ in range(5):
        world.probe(key)
        world.settle(key)
    assert outcome(world, key) is None


@pytest.mark.parametrize("fault", ["service", "paused"])
def test_a_manifest_that_broke_keeps_a_run_from_passing_and_fails_nothing(fault: str) -> None:
    """Does the run keep its phase, cannot pass, is not failed, and goes on when all is mended?"""
    world, key, _ = started(soak="30s", timeout="5m")
    whole = world.deployments[key]
    if fault == "service":
        world.services[key] = service(selector={"app": "other"})
    else:
        spec = with_fields(whole.spec, paused=True)
        world.deployments[key] = with_fields(whole, spec=spec)
    world.settle(key)
    for _ in range(30):  # far past the timeout
        world.probe(key, None)
        world.settle(key)
    record = world.record(key)
    assert outcome(world, key) is None
    assert record.phase is Phase.BOOTSTRAPPING
    assert record.message.startswith(f"run {record.run.id if record.run else ''} cannot pass")
    assert len([s for s in record.steps if "cannot pass" in s.message]) == 1
    world.services[key] = service()
    mended = with_fields(world.deployments[key].spec, paused=False)
    world.deployments[key] = with_fields(world.deployments[key], spec=mended)
    world.settle(key)
    for _ in range(2):
        assert outcome(world, key) is None
        world.probe(key)
        world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert found.phase is Phase.PASSED


def crash(world: World, key: str, times: int, *, first: int = 1, uid: str = "pod-1") -> None:
    for number in range(first, first + times):
        node(world, key, number, uid=uid)
        world.probe(key, BUSY, seconds=60)
        world.settle(key)


def test_six_restarts_are_a_crash_loop_and_five_are_none() -> None:
    """Is the limit where the table of rules says, with the last exit code as evidence?"""
    world, key, _ = started()
    crash(world, key, 5)
    assert outcome(world, key) is None
    crash(world, key, 1, first=6)
    found = outcome(world, key)
    assert found is not None
    assert (found.phase, found.reason) == (Phase.FAILED, "CrashLoop")
    assert "6 times" in found.message
    assert "139" in found.message


def test_a_node_that_restarts_five_times_and_recovers_is_no_failure() -> None:
    """Are restarts forgotten after six hours up, and only then?"""
    world, key, _ = started()
    crash(world, key, 5)
    world.pass_time(7 * HOUR)
    node(world, key, 5, up=6 * HOUR)
    world.settle(key)
    crash(world, key, 5, first=6)
    assert outcome(world, key) is None
    crash(world, key, 1, first=11)
    found = outcome(world, key)
    assert found is not None
    assert found.reason == "CrashLoop"


def test_restarts_are_counted_over_all_pods_of_the_run() -> None:
    """Does a new pod, whose count begins at zero, not hide a crash loop [62]?"""
    world, key, _ = started()
    crash(world, key, 3)
    node(world, key, 0, uid="pod-2")
    world.settle(key)
    crash(world, key, 3, uid="pod-2")
    found = outcome(world, key)
    assert found is not None
    assert found.reason == "CrashLoop"


def test_a_crash_loop_needs_no_trust_in_clocks() -> None:
    """Is what is counted, and not timed, decided while the clocks differ?"""
    world, key, _ = started()
    world.skew = None
    crash(world, key, 6)
    assert outcome(world, key) is not None


def pulling(world: World, key: str) -> None:
    run = world.record(key).run
    assert run is not None
    waiting = StateWaiting(reason="ImagePullBackOff", message="manifest unknown")
    world.pods[key] = (pod(run.id, run.image, started=None, waiting=waiting),)


def test_an_image_that_does_not_come_fails_after_six_observed_hours() -> None:
    """Is there patience, and an end of it, with the kubelet's sentence?"""
    world = World()
    key = world.add(deployment())
    world.start_run(key)
    pulling(world, key)
    for _ in range(int(6 * HOUR / 60)):
        world.probe(key, None, seconds=60)
        world.settle(key)
        assert outcome(world, key) is None
    world.probe(key, None, seconds=60)
    world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert (found.phase, found.reason) == (Phase.FAILED, "ImagePull")
    assert "manifest unknown" in found.message


def test_six_hours_that_nobody_observed_fail_nothing() -> None:
    """Does a controller that was away not count its absence against an image?"""
    world = World()
    key = world.add(deployment())
    world.start_run(key)
    pulling(world, key)
    for _ in range(5):
        world.probe(key, None, seconds=3 * HOUR)
        world.settle(key)
    assert outcome(world, key) is None


def late(world: World, key: str) -> None:
    """Observed time far past the timeout; the node never bootstraps."""
    for _ in range(8):
        world.probe(key, BUSY, seconds=60)


def test_a_run_that_is_late_fails_with_its_phase() -> None:
    """Does a timeout count observed time, and say where the run stood?"""
    world, key, _ = started(timeout="5m")
    for _ in range(6):  # the first look counts nothing
        assert outcome(world, key) is None
        world.probe(key, BUSY, seconds=60)
        world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert (found.phase, found.reason) == (Phase.FAILED, "Timeout")
    assert "still bootstrapping" in found.message


@pytest.mark.parametrize("skew", [None, 61.0, -61.0])
def test_no_verdict_by_time_while_the_clocks_are_not_trusted(skew: float | None) -> None:
    """Do clocks that differ by more than a minute, or are not known to agree, stop timeouts?"""
    world, key, _ = started(timeout="5m")
    world.skew = skew
    late(world, key)
    world.settle(key)
    assert outcome(world, key) is None
    world.skew = 59.0
    world.settle(key)
    assert outcome(world, key) is not None


def test_no_verdict_by_time_on_the_first_look() -> None:
    """Does a controller that has just started, and finds a run late, look twice?"""
    world, key, _ = started(timeout="5m")
    late(world, key)
    run = world.record(key).run
    assert run is not None
    world.attention.clear()
    record = with_fields(world.record(key), run=with_fields(run, observed=10 * DAY))
    observed = record.run.observed if record.run else 0.0
    o = world.observe(key)
    world.probe(key, BUSY)
    first = world.attention[key]
    assert first.first_look
    world.attention[key] = type(first)(**{**vars(first), "observed": observed})
    assert world.settle(key).write is None
    assert outcome(world, key) is None
    world.probe(key, BUSY)
    world.settle(key)
    assert outcome(world, key) is not None
    assert o.attention is None


def test_success_is_looked_at_before_a_timeout() -> None:
    """Does a run that has soaked pass, though it is late by the same look?"""
    world, key, _ = started(timeout="5m", soak="2m")
    for _ in range(4):
        world.probe(key, BUSY, seconds=60)
        world.settle(key)
    for _ in range(4):
        world.probe(key, SOUND, seconds=60)
    assert world.attention[key].observed > 300
    world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert found.phase is Phase.PASSED


def test_a_soak_that_is_under_way_is_let_finish() -> None:
    """Is a healthy node not failed for the minutes that its soak still takes?"""
    world, key, _ = started(timeout="5m", soak="10m")
    for _ in range(4):
        world.probe(key, BUSY, seconds=60)
        world.settle(key)
    for _ in range(8):
        world.probe(key, SOUND, seconds=60)
        world.settle(key)
        assert outcome(world, key) is None
    world.probe(key, BUSY, seconds=60)
    world.settle(key)
    found = outcome(world, key)
    assert found is not None
    assert found.reason == "Timeout"


def test_a_failure_says_so_on_the_deployment() -> None:
    """Is a failed run Held, with the evidence in the message and the phase in the label?"""
    world, key, run = started()
    crash(world, key, 6)
    meta = world.deployments[key].metadata
    assert meta.label(names.PHASE) == "Held"
    assert run in (meta.annotation(names.MESSAGE) or "")
    assert "CrashLoop" in (meta.annotation(names.MESSAGE) or "")
