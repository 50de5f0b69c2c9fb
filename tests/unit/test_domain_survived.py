"""What must never become a verdict: trouble that passes, slowness, and what is not the build's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.objects import (
    ContainerState,
    StateTerminated,
    StateWaiting,
)
from controller.domain.record.parts import Facts
from tests.machine_objects import BUSY, SOUND, build, with_annotations, word
from tests.machine_scene import (
    CUT_OFF,
    MOVING,
    NOTHING_FETCHED,
    SUMMARY,
    Scene,
    failing,
    full_sync,
    moved,
    newer_peer,
    scene,
    soaking,
    with_tip,
)
from tests.node_lines import UNKNOWN_FATAL, plain


def inherited_label(s: Scene) -> None:
    """A base image's label, which no tag of the build bears out."""
    s.world.facts[s.key] = Facts(image_commit="a" * 40, tags=("master",))
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", commit="b" * 40, peers=3), 0.1)


def slow(s: Scene) -> None:
    for number in range(30):
        s.looks(moved(number), 1.9)


def flapping(s: Scene) -> None:
    for _ in range(20):
        s.looks(failing("C", "processing too long"), 0.9)
        s.looks(SOUND, 0.1)


def five_restarts(s: Scene) -> None:
    s.ends(5, 1, line=UNKNOWN_FATAL)
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


def rebooted_slowly(s: Scene) -> None:
    """As before, and the init container is seen to have run before the node is started again."""
    for number in range(1, 8):
        said = word(s.run, "resumed", resumes=number)
        s.shows(s.made(restarts=number - 1, running=False, exit_code=255, said=said))
        s.looks(BUSY, 0.1)
        s.shows(s.made(restarts=number, exit_code=255, said=said))
        s.looks(BUSY, 0.1)


def late_registry(s: Scene) -> None:
    waiting = StateWaiting(reason="ImagePullBackOff", message="no such host")
    s.shows(s.made(waiting=waiting, started=None, running=False))
    s.looks(None, 5)
    s.shows(s.made())
    s.looks(BUSY, 2)


def never_started(s: Scene) -> None:
    """The runtime fails ten times, and then it does not: no restart of the node's, no recovery."""
    for number in range(1, 11):
        made = s.made(running=False, started=None, restarts=number, last_reason="StartError")
        s.shows(made)
        s.looks(None, 0.05)
    s.shows(s.made(restarts=10, last_reason="StartError"))
    s.looks(BUSY, 1)


def lost_with_its_machine(s: Scene) -> None:
    """Again and again, and the init container's word is lost, too [scenes moved, reboot]."""
    for number in range(1, 8):
        s.shows(s.made(restarts=number, exit_code=255, last_reason="Unknown"))
        s.looks(BUSY, 0.1)


def probed_to_death(s: Scene) -> None:
    """By a liveness probe; each end is with 0."""
    for number in range(1, 6):
        made = s.made(restarts=number, exit_code=0, last_reason="Completed")
        (node,) = made.spec.containers or ()
        node = with_fields(node, liveness_probe={"tcpSocket": {"port": 9651}})
        s.shows(with_fields(made, spec=with_fields(made.spec, containers=[node])))
        s.looks(BUSY, 0.1)


