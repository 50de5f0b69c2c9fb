"""A node that is kept from starting: what is told, when, and what becomes of the run."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.objects import (
    ContainerState,
    DeploymentCondition,
    DeploymentStatus,
    Pod,
    PodCondition,
    StateTerminated,
    StateWaiting,
)
from controller.domain.pods.obstacles import refused_pods
from tests.machine_objects import BUSY, deployment, pod, with_annotations, word
from tests.machine_scene import Scene, moved, scene
from tests.machine_world import World
from tests.node_lines import UNKNOWN_FATAL

MINUTE = 1 / 60  # in hours
_NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc"
    ' create failed: unable to start container process: exec: "/avalanchego/build/nosuch": stat'
    " /avalanchego/build/nosuch: no such file or directory"
)
_NO_MOUNT = (
    "failed to create shim task: OCI runtime create failed: error mounting"
    ' "/var/lib/kubelet/pods/x" to rootfs: no such file or directory'
)
_TURN = StateWaiting(reason="PodInitializing")
_LOOP = StateWaiting(
    reason="CrashLoopBackOff", message="back-off 2m40s restarting failed container"
)
_UNMADE = StateWaiting(reason="CreateContainerConfigError", message='secret "nosuch" not found')
_AWAY = StateWaiting(reason="ImagePullBackOff", message="no such host")


def begun() -> Scene:
    """A run whose pod has not come yet."""
    world = World()
    key = world.add(with_annotations(deployment(), soak="10m"))
    return Scene(world, key, world.start_run(key))


def waits(s: Scene, waiting: StateWaiting, *, restarts: int = 0, message: str = "") -> Pod:
    """Its node's container waits; message: of the attempt before, which did not start it."""
    made = s.made(started=None, running=False, waiting=waiting, restarts=restarts)
    (status,) = made.status.container_statuses or ()
    ended = StateTerminated(
        exit_code=128,
        reason="StartError",
        message=message,
        started_at=datetime(1970, 1, 1, tzinfo=UTC),
        finished_at=s.world.now,
    )
    last = ContainerState(terminated=ended if message else None)
    statuses = [with_fields(status, last_state=last)]
    return with_fields(
        made,
        spec=with_fields(made.spec, node_name="machine-1"),
        status=with_fields(made.status, container_statuses=statuses),
    )


def attempts(s: Scene, message: str, hours: float) -> None:
    """The kubelet tries again and again, at most five minutes apart."""
    failing = StateWaiting(reason="RunContainerError", message=message)
    for number in range(1, int(hours * 12) + 1):
        for waiting, lasts in ((failing, 1), (_LOOP, 4)):
            if s.world.record(s.key).run is None:
                return
            s.shows(waits(s, waiting, restarts=number, message=message))
            s.looks(None, lasts * MINUTE)


def test_a_program_that_cannot_be_started_never_starts_the_run() -> None:
    """Is a run whose node is never started no bootstrap, with no restarts to tell of, and does it
    fail as what its manifest asks for, after an hour?
    """
    found = begun()
    attempts(found, _NO_PROGRAM, 0.9)
    run = found.world.record(found.key).run
    assert run is not None
    assert (str(run.phase), run.started, run.seen.crashes) == ("Starting", 0, 0)
    assert found.told == ["ContainerNotCreated"]
    attempts(found, _NO_PROGRAM, 0.3)
    assert found.verdict == ("Failed", "BadConfig", "configuration")
    assert "no such file or directory" in found.message


def test_what_the_runtime_cannot_do_is_the_machines() -> None:
    """Has a container whose mounts are gone the patience that a machine has?"""
    found = begun()
    attempts(found, _NO_MOUNT, 11)
    assert found.verdict[0] == "Starting"
    attempts(found, _NO_MOUNT, 2)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('exec: "/x": permission denied', "BadConfig"),
        ("exec /x: exec format error", "BadConfig"),
        ("unable to find user nobody: no matching entries in passwd file", "BadConfig"),
        ("failed to reserve container name", "Unschedulable"),
        ('error mounting "/var/lib/x": permission denied', "Unschedulable"),
        ('context deadline exceeded: exec: "/x"', "Unschedulable"),
    ],
)
def test_whose_fault_it_is_is_told_by_the_runtimes_sentence(message: str, reason: str) -> None:
    """Is what the image or the manifest lacks told from what the machine could not do?"""
    found = begun()
    found.shows(waits(found, StateWaiting(reason="RunContainerError", message=message)))
    found.looks(None, 13)
    assert found.verdict[1] == reason


def test_a_secret_that_comes_late_for_the_machine_is_no_bad_manifest() -> None:
    """Is the API's own trouble, as the kubelet tells it, not held against the manifest?"""
    found = begun()
    late = "failed to sync secret cache: timed out waiting for the condition"
    found.shows(waits(found, StateWaiting(reason="CreateContainerConfigError", message=late)))
    found.looks(None, 2)
    assert found.verdict[0] == "Starting"


