"""Every cause of failure, by what pods and node show of it, and what it must be called: the whole
machine, its table of verdicts, and what must never become one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.failure_class import CLASSES, class_of
from controller.domain.health.look import LastWords
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.objects import (
    Container,
    PodCondition,
    StateWaiting,
)
from controller.domain.record.parts import Facts
from tests.machine_objects import BUSY, SOUND, with_annotations, word
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
from tests.node_lines import (
    BAD_BLOCK,
    DISK_LOW,
    PANICKING,
    PORT_TAKEN,
    TABLES_DAMAGED,
    UNKNOWN_FATAL,
    end_by,
)


def crash_loop(s: Scene) -> None:
    s.ends(6, 139)


def fatal(s: Scene) -> None:
    s.ends(6, 1, line=UNKNOWN_FATAL)


def panic(s: Scene) -> None:
    s.world.words[s.key] = LastWords("pod-1", 1, end_by(PANICKING, 0))
    s.ends(1, 0, reason="Completed")


def bad_block(s: Scene) -> None:
    s.ends(2, 1, line=BAD_BLOCK)


def own_flags(s: Scene) -> None:
    s.ends(2, 1, line="couldn't configure flags: unknown flag: --of-the-image")


def damaged(s: Scene) -> None:
    s.ends(2, 1, line=TABLES_DAMAGED)


def port_taken(s: Scene) -> None:
    s.ends(6, 1, line=PORT_TAKEN)


def zero_twice(s: Scene) -> None:
    s.ends(2, 0, reason="Completed")


def stalled(s: Scene) -> None:
    s.looks(MOVING, 6.5)


def timeout(s: Scene) -> None:
    s.world.change(s.key, with_annotations(s.world.deployments[s.key], timeout="1h"))
    for number in range(200):
        s.looks(moved(number), 0.01)


def unhealthy(s: Scene) -> None:
    s.looks(failing("database", "closed"), 7)


def frozen(s: Scene) -> None:
    tip = Tip(100, s.world.now.timestamp())
    s.looks(with_tip(tip), 7)


def wrong_version(s: Scene) -> None:
    s.world.facts[s.key] = Facts(image_commit="a" * 40, tags=("master", "aaaaaaaa"))
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", commit="b" * 40, peers=3), 0.1)


def wrong_network(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.ANSWERED, "", network="network-1337", peers=3), 0.02)


def hangs(s: Scene) -> None:
    """P moves for ever, and C does not; nothing is checked [scene hang]."""
    at = s.world.now.timestamp()
    s.looks(replace(MOVING, counters={"C/executed": 500.0}, checked=at, checked_all=at), 6.5)


def hangs_when_ready(s: Scene) -> None:
    at = s.world.now.timestamp()
    s.looks(replace(SOUND, checked=at, checked_all=at), 6.5)


def no_image(s: Scene) -> None:
    waiting = StateWaiting(reason="ImagePullBackOff", message="no such host")
    s.shows(s.made(waiting=waiting, started=None, running=False))
    s.looks(None, 7)


def disk_full(s: Scene) -> None:
    s.ends(6, 1, line=DISK_LOW)


def out_of_memory(s: Scene) -> None:
    s.ends(6, 137, reason="OOMKilled")


def unschedulable(s: Scene) -> None:
    made = s.made(said=None, started=None, running=False)
    no_room = PodCondition(type="PodScheduled", status="False", message="0/3 nodes are available")
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
    s.ends(2, 1, line="couldn't load node config: couldn't read chain configs: no JSON")


def wrong_architecture(s: Scene) -> None:
    s.ends(6, 1, line="exec /avalanchego/build/avalanchego: exec format error")


def loopback(s: Scene, args: Sequence[str] = ()) -> None:
    made = s.made()
    image = made.spec.container("node").image  # type: ignore[union-attr]
    node = Container(name="node", image=image, args=list(args))
    s.shows(with_fields(made, spec=with_fields(made.spec, containers=[node])))
    s.looks(NodeAnswer(AnswerKind.STARTING, "refuses connections"), 1.2)


def loopback_by_flag(s: Scene) -> None:
    loopback(s, ["--http-host=127.0.0.1"])


def host_refused(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.HOST_REFUSED, "403 invalid host specified"), 1.2)


def silent(s: Scene) -> None:
    s.looks(NodeAnswer(AnswerKind.STARTING, "takes connections and does not answer"), 13)


def moved_on(s: Scene) -> None:
    """What a node tells whom all peers refuse [scene moved-on]."""
    s.looks(CUT_OFF, 0.1)
    s.hears(newer_peer(s))
    s.looks(CUT_OFF, 0.6)


def cannot_parse(s: Scene) -> None:
    s.looks(NOTHING_FETCHED, 2.2)


def others_stand_too(s: Scene) -> None:
    other = s.beside("fuji-full", build="b", mode="full-sync")
    other.conditions("NotMoving")
    s.looks(MOVING, 6.5)


def passed_before(s: Scene) -> None:
    s.beside("fuji-again", build="a").passed(s)
    s.looks(MOVING, 6.5)


def state_sync_skipped(s: Scene) -> None:
    s.hears(SUMMARY.format("Skipped"))
    s.looks(replace(SOUND, counters={}, heights={}), 0.5)


def state_sync_skipped_by_counters(s: Scene) -> None:
    replayed = {"C/state-synced": 0.0, "C/fetched": 60000.0, "C/executed": 60000.0}
    s.looks(replace(SOUND, counters=replayed), 0.5)


def state_sync_not_known(s: Scene) -> None:
    s.looks(replace(SOUND, counters={}, heights={}), 1.5)


def state_synced_full(s: Scene) -> None:
    s.looks(SOUND, 0.5)


CAUSES: list[tuple[Callable[[], Scene], Callable[[Scene], None], str]] = [
    (scene, crash_loop, "CrashLoop"),
    (scene, fatal, "FatalExit"),
    (scene, panic, "Panic"),
    (scene, bad_block, "BadBlock"),
    (scene, own_flags, "OwnFlagsRefused"),
    (scene, damaged, "DataDamaged"),
    (scene, port_taken, "MachineFault"),
    (scene, zero_twice, "ExitedZero"),
    (scene, stalled, "Stalled"),
    (scene, silent, "Stalled"),
    (scene, timeout, "Timeout"),
    (soaking, unhealthy, "UnhealthyAfterBootstrap"),
    (soaking, frozen, "TipNotAdvancing"),
    (scene, wrong_version, "WrongVersion"),
    (scene, wrong_network, "BadConfig"),
    (soaking, wrong_network, "BadConfig"),
    (scene, hangs, "Stalled"),
    (soaking, hangs_when_ready, "Stalled"),
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
    (scene, loopback_by_flag, "BadConfig"),
    (scene, moved_on, "NetworkMovedOn"),
    (scene, cannot_parse, "NothingFetched"),
    (scene, others_stand_too, "NetworkTrouble"),
    (scene, passed_before, "NetworkTrouble"),
    (scene, state_sync_skipped, "OtherSyncMode"),
    (scene, state_sync_skipped_by_counters, "OtherSyncMode"),
    (scene, state_sync_not_known, "OtherSyncMode"),
    (full_sync, state_synced_full, "OtherSyncMode"),
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