def pulled_from_a_mirror(s: Scene) -> None:
    """A webhook has pods pull by another name, and the runtime says the digest of an index."""
    own = s.made()
    assert own.spec.containers
    assert own.status.container_statuses
    run = s.world.record(s.key).run
    assert run is not None
    image = f"mirror.example/cache/avalanchego:latest@{run.build}"
    node = with_fields(own.spec.containers[0], image=image)
    status = with_fields(own.status.container_statuses[0], image_id=f"mirror@{build('e')}")
    s.shows(
        with_fields(
            own,
            spec=with_fields(own.spec, containers=[node]),
            status=with_fields(own.status, container_statuses=[status]),
        )
    )
    s.looks(BUSY, 1)


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
        rebooted_slowly,
        late_registry,
        pulled_from_a_mirror,
        without_metrics,
        never_started,
        lost_with_its_machine,
        probed_to_death,
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
    found.looks(failing("P", error), 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_an_evicted_pod_that_stays_does_not_hide_the_new_one() -> None:
    """Does a run go on in the pod after an eviction, whose object stays, and pass?"""
    found = scene()
    evicted(found)
    found.looks(SOUND, 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_time_that_nobody_observed_fails_nothing() -> None:
    """Does a controller that was away for days not blame the node for them?"""
    found = scene()
    found.looks(MOVING, 1)
    found.world.now += timedelta(days=6)
    found.looks(MOVING, 0.5)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_new_process_has_a_patience_of_its_own() -> None:
    """Does a node that is restarted while nothing moved begin its time anew?"""
    found = scene()
    found.looks(MOVING, 5.9)
    found.shows(found.made(restarts=1))
    found.looks(MOVING, 5.9)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(MOVING, 0.2)
    assert found.verdict[1] == "Stalled"


def test_a_node_without_a_network_is_not_called_stalled() -> None:
    """Where its own check says that nothing comes from any peer: is it the network's fault?"""
    found = scene()
    cut_off = replace(MOVING, failing={"network": "no messages from network received in 2h"})
    found.looks(cut_off, 5)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(cut_off, 2)
    assert found.verdict == ("Failed", "NoPeers", "infrastructure")


def test_a_node_that_bootstraps_again_after_a_restart_is_not_unhealthy() -> None:
    """Has a restarted node of a run that soaks the time to catch up that a bootstrap has?"""
    found = soaking()
    found.shows(found.made(restarts=1))
    for number in range(80):
        found.looks(moved(number), 0.1)
    assert found.verdict == ("Soaking", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_ends_with_zero_are_forgotten_like_others() -> None:
    """Do two ends with 0, a day apart, not add up?"""
    found = scene()
    found.ends(1, 0, reason="Completed")
    for number in range(24):
        found.looks(moved(number), 1)
    found.shows(found.made(restarts=2, exit_code=0, last_reason="Completed"))
    found.looks(BUSY, 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_clock_that_comes_right_fails_nothing() -> None:
    """After hours by a wrong clock, by which a block that stands was old: does the run go on?"""
    found = soaking()
    found.world.skew = found.world.ahead = 86400.0
    found.looks(with_tip(Tip(100, found.world.now.timestamp())), 7)
    found.world.skew = found.world.ahead = 0.0
    found.world.settle(found.key)
    assert found.verdict == ("Soaking", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_time_in_which_nobody_could_see_the_node_counts_for_no_timeout() -> None:
    """Is a run not late whose node nobody reached for days, or that had no machine?"""
    found = scene()
    found.world.change(
        found.key, with_annotations(found.world.deployments[found.key], timeout="1d")
    )
    found.looks(NodeAnswer(AnswerKind.UNREACHED, "no route to host"), 30)
    assert found.verdict == ("Bootstrapping", "", "")
    for number in range(26):
        found.looks(moved(number), 0.95)
    assert found.verdict[1] == "Timeout"


def test_a_picture_of_the_pods_that_stands_is_no_observation() -> None:
    """Does trouble of pods grow only while their watch is heard, and go on where it was?"""
    found = scene()
    found.world.pods[found.key] = ()
    found.looks(None, 11)
    found.world.unheard.add(found.key)
    found.looks(None, 40)
    assert found.verdict == ("Bootstrapping", "", "")
    found.world.unheard.clear()
    found.looks(None, 0.9)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(None, 0.2)
    assert found.verdict[:2] == ("Failed", "Unschedulable")


def test_nobody_answers_where_nobody_may_be() -> None:
    """Is a node that does not answer blamed for it only while its pod is known to be there?"""
    found = scene()
    found.world.unheard.add(found.key)
    found.looks(NodeAnswer(AnswerKind.STARTING, "connection refused"), 30)
    assert found.verdict == ("Bootstrapping", "", "")
    assert found.told == []
    attention = found.world.attention[found.key]
    assert attention.blind == attention.observed


def test_a_node_that_answers_is_seen_though_its_pod_is_not() -> None:
    """Does what a node says itself count, whatever becomes of the watch of its pod?"""
    found = scene()
    found.world.unheard.add(found.key)
    found.looks(MOVING, 6.5)
    assert found.verdict[:2] == ("Failed", "Stalled")


@pytest.mark.parametrize("answer", [None, NodeAnswer(AnswerKind.STARTING, "refused"), MOVING])
def test_pods_that_are_newer_than_the_last_look_fail_nothing(answer: NodeAnswer | None) -> None:
    """Before a failure is written the pods are listed anew: does a pod whose node has just been
    started keep it from being written?
    """
    found = scene()
    if answer is None:
        found.world.pods[found.key] = ()
    for _ in range(2000):
        found.world.probe(found.key, answer, seconds=80)
        last_look = found.world.observe(found.key)
        if _fails(decide(last_look)):
            break
        found.world.settle(found.key)
    assert _fails(decide(last_look))
    said = word(found.run, "resumed", resumes=1)
    new = found.made(uid="pod-new", said=said, started=found.world.now)
    assert not _fails(decide(replace(last_look, pods=(new,))))


def _fails(decision: Decision) -> bool:
    record = decision.record
    return record is not None and record.run is None and record.outcomes[-1].phase == "Failed"


def test_restarts_that_lie_days_apart_are_no_loop() -> None:
    """Is a controller that was away not misled by a count, where the last process lived long?"""
    found = scene()
    found.looks(moved(1), 0.1)
    found.world.now += timedelta(days=6)
    made = found.made(restarts=6, exit_code=1)
    assert made.status.container_statuses is not None
    status = made.status.container_statuses[0]
    ended = with_fields(
        status.last_state.terminated or StateTerminated(),
        started_at=found.world.now - timedelta(hours=22),
        finished_at=found.world.now,
    )
    status = with_fields(status, last_state=ContainerState(terminated=ended))
    found.shows(with_fields(made, status=with_fields(made.status, container_statuses=[status])))
    found.looks(moved(2), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_restarts_that_a_new_controller_finds_are_no_loop_yet() -> None:
    """Are restarts of which nobody knows when they were not called a loop at the first look?"""
    found = scene()
    found.world.attention.clear()
    found.shows(found.made(restarts=9, exit_code=1))
    found.looks(moved(1), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_checks_that_fail_for_want_of_a_network_are_the_networks() -> None:
    """Where C's check fails a look before the network's does: whose fault is it?"""
    found = soaking()
    found.looks(failing("C", "block processing too long"), 0.02)
    cut_off = {"C": "block processing too long", "network": "no peers"}
    found.looks(replace(failing("C", ""), failing=cut_off, peers=0), 7)
    assert found.verdict == ("Failed", "NoPeers", "infrastructure")


def test_what_was_fetched_can_be_executed_without_peers() -> None:
    """Does an outage of the network not fail a node that goes on working?"""
    found = scene()
    for number in range(80):
        found.looks(replace(moved(number), peers=0), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_disk_that_fails_is_not_the_builds_fault() -> None:
    """Are ends by I/O errors the volume's?"""
    found = scene()
    found.ends(
        6, 1, line=plain("FATAL", "node failed", error="write /data/x.log: input/output error")
    )
    assert found.verdict == ("Failed", "VolumeLost", "infrastructure")


def test_an_invalid_argument_is_not_always_a_flag() -> None:
    """Is a crash after a warning with errno 22 in it no matter of configuration?"""
    found = scene()
    found.ends(6, 139, line="WARN could not sync: invalid argument")
    assert found.verdict[1] == "CrashLoop"


def test_a_runtime_that_is_slow_is_no_bad_manifest() -> None:
    """Has a container that could not be created for an hour, for the machine's sake, more time?"""
    found = scene()
    waiting = StateWaiting(
        reason="CreateContainerError", message="failed to reserve container name: it is reserved"
    )
    found.shows(found.made(waiting=waiting, started=None, running=False))
    found.looks(None, 11)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(None, 2)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")


def test_a_pod_that_is_not_set_up_again_is_told_of() -> None:
    """After a reboot, where the pod's volume does not come back: is that seen?"""
    found = scene()
    waiting = StateWaiting(reason="PodInitializing", message="")
    made = found.made(waiting=waiting, restarts=1)
    found.shows(with_fields(made, spec=with_fields(made.spec, node_name="machine-1")))
    found.looks(None, 13)
    assert found.verdict == ("Failed", "Unschedulable", "infrastructure")


def test_a_chain_that_fetches_anew_does_not_hide_one_that_hangs() -> None:
    """Is C found to stand though P, which has finished, goes on counting [106]?"""
    found = scene()
    for number in range(75):
        counters = {"P/fetched": 1000.0 + number, "C/executed": 500.0}
        found.looks(replace(MOVING, counters=counters), 0.1)
    assert found.verdict == ("Failed", "Stalled", "client")


def test_a_chain_that_is_not_read_is_not_one_that_stands() -> None:
    """Is C not called stalled where its counters are cut off the metrics?"""
    found = scene()
    found.looks(replace(MOVING, counters={"P/fetched": 1.0, "C/executed": 500.0}), 0.1)
    for number in range(130):
        found.looks(replace(MOVING, counters={"P/fetched": 2.0 + number}), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_document_that_stands_while_a_batch_executes_is_no_verdict() -> None:
    """Does a chain that is locked by its work for hours, and tells by its counters, go on [108]?"""
    found = scene()
    found.looks(MOVING, 0.1)
    at = found.world.now.timestamp()
    for number in range(130):
        found.looks(replace(moved(number), checked=at, checked_all=at), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_a_compaction_in_which_nothing_moves_and_nothing_is_checked_is_no_verdict() -> None:
    """Between fetching and executing: do minutes in which all stands end nothing?"""
    found = scene()
    for number in range(10):
        found.looks(replace(MOVING, counters={"C/fetched": 1.0 + number}), 0.1)
    at = found.world.now.timestamp()
    stands = replace(MOVING, counters={"C/fetched": 10.0}, checked=at, checked_all=at)
    found.looks(stands, 1.9)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(moved(1), 0.1)
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_checks_that_stand_for_some_minutes_of_a_soak_are_no_verdict() -> None:
    """Does a node that executes a batch after it got ready pass, once it was seen well again?"""
    found = soaking()
    for _ in range(5):
        found.looks(SOUND, 0.05)
        at = found.world.now.timestamp()
        found.looks(replace(SOUND, checked=at, checked_all=at), 0.1)
    assert found.verdict == ("Soaking", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_node_without_metrics_whose_checks_stand_is_no_verdict() -> None:
    """Is a chain that may execute for days not called stalled where no counter tells?"""
    found = scene()
    at = found.world.now.timestamp()
    found.looks(replace(BUSY, checked=at, checked_all=at), 13)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_old_news_fails_nobody() -> None:
    """Is a check that failed in a document that stands now not held against the build for hours?"""
    found = soaking()
    at = found.world.now.timestamp()
    found.looks(replace(failing("C", "processing too long"), checked=at, checked_all=at), 5.9)
    assert found.verdict == ("Soaking", "", "")
    found.looks(SOUND, 0.4)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_node_that_does_not_name_its_network_at_every_look_passes() -> None:
    """Is it enough that a node says once in its soak on which network it is?"""
    found = soaking()
    found.world.named = False
    found.looks(SOUND, 0.1)
    found.world.named = True
    found.looks(SOUND, 0.02)
    found.world.named = False
    found.looks(SOUND, 0.3)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_state_sync_that_is_silent_has_its_own_patience() -> None:
    """Is C in the silent end of its state sync not judged by what X did last?"""
    found = scene()
    synced = {"P/executed": 9.0, "C/state-synced": 5000.0}
    found.looks(replace(MOVING, counters={**synced, "X/fetched": 1.0}), 0.1)
    found.looks(replace(MOVING, counters={**synced, "X/fetched": 2.0}), 11)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_clock_that_steps_back_loses_no_volume() -> None:
    """Is an init container that ended after its node began, by its clock, no second one?"""
    found = scene()
    run = found.world.record(found.key).run
    assert run is not None
    made = found.made()
    (init,) = made.status.init_container_statuses or ()
    assert init.state.terminated is not None
    at = datetime.fromtimestamp(run.started + 20, UTC)
    state = ContainerState(terminated=with_fields(init.state.terminated, finished_at=at))
    statuses = [with_fields(init, state=state)]
    found.shows(
        with_fields(made, status=with_fields(made.status, init_container_statuses=statuses))
    )
    found.looks(moved(1), 0.1)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_word_that_the_kubelet_has_lost_is_remembered() -> None:
    """Does a run pass whose init container the runtime threw away, in the pod that said it?"""
    found = scene()
    found.looks(BUSY, 0.1)
    made = found.made(said="Unable to get init container status from container runtime and pod")
    found.shows(made)
    found.looks(SOUND, 0.4)
    assert found.verdict[0] == "Passed"


def test_an_init_container_without_a_word_is_a_matter_of_configuration() -> None:
    """Does a run that could never pass, for want of its word, end and say so?"""
    found = scene()
    found.shows(found.made(uid="pod-9", said="done"))
    found.looks(BUSY, 1.2)
    assert found.verdict == ("Failed", "BadConfig", "configuration")


def newer_peers_among_many(s: Scene) -> None:
    """Most of them are newer than a build of last month, and they let it be."""
    s.hears(newer_peer(s))
    for number in range(40):
        s.looks(moved(number), 0.1)


def newer_peers_of_yesterday(s: Scene) -> None:
    """Its log tells of newer peers, from before the way to all of them was closed."""
    s.hears(newer_peer(s))
    s.looks(MOVING, 1)
    s.looks(replace(MOVING, peers=0), 5.5)


def refused_for_a_while(s: Scene) -> None:
    s.looks(CUT_OFF, 0.1)
    s.hears(newer_peer(s))
    s.looks(CUT_OFF, 0.3)
    s.looks(moved(1), 0.1)
    s.looks(moved(2), 0.1)


def begins_slowly(s: Scene) -> None:
    """C has begun, and finds its peers only after an hour."""
    s.looks(NOTHING_FETCHED, 1.9)
    s.looks(replace(NOTHING_FETCHED, counters={"C/fetched": 5.0}), 1.9)


def compacts_after_a_restart(s: Scene) -> None:
    """A process on data that another had filled counts from zero [108], and compacts first."""
    s.shows(s.made(restarts=1))
    p_goes_on(s, {"C/fetched": 0.0, "C/executed": 0.0, "C/state-synced": 0.0})


def a_sync_of_unknown_names(s: Scene) -> None:
    """A build whose metrics do not tell of its state sync may be in the midst of it."""
    p_goes_on(s, {"C/fetched": 0.0, "C/executed": 0.0})


def p_goes_on(s: Scene, c: dict[str, float]) -> None:
    """For five hours: a chain that has finished bootstraps again and again [106]."""
    for number in range(50):
        counters = {"P/fetched": 9.0 + number, **c}
        s.looks(replace(NOTHING_FETCHED, counters=counters), 0.1)


@pytest.mark.parametrize(
    "play",
    [
        newer_peers_among_many,
        newer_peers_of_yesterday,
        refused_for_a_while,
        begins_slowly,
        compacts_after_a_restart,
        a_sync_of_unknown_names,
    ],
)
def test_what_comes_close_to_the_networks_trouble(play: Callable[[Scene], None]) -> None:
    """Does what looks like a network that has moved on end nothing?"""
    found = scene()
    play(found)
    assert found.verdict == ("Bootstrapping", "", "")


def test_newer_peers_of_long_ago_do_not_explain_why_there_are_none() -> None:
    """Is a node whose way to its peers was closed not told that the network has moved on?"""
    found = scene()
    newer_peers_of_yesterday(found)
    found.looks(CUT_OFF, 1)
    assert found.verdict == ("Failed", "NoPeers", "infrastructure")


def test_a_network_that_has_moved_on_is_told_at_once_and_named_early() -> None:
    """Do people hear of it within minutes, and is it the verdict within the hour?"""
    found = scene()
    found.looks(CUT_OFF, 0.1)
    found.hears(newer_peer(found))
    found.looks(CUT_OFF, 0.02)
    assert found.told == ["NetworkMovedOn"]
    found.looks(CUT_OFF, 0.3)
    assert found.verdict == ("Bootstrapping", "", "")
    found.looks(CUT_OFF, 0.1)
    assert found.verdict == ("Failed", "NetworkMovedOn", "network")
    words = "peers run avalanchego/1.16.0 and refuse this node's avalanchego/1.14.2"
    assert words in found.message


def test_a_peer_that_stays_for_a_moment_is_none() -> None:
    """Is a peer that is seen while it refuses the node no end of that trouble [scene moved-on]?"""
    found = scene()
    found.looks(CUT_OFF, 0.1)
    found.hears(newer_peer(found))
    for _ in range(5):
        found.looks(CUT_OFF, 0.1)
        found.looks(replace(CUT_OFF, failing={"bootstrapped": "no"}, peers=1), 0.01)
    assert found.verdict[1] == "NetworkMovedOn"


def test_a_look_without_an_answer_is_no_news_of_the_network() -> None:
    """Is a node without peers, which does not answer now and then, not told to be too old?"""
    found = scene()
    for _ in range(10):
        found.looks(CUT_OFF, 0.1)
        found.looks(NodeAnswer(AnswerKind.UNREACHED, "no route to host"), 0.01)
    assert found.verdict == ("Bootstrapping", "", "")
    assert found.told == ["NoPeers"]


def test_a_log_that_may_not_be_read_says_so() -> None:
    """Does the failure for want of peers say that its log might tell more, and how to read it?"""
    found = scene()
    found.world.unread[found.key] = "missing right: get pods/log"
    found.looks(CUT_OFF, 6.2)
    assert found.verdict == ("Failed", "NoPeers", "infrastructure")
    assert "grant the component evidence (missing right: get pods/log)" in found.message


def test_a_build_that_fetches_nothing_is_told_of_both_ways() -> None:
    """Does a verdict on a build that cannot read a block name the network's part too?"""
    found = scene()
    found.looks(NOTHING_FETCHED, 0.3)
    assert found.told == ["NothingFetched"]
    found.looks(NOTHING_FETCHED, 2)
    assert found.verdict == ("Failed", "NothingFetched", "unclear")
    assert "C has not fetched one block from 5 peers" in found.message
    assert "the network has moved on" in found.message


def test_p_that_goes_on_does_not_hide_that_c_reads_nothing() -> None:
    """Is C found to fetch nothing though P, which has finished, goes on counting [106]?"""
    found = scene()
    p_goes_on(found, {"C/fetched": 0.0, "C/executed": 0.0, "C/state-synced": 0.0})
    assert found.verdict == ("Failed", "NothingFetched", "unclear")


def test_a_build_that_fetches_nothing_where_others_do_not_either() -> None:
    """Are two builds that fetch nothing from one network at once its network's?"""
    found = scene()
    other = found.beside("fuji-full", build="b", mode="full-sync")
    other.conditions("NothingFetched")
    found.looks(NOTHING_FETCHED, 2.5)
    assert found.verdict == ("Failed", "NetworkTrouble", "network")


def test_newer_peers_are_named_beside_what_cannot_be_read() -> None:
    """Do people read which versions the peers have, whose blocks cannot be read?"""
    found = scene()
    found.hears(newer_peer(found))
    found.looks(NOTHING_FETCHED, 2.5)
    assert "5 peers (avalanchego/1.16.0 among them, this is avalanchego/1.14.2)" in found.message


def test_trouble_of_one_target_only_is_the_builds() -> None:
    """Others of the network are well, another network's stands: is the build still blamed?"""
    found = scene()
    found.beside("fuji-full", build="b", mode="full-sync")
    found.beside("mainnet", build="b", network="mainnet").conditions("NotMoving")
    found.looks(MOVING, 6.5)
    assert found.verdict == ("Failed", "Stalled", "client")


def test_trouble_of_another_kind_is_no_evidence() -> None:
    """Does one that finds no disk or has an old tip not speak for a build that stands?"""
    found = scene()
    found.beside("fuji-full", build="b", mode="full-sync").conditions("DiskLow", "TipStands")
    found.looks(MOVING, 6.5)
    assert found.verdict == ("Failed", "Stalled", "client")


def test_trouble_that_has_just_begun_elsewhere_is_no_evidence() -> None:
    """Must others have stood for about as long?"""
    found = scene()
    other = found.beside("fuji-full", build="b", mode="full-sync")
    found.looks(MOVING, 5)
    other.conditions("NotMoving")
    found.looks(MOVING, 1.5)
    assert found.verdict == ("Failed", "Stalled", "client")


def test_a_broken_database_is_nobody_elses() -> None:
    """Are two nodes whose databases fail at once two broken nodes, and no network in trouble?"""
    found = soaking()
    other = found.beside("fuji-full", build="b", mode="full-sync")
    other.conditions("Unhealthy", message="database: closed")
    found.looks(failing("database", "closed"), 7)
    assert found.verdict == ("Failed", "UnhealthyAfterBootstrap", "client")


def test_a_chain_that_fails_everywhere_is_the_networks() -> None:
    """Are two builds of one network whose C is unhealthy at once not blamed for it?"""
    found = soaking()
    other = found.beside("fuji-full", build="b", mode="full-sync")
    other.conditions("Unhealthy", message="C: block processing too long; router: slow")
    found.looks(failing("C", "block processing too long"), 7)
    assert found.verdict == ("Failed", "NetworkTrouble", "network")


def test_a_network_that_halts_takes_all_its_targets_with_it() -> None:
    """Is the last of them not blamed because the others' runs are over already?"""
    found = soaking()
    other = found.beside("fuji-full", build="b", mode="full-sync")
    tip = Tip(100, found.world.now.timestamp())
    found.looks(with_tip(tip), 5)
    other.trouble("fuji-full-sync")
    found.looks(with_tip(tip), 2)
    assert found.verdict == ("Failed", "NetworkTrouble", "network")
    assert "fuji is in trouble, fuji-full shows the same" in found.message
    assert "TipStands" in found.message


def test_trouble_of_the_network_that_is_long_over_excuses_nobody() -> None:
    """Is a build that stands today not excused by what befell another last week?"""
    found = scene()
    found.beside("fuji-full", build="b", mode="full-sync").trouble("fuji-full-sync")
    found.looks(moved(1), 1)
    found.world.now += timedelta(days=7)
    found.looks(MOVING, 6.5)
    assert found.verdict == ("Failed", "Stalled", "client")


def test_others_are_named_while_it_lasts() -> None:
    """Do people read that it looks like the network's, when they are told of the trouble?"""
    found = scene()
    found.beside("fuji-full", build="b", mode="full-sync").conditions("NotMoving")
    found.looks(MOVING, 0.3)
    steps = found.world.record(found.key).steps
    assert any("fuji-full shows the same" in step.message for step in steps)


def test_a_state_sync_of_an_earlier_life_counts() -> None:
    """Its node was restarted after its state sync, and had no need of another: does it pass?"""
    found = scene()
    found.hears(SUMMARY.format("Static"))
    found.looks(BUSY, 0.1)
    found.world.attention.clear()  # and so was the controller
    found.shows(found.made(restarts=1))
    found.hears(SUMMARY.format("Skipped"))
    found.looks(replace(SOUND, counters={}, heights={}), 0.5)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_leaves_that_came_count_though_the_store_forgets() -> None:
    """Does what the counters told of a state sync outlive node and controller?"""
    found = soaking()
    found.looks(SOUND, 0.05)
    found.world.attention.clear()
    found.shows(found.made(restarts=1))
    found.looks(replace(SOUND, counters={"C/executed": 9.0}), 0.5)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_full_sync_passes_on_what_nobody_tells() -> None:
    """Need a full sync show no sign of itself, where a state sync would have shown?"""
    found = full_sync()
    found.looks(replace(SOUND, counters={}, heights={}), 0.5)
    assert found.verdict[:2] == ("Passed", "Soaked")


def test_a_clock_that_was_doubted_is_no_delay_of_the_builds() -> None:
    """Does a node that was ready pass when our clock is right again, though it could not for longer
    than its timeout?
    """
    found = scene()
    world = found.world
    world.change(found.key, with_annotations(world.deployments[found.key], timeout="2h"))
    world.skew = 300.0
    found.looks(SOUND, 3)
    assert found.verdict == ("Soaking", "", "")
    world.skew = 0.0
    world.settle(found.key)  # before anybody has looked again
    found.looks(SOUND, 1)
    assert found.verdict == ("Passed", "Soaked", "")