def test_attempts_that_started_nothing_recover_nothing() -> None:
    """Are the crashes before them, and those after them, still counted in a row?"""
    found = scene()
    found.ends(3, 1, line=UNKNOWN_FATAL)
    failing = StateWaiting(reason="RunContainerError", message=_NO_MOUNT)
    found.shows(waits(found, failing, restarts=5, message=_NO_MOUNT))
    found.looks(None, 0.1)
    run = found.world.record(found.key).run
    assert run is not None
    assert (run.seen.crashes, run.seen.restarts, run.seen.exit) == (3, 5, 1)
    for restarts in (6, 7, 8):
        found.ends_with(restarts, 1, line=UNKNOWN_FATAL)
    assert found.verdict == ("Failed", "FatalExit", "unclear")


@pytest.mark.parametrize("year", [1, 1970, 2101])
def test_a_node_that_runs_by_a_wrong_clock_runs(year: int) -> None:
    """Is a start whose stamp cannot be true a start now, with nothing recovered by it?"""
    found = begun()
    wrong = datetime(year, 1, 1, tzinfo=UTC)
    found.shows(found.made(started=wrong))
    found.looks(moved(1), 0.1)
    run = found.world.record(found.key).run
    assert run is not None
    assert str(run.phase) == "Bootstrapping"
    assert abs(run.started - found.world.now.timestamp()) < 600
    for restarts in range(1, 6):
        made = found.made(restarts=restarts, started=wrong)
        found.shows(made)
        found.looks(moved(restarts), 0.1)
    run = found.world.record(found.key).run
    assert run is not None
    assert not run.seen.crashes or run.seen.crashes == 5


def _no_machine(s: Scene) -> None:
    made = waits(s, _TURN)
    no_room = PodCondition(type="PodScheduled", status="False", message="0/3 nodes are available")
    s.shows(with_fields(made, status=with_fields(made.status, conditions=[no_room])))


def _ending(s: Scene) -> None:
    s.shows(s.made(terminating=True))


def _pulling(s: Scene) -> None:
    s.shows(waits(s, _AWAY))


@pytest.mark.parametrize("first", [_no_machine, _ending, _pulling])
def test_one_obstacle_after_another_is_told_in_time(first: object) -> None:
    """Is what keeps a node now told when it has been kept for ten minutes, by whatever?"""
    found = begun()
    assert callable(first)
    first(found)
    found.looks(None, 6 * MINUTE)
    found.shows(waits(found, _UNMADE))
    found.looks(None, 3 * MINUTE)
    assert found.told == []
    found.looks(None, 3 * MINUTE)
    assert found.told == ["ContainerNotCreated"]


def test_an_obstacle_that_passes_at_once_is_not_told() -> None:
    """Does a late pod that then comes up bring no notice of what it went through in seconds?"""
    found = begun()
    _no_machine(found)
    found.looks(None, 9 * MINUTE)
    found.shows(waits(found, _TURN))
    found.looks(None, 0.6 * MINUTE)
    found.shows(waits(found, _AWAY))
    found.looks(None, 0.6 * MINUTE)
    found.shows(found.made())
    found.looks(BUSY, 10 * MINUTE)
    told = {s.reason for s in found.world.record(found.key).steps}
    assert "ImagePull" not in told


def test_a_word_of_a_clock_ahead_is_no_second_one() -> None:
    """Does a machine whose clock is ahead of ours for hours not lose its run's data in our eyes?"""
    found = begun()
    for hours in (0, 1, 2, 3, 4):
        ahead = datetime.fromtimestamp(found.world.now.timestamp() + (3 - hours) * 3600, UTC)
        if hours == 0:
            start = ahead
        made = found.made(started=start, uid="pod-1", said=word(found.run, "fresh"))
        (init,) = made.status.init_container_statuses or ()
        end = StateTerminated(message=word(found.run, "fresh"), finished_at=start)
        inits = [with_fields(init, state=ContainerState(terminated=end))]
        found.shows(
            with_fields(made, status=with_fields(made.status, init_container_statuses=inits))
        )
        for number in range(10):
            found.looks(moved(hours * 10 + number), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_another_image_that_could_not_be_started_has_touched_nothing() -> None:
    """Is a pod of another image, whose program never ran, no hand on the data?"""
    found = scene()
    other = pod(found.run, "avaplatform/avalanchego:other", said=word(found.run, "fresh"))
    (status,) = other.status.container_statuses or ()
    end = StateTerminated(exit_code=128, reason="StartError", started_at=found.world.now)
    status = with_fields(status, state=ContainerState(terminated=end))
    other = with_fields(other, status=with_fields(other.status, container_statuses=[status]))
    found.world.pods[found.key] = (found.made(), other)
    found.looks(BUSY, 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_why_no_pod_can_be_made_is_told() -> None:
    """Does the message say the quota's own sentence, as `kubectl describe` shows it, and no more
    when it is over?
    """
    s = begun()
    why = 'pods "fuji-5d8f9b-x2x" is forbidden: exceeded quota: compute, requested: cpu=4'
    failure = DeploymentCondition(
        type="ReplicaFailure", status="True", reason="FailedCreate", message=why
    )
    found = s.world.deployments[s.key]
    s.world.deployments[s.key] = with_fields(found, status=DeploymentStatus(conditions=[failure]))
    s.world.pods[s.key] = ()
    s.looks(None, 0.5)
    assert f"the run has no pod: {why}" in s.world.record(s.key).message
    over = with_fields(failure, status="False")
    assert refused_pods(with_fields(found, status=DeploymentStatus(conditions=[over]))) == ""
