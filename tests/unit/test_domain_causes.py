"""Every cause of failure, by what pods and node show of it, and what it must be called: the whole
machine, its table of verdicts, and what must never become one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.answer import AnswerKind, NodeAnswer, Tip
from controller.domain.attention import LastWords
from controller.domain.failure import CLASSES, class_of
from controller.domain.noted import Facts
from controller.domain.objects import (
    Condition,
    Container,
    ContainerState,
    Pod,
    StateTerminated,
    StateWaiting,
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
            if self.world.record(self.key).run is None:
                return
            made = self.made(restarts=number, exit_code=code, last_reason=reason)
            assert made.status.container_statuses is not None
            status = made.status.container_statuses[0]
            ended = with_fields(status.last_state.terminated or StateTerminated(), message=line)
            status = with_fields(status, last_state=ContainerState(terminated=ended))
            self.shows(
                with_fields(made, status=with_fields(made.status, container_statuses=[status]))
            )
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


def crash_loop(s: Scene) -> None:
    s.ends(6, 139)


def fatal(s: Scene) -> None:
    s.ends(6, 1, line="[11-25|06:00:00.000] FATAL <C Chain> handler shutting down chain")


def panic(s: Scene) -> None:
    s.world.words[s.key] = LastWords("pod-1", 1, "FATAL caught panic: nil pointer\n")
    s.ends(1, 0, reason="Completed")


def zero_twice(s: Scene) -> None:
    s.ends(2, 0, reason="Completed")


def stalled(s: Scene) -> None:
    s.looks(MOVING, 2.5)


def timeout(s: Scene) -> None:
    s.world.change(s.key, with_annotations(s.world.deployments[s.key], timeout="1h"))
    for number in range(200):
        s.looks(_moved(number), 0.01)


def unhealthy(s: Scene) -> None:
    s.looks(_failing("database", "closed"), 7)


def frozen(s: Scene) -> None:
    tip = Tip(100, s.world.now.timestamp())
    s.looks(_tips(tip), 7)


def wrong_version(s: Scene) -> None:
    s.world.facts[s.key] = Facts(image_commit="a" * 40, tags=("master", "aaaaaaaa"))
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", commit="b" * 40, peers=3), 0.1)


def no_image(s: Scene) -> None:
    waiting = StateWaiting(reason="ImagePullBackOff", message="no such host")
    s.shows(s.made(waiting=waiting, started=None, running=False))
    s.looks(None, 7)


def disk_full(s: Scene) -> None:
    s.ends(6, 1, line="FATAL node/node.go:1481 low on disk space. Shutting down...")


def out_of_memory(s: Scene) -> None:
    s.ends(6, 137, reason="OOMKilled")


def unschedulable(s: Scene) -> None:
    made = s.made(said=None, started=None, running=False)
    no_room = Condition(type="PodScheduled", status="False", message="0/3 nodes are available")
    s.shows(
        with_fields(
            made,
            status=with_fields(
                made.status,
                conditions=[no_room],
                container_statuses=None,
                init_container_statuses=None,
            ),
        )
    )
    s.looks(None, 13)


def no_pod(s: Scene) -> None:
    s.world.pods[s.key] = ()
    s.looks(None, 13)


def volume_lost(s: Scene) -> None:
    s.looks(BUSY, 0.1)
    s.shows(s.made(uid="pod-2", said=word(s.run, "fresh")))
    s.looks(BUSY, 0.1)


def no_peers(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", peers=0, failing={"network": "no peers"}), 7)


def refused_flags(s: Scene) -> None:
    s.ends(6, 1, line="couldn't configure flags: unknown flag: --foo")


def wrong_architecture(s: Scene) -> None:
    s.ends(6, 1, line="exec /avalanchego/build/avalanchego: exec format error")


def inherited_label(s: Scene) -> None:
    """A base image's label, which no tag of the build bears out."""
    s.world.facts[s.key] = Facts(image_commit="a" * 40, tags=("master",))
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", commit="b" * 40, peers=3), 0.1)


def loopback(s: Scene) -> None:
    made = s.made()
    node = Container(name="node", image=made.spec.container("node").image)  # type: ignore[union-attr]
    s.shows(with_fields(made, spec=with_fields(made.spec, containers=[node])))
    s.looks(NodeAnswer(AnswerKind.STARTING, "refuses connections"), 1.2)


def host_refused(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.HOST_REFUSED, "403 invalid host specified"), 1.2)


def silent(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.STARTING, "takes connections and does not answer"), 13)


