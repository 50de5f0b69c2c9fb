"""What people are told of a run's trouble and of its end."""

from dataclasses import replace
from datetime import timedelta

from controller.base.errors import TargetFault
from controller.domain.decide.machine import decide
from controller.domain.health.look import LastWords
from controller.domain.objects import (
    StateWaiting,
)
from controller.domain.record.parts import Facts
from controller.domain.run import Phase
from tests.machine_objects import BUSY, SOUND, deployment, with_annotations, word
from tests.machine_scene import HOUR, KEY, Scene, scene, soaking
from tests.machine_world import World
from tests.node_lines import UNKNOWN_FATAL, end_by, plain


def test_a_restart_and_its_line_are_told_once() -> None:
    """Do people hear of an end that is no verdict, with its telling line?"""
    found = scene()
    found.ends(1, 1, line=UNKNOWN_FATAL)
    steps = [s for s in found.world.record(found.key).steps if s.reason == "NodeRestarted"]
    assert len(steps) == 1
    assert steps[0].level == "warning"
    assert "exit code 1" in steps[0].message
    assert "C: shutting down chain: x" in steps[0].message


def _image_comes_late(s: Scene) -> None:
    waiting = StateWaiting(reason="ImagePullBackOff", message="no such host")
    s.shows(s.made(waiting=waiting, started=None, running=False))
    s.looks(None, 5)
    s.shows(s.made())
    s.looks(BUSY, 2)


def test_a_condition_is_told_when_it_lasts_and_when_it_ends() -> None:
    """Is an image that does not come told after a while, once, and its end too?"""
    found = scene()
    _image_comes_late(found)
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
    world = failed_after_a_pass(UNKNOWN_FATAL)
    outcome = world.record(KEY).outcome()
    assert outcome is not None
    assert (outcome.reason, outcome.good) == ("FatalExit", "a" * 40)
    assert "last good: v1, since then https://" in outcome.message
    assert outcome.message.endswith(f"/compare/{'a' * 12}...{'b' * 12}")


def test_a_link_is_never_cut() -> None:
    """However long the node's last line is: is the link whole, on the Deployment too, beside how
    long the data is kept?
    """
    world = failed_after_a_pass(plain("FATAL", "x" * 2000))
    record = world.record(KEY)
    outcome = record.outcome()
    assert outcome is not None
    assert outcome.message.endswith(f"/compare/{'a' * 12}...{'b' * 12}")
    assert "xxx" in outcome.message
    assert record.phase is Phase.HELD
    assert "kept until" in record.message
    assert record.message.endswith(outcome.message)


def test_without_a_link_the_commits_are_named() -> None:
    """Where no link is wanted: is the range of commits told by itself?"""
    world = failed_after_a_pass(UNKNOWN_FATAL, compare_url="")
    outcome = world.record(KEY).outcome()
    assert outcome is not None
    assert outcome.message.endswith(f"since then {'a' * 12}...{'b' * 12}")


def test_held_data_is_warned_of_an_hour_before_it_goes() -> None:
    """Does a warning go out once, in the last hour of a hold?"""
    found = scene()
    found.ends(6, 139)

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


def test_a_hold_that_is_found_late_is_told_with_what_ended_before_it() -> None:
    """Does a Deployment that is resumed in the last hour of a hold tell that, and the warning?"""
    found = scene()
    found.ends(6, 139)
    found.world.settle(found.key)
    resumed = found.world.deployments[found.key]
    found.world.change(found.key, with_annotations(resumed, suspend="true"))
    found.world.pass_time(71.5 * HOUR)
    found.world.settle(found.key)
    assert found.world.record(found.key).phase is Phase.SUSPENDED
    now = found.world.deployments[found.key]
    found.world.change(found.key, with_annotations(now, suspend="false"))
    found.world.settle(found.key)
    reasons = [s.reason for s in found.world.record(found.key).steps]
    assert reasons[-2:] == ["SuspendedEnded", "HoldEnding"]


def test_the_last_end_is_judged_with_its_last_words() -> None:
    """Does a verdict wait for the look that reads the log of the end that it is spoken on?"""
    found = scene()
    found.ends(5, 1)
    last = found.made(restarts=6, exit_code=1)
    found.shows(last)
    found.world.settle(found.key)
    assert found.verdict == ("Bootstrapping", "", "")
    found.world.words[found.key] = LastWords(last.metadata.uid, 6, end_by(UNKNOWN_FATAL, 1))
    found.looks(BUSY, 0.01)
    outcome = found.world.record(found.key).outcome()
    assert outcome is not None
    assert "last exit code 1: C: shutting down chain: x" in outcome.message


def test_a_bootstrap_that_was_not_watched_says_how_long_it_took() -> None:
    """Are hours in which no controller looked told, beside those that were observed?"""
    found = scene()
    found.looks(BUSY, 3)
    found.world.now += timedelta(hours=40)
    found.looks(SOUND, 0.4)
    outcome = found.world.record(found.key).outcome()
    assert outcome is not None
    assert "bootstrapped in 1d19h (2h59m of it observed)" in outcome.message


def test_an_init_container_that_prepared_other_data_is_told_of() -> None:
    """Do people hear of a pod that can never pass, though nothing fails for it?"""
    found = scene()
    found.shows(found.made(said=word("20261101t000000z-00000000", "fresh")))
    found.looks(SOUND, 24)
    reasons = [s.reason for s in found.world.record(found.key).steps]
    assert "OtherData" in reasons
    assert found.verdict[0] == "Soaking"


def test_no_secret_of_pods_or_logs_is_told() -> None:
    """Is a password that the kubelet or the node names in no record, message or transition?"""
    found = scene()
    waiting = StateWaiting(
        reason="ImagePullBackOff", message="GET https://cdn.example/x?sig=hunter2: 403"
    )
    found.shows(found.made(waiting=waiting, started=None, running=False))
    found.looks(None, 5)
    found.shows(found.made())
    line = plain("FATAL", "node", "cannot join: DD_APP_KEY=hunter2 encryption_key: hunter2")
    found.ends(1, 1, line=line)
    found.looks(BUSY, 2)
    text = str(found.world.deployments[found.key].metadata)
    assert "[redacted]" in text
    assert "hunter2" not in text


def test_what_had_a_secret_in_it_is_said_once() -> None:
    """Does a Deployment that waits come to rest, though a fault's own words would not be kept?"""
    world = World()
    key = world.add(deployment())
    fault = TargetFault("BadFlag", "it has password=hunter2 in it")
    for _ in range(3):
        decision = decide(replace(world.observe(key), request=fault))
        world.carry_out(key, decision)
    assert decision.write is None
    assert world.record(key).message == "it has password=[redacted] in it"