def _moved(number: int) -> NodeAnswer:
    return NodeAnswer(
        AnswerKind.ANSWERED, "", counters={"C/executed": float(number)}, peers=3, failing={"C": ""}
    )


def _failing(check: str, error: str) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, failing={check: error}, peers=5)


def _tips(tip: Tip) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, healthy=True, tips={"C": tip}, peers=5)


CAUSES: list[tuple[Callable[[], Scene], Callable[[Scene], None], str]] = [
    (scene, crash_loop, "CrashLoop"),
    (scene, fatal, "FatalExit"),
    (scene, panic, "ExitedZero"),
    (scene, zero_twice, "ExitedZero"),
    (scene, stalled, "Stalled"),
    (scene, silent, "Stalled"),
    (scene, timeout, "Timeout"),
    (soaking, unhealthy, "UnhealthyAfterBootstrap"),
    (soaking, frozen, "TipNotAdvancing"),
    (scene, wrong_version, "WrongVersion"),
    (scene, no_image, "ImagePull"),
    (scene, disk_full, "DiskFull"),
    (scene, out_of_memory, "OutOfMemory"),
    (scene, unschedulable, "Unschedulable"),
    (scene, no_pod, "Unschedulable"),
    (scene, volume_lost, "VolumeLost"),
    (scene, no_peers, "NoPeers"),
    (scene, refused_flags, "BadConfig"),
    (scene, wrong_architecture, "BadConfig"),
    (scene, host_refused, "BadConfig"),
    (scene, loopback, "BadConfig"),
]


@pytest.mark.parametrize(("begin", "play", "reason"), CAUSES)
def test_each_cause_has_its_verdict(
    begin: Callable[[], Scene], play: Callable[[Scene], None], reason: str
) -> None:
    """Is each cause called by its own reason, with the class of its own?"""
    found = begin()
    play(found)
    assert found.verdict == ("Failed", reason, class_of(reason))


def test_every_reason_of_a_failure_is_played() -> None:
    """Does the table leave out none of the closed list?"""
    assert {reason for _, _, reason in CAUSES} == set(CLASSES)


def slow(s: Scene) -> None:
    for number in range(30):
        s.looks(_moved(number), 1.9)


def flapping(s: Scene) -> None:
    for _ in range(20):
        s.looks(_failing("C", "processing too long"), 0.9)
        s.looks(SOUND, 0.1)


def five_restarts(s: Scene) -> None:
    s.ends(5, 1, line="FATAL shutting down chain")
    s.looks(BUSY, 1)


def one_oom(s: Scene) -> None:
    s.ends(1, 137, reason="OOMKilled")


def evicted(s: Scene) -> None:
    old = s.made()
    old = with_fields(old, status=with_fields(old.status, phase="Failed", reason="Evicted"))
    new = s.made(uid="pod-2", said=word(s.run, "resumed", resumes=1), name="fuji-2")
    s.world.pods[s.key] = (old, new)
    s.looks(BUSY, 1)


def drained(s: Scene) -> None:
    s.shows(s.made(terminating=True))
    s.looks(BUSY, 0.1)
    s.shows(s.made(uid="pod-2", said=word(s.run, "resumed", resumes=1)))
    s.looks(BUSY, 1)


def rebooted(s: Scene) -> None:
    """The machine: every container ends with 0, and the init container runs again."""
    for number in (1, 2, 3):
        said = word(s.run, "resumed", resumes=number)
        s.shows(s.made(restarts=number, exit_code=0, said=said))
        s.looks(BUSY, 0.1)


def late_registry(s: Scene) -> None:
    waiting = StateWaiting(reason="ImagePullBackOff", message="no such host")
    s.shows(s.made(waiting=waiting, started=None, running=False))
    s.looks(None, 5)
    s.shows(s.made())
    s.looks(BUSY, 2)


def without_metrics(s: Scene) -> None:
    s.looks(BUSY, 20)


@pytest.mark.parametrize(
    "play",
    [
        slow,
        five_restarts,
        one_oom,
        evicted,
        drained,
        rebooted,
        late_registry,
        without_metrics,
        inherited_label,
    ],
)
def test_what_a_run_survives_is_no_verdict(play: Callable[[Scene], None]) -> None:
    """Does trouble that a new pod or container resumes from, or mere slowness, end nothing?"""
    found = scene()
    play(found)
    assert found.verdict == ("Bootstrapping", "", "")


def test_health_that_flaps_is_no_verdict() -> None:
    """Does a check that fails and mends again, for a day, end nothing?"""
    found = soaking()
    flapping(found)
    assert found.verdict == ("Soaking", "", "")


def test_low_stake_connections_do_not_stand_against_a_build() -> None:
    """Does a machine that reaches too few validators not keep its node from passing [90]?"""
    found = soaking()
    error = "not connected to enough stake: connected to 55.000000%; required at least 80.000000%"
    found.looks(_failing("P", error), 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_an_evicted_pod_that_stays_does_not_hide_the_new_one() -> None:
    """Does a run go on in the pod after an eviction, whose object stays, and pass?"""
    found = scene()
    evicted(found)
    found.looks(SOUND, 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_restart_and_its_line_are_told_once() -> None:
    """Do people hear of an end that is no verdict, with its telling line?"""
    found = scene()
    found.ends(1, 1, line="[11-25|06:00:00.000] FATAL shutting down chain reason: x")
    steps = [s for s in found.world.record(found.key).steps if s.reason == "NodeRestarted"]
    assert len(steps) == 1
    assert steps[0].level == "warning"
    assert "exit code 1" in steps[0].message
    assert "FATAL shutting down chain reason: x" in steps[0].message


def test_a_condition_is_told_when_it_lasts_and_when_it_ends() -> None:
    """Is an image that does not come told after a while, once, and its end too?"""
    found = scene()
    late_registry(found)
    reasons = [s.reason for s in found.world.record(found.key).steps]
    assert reasons.count("ImagePull") == reasons.count("ImagePullEnded") == 1


def failed_after_a_pass(line: str, **rules: object) -> World:
    """line: the last of the node's log."""
    found = soaking()
    found.world.rules = replace(found.world.rules, **rules)  # type: ignore[arg-type]
    found.world.facts[found.key] = Facts(version="v1", commit="a" * 40)
    found.looks(SOUND, 0.4)
    found.world.tags["latest"] = "b"
    found.world.pass_time(60)
    run = found.world.start_run(found.key)
    found.world.facts[found.key] = Facts(version="v2", commit="b" * 40)
    found.world.kubelet(found.key)
    found.world.settle(found.key)
    Scene(found.world, found.key, run).ends(6, 1, line=line)
    found.world.settle(found.key)
    return found.world


def test_a_failure_after_a_pass_says_since_when() -> None:
    """Does a failure name the last good build, and a link that compares the two commits?"""
    world = failed_after_a_pass("FATAL shutting down")
    outcome = world.record(KEY).outcome()
    assert outcome is not None
    assert (outcome.reason, outcome.good) == ("FatalExit", "a" * 40)
    assert "last good: v1 (run " in outcome.message
    assert outcome.message.endswith(f"/compare/{'a' * 12}...{'b' * 12}")


def test_a_link_is_never_cut() -> None:
    """However long the node's last line is: is the link whole, on the Deployment too, beside how
    long the data is kept?
    """
    world = failed_after_a_pass("FATAL " + "x" * 2000)
    record = world.record(KEY)
    outcome = record.outcome()
    assert outcome is not None
    assert outcome.message.endswith(f"/compare/{'a' * 12}...{'b' * 12}")
    assert "FATAL xxx" in outcome.message
    assert record.phase is Phase.HELD
    assert "kept until" in record.message
    assert record.message.endswith(outcome.message)


def test_without_a_link_the_commits_are_named() -> None:
    """Where no link is wanted: is the range of commits told by itself?"""
    world = failed_after_a_pass("FATAL shutting down", compare_url="")
    outcome = world.record(KEY).outcome()
    assert outcome is not None
    assert outcome.message.endswith(f"since then {'a' * 12}...{'b' * 12}")


def test_held_data_is_warned_of_an_hour_before_it_goes() -> None:
    """Does a warning go out once, in the last hour of a hold?"""
    found = scene()
    crash_loop(found)

    def warnings() -> int:
        record = found.world.record(found.key)
        return sum(s.reason == "HoldEnding" for s in record.steps)

    found.world.pass_time(70 * HOUR)
    found.world.settle(found.key)
    assert warnings() == 0
    found.world.pass_time(1.5 * HOUR)
    found.world.settle(found.key)
    found.world.pass_time(60)
    found.world.settle(found.key)
    assert warnings() == 1
    assert found.world.record(found.key).phase is Phase.HELD


def test_time_that_nobody_observed_fails_nothing() -> None:
    """Does a controller that was away for days not blame the node for them?"""
    found = scene()
    found.looks(MOVING, 1)
    found.world.now += timedelta(days=6)
    found.looks(MOVING, 0.5)
    assert found.verdict == ("Bootstrapping", "", "")
