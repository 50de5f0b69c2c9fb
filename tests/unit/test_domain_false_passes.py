"""What looks like a pass and is none (I3): nothing here passes, and nothing fails for it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.record.parts import Facts
from controller.domain.run import Phase
from tests.machine_objects import (
    BUSY,
    SOUND,
    build,
    chain_config,
    deployment,
    pod,
    variables,
    with_annotations,
    word,
)
from tests.machine_scene import SUMMARY
from tests.machine_world import World, following

LONG = 60  # looks of half a minute: three soaks


class Act:
    """A run that soaks; each scene says what its pods and node show from then on."""

    def __init__(self) -> None:
        self.world = World()
        self.key = self.world.add(with_annotations(deployment(), soak="10m"))
        self.run = self.world.bootstrap(self.key)
        record = self.world.record(self.key)
        assert record.run is not None
        assert record.run.phase is Phase.SOAKING
        self.image = record.run.image

    def pods(self, *made: object) -> None:
        self.world.pods[self.key] = made  # type: ignore[assignment]

    def looks(self, answer: NodeAnswer | None = SOUND, times: int = LONG) -> None:
        for _ in range(times):
            if self.world.record(self.key).run is None:
                return
            self.world.probe(self.key, answer)
            self.world.settle(self.key)

    @property
    def phase(self) -> str:
        record = self.world.record(self.key)
        return str(record.run.phase) if record.run else str(record.outcomes[-1].phase)

    @property
    def soaked(self) -> float:
        soak = self.world.attention[self.key].soak
        return soak.seconds if soak else 0.0

    def made(self, **shape: object) -> object:
        shape.setdefault("said", word(self.run, "fresh"))
        return pod(self.run, self.image, **shape)  # type: ignore[arg-type]


def old_pod_answers(a: Act) -> None:
    """The pod of the run before still runs and answers; the run's own has not started."""
    old = pod("20261101t000000z-00000000", a.image, uid="old", said=word("x", "fresh"), name="old")
    a.pods(old, a.made(said=None, started=None, running=False))
    a.looks()


def terminating_pod(a: Act) -> None:
    a.pods(a.made(terminating=True))
    a.looks()


def two_pods(a: Act) -> None:
    """The Service selects another pod too, which carries the run's id and image."""
    a.pods(a.made(), a.made(uid="pod-2", name="fuji-2"))
    a.looks()


def another_image(a: Act) -> None:
    """A pod of another image carries the run's id; it has not touched the data."""
    image = f"avaplatform/avalanchego:latest@{build('f')}"
    a.pods(pod(a.run, image, uid="x", said=None, started=None, running=False))
    a.looks()


def another_build_from_a_mirror(a: Act) -> None:
    """By the tag of the run's own, and what was pulled is another digest."""
    image = "mirror.example/avaplatform/avalanchego:latest"
    a.pods(pod(a.run, image, uid="x", said=None, started=None, running=False))
    a.looks()


def data_of_another_run(a: Act) -> None:
    a.pods(a.made(said=word("20261101t000000z-00000000", "resumed")))
    a.looks()


def ready_for_one_probe(a: Act) -> None:
    for _ in range(LONG // 2):
        a.looks(BUSY, 1)
        a.looks(SOUND, 1)


def heights_frozen(a: Act) -> None:
    tip = Tip(100, a.world.now.timestamp())
    a.looks(replace(SOUND, tips={"C": tip}))


def young_blocks_that_do_not_rise(a: Act) -> None:
    """A tip whose time is always now and whose height never moves."""
    for _ in range(LONG):
        a.looks(replace(SOUND, tips={"C": Tip(100, a.world.now.timestamp())}), 1)


def no_tip_is_told(a: Act) -> None:
    """Healthy, and the chain's API does not answer: a check that never ran."""
    a.looks(replace(SOUND, tips={"P": Tip(1, 1.0)}))


def restart_between_two_probes(a: Act) -> None:
    for number in range(5):
        a.pods(a.made(restarts=number, started=a.world.now))
        a.looks(SOUND, 15)


def controller_away(a: Act) -> None:
    """For longer than the soak, again and again: what nobody saw is no soak."""
    for _ in range(20):
        a.world.probe(a.key, SOUND, seconds=3600)
        a.world.settle(a.key)


def clock_wrong_by_a_day(a: Act) -> None:
    a.world.skew = a.world.ahead = 86400.0
    a.looks(replace(SOUND, tips=following(SOUND, a.world.now.timestamp()).tips))


def clock_behind_by_a_day(a: Act) -> None:
    a.world.skew = a.world.ahead = -86400.0
    a.looks()


def clock_wrong_and_chain_too(a: Act) -> None:
    """Our clock and the chain's agree, and the API server's does not."""
    a.world.skew = 86400.0
    a.looks()


def clock_right_again_and_chain_behind(a: Act) -> None:
    """Our clock and the chain were a day behind together, until the end of the soak."""
    a.world.skew = a.world.ahead = -86400.0
    for number in range(LONG):
        then = a.world.now.timestamp() - 86400
        a.looks(replace(SOUND, tips={"C": Tip(number, then)}), 1)
    a.world.skew = a.world.ahead = 0.0
    a.world.settle(a.key)


def engine_unhealthy_beside_low_stake(a: Act) -> None:
    """A chain's check that fails for its engine too [90]."""
    error = "engine: block processing too long; networking: not connected to enough stake: 55%"
    a.looks(replace(SOUND, healthy=False, failing={"C": error}))


def hangs_when_ready(a: Act) -> None:
    """A chain is locked for good: 200 and healthy for ever, and blocks still come in [scene
    hang-when-ready]; on a network of which no block is asked for it is healthy in all else.
    """
    at = a.world.now.timestamp()
    a.looks(replace(SOUND, checked=at, checked_all=at))


def hangs_when_ready_after_a_while(a: Act) -> None:
    """The same, in the middle of a soak, again and again: each time before it is over."""
    for _ in range(4):
        a.looks(SOUND, 12)
        hangs_when_ready(a)


def one_check_hangs(a: Act) -> None:
    """All but one are made anew."""
    at = a.world.now.timestamp()
    for _ in range(LONG):
        a.looks(replace(SOUND, checked=a.world.now.timestamp(), checked_all=at), 1)


def c_is_never_checked(a: Act) -> None:
    """It is locked since the start of its process [scene slow-term]."""
    a.looks(replace(SOUND, healthy=False, not_run=("C",)))


def shuts_down(a: Act) -> None:
    """On its way down, with readiness 200 [scene term-when-ready]."""
    a.looks(replace(SOUND, healthy=False, not_run=("shuttingDown",)))


def shuts_down_unhealthily(a: Act) -> None:
    failing = {"shuttingDown": "server shutting down", "C": "closed", "database": "closed"}
    a.looks(replace(SOUND, healthy=False, failing=failing), 13 * 120)


def network_is_not_told(a: Act) -> None:
    a.looks(BUSY, 1)
    a.world.named = False
    a.looks()


def network_of_no_known_number(a: Act) -> None:
    a.looks(replace(SOUND, network="somewhere"))


def garbled(a: Act) -> None:
    a.looks(NodeAnswer(AnswerKind.GARBLED, "HTML", ready=True, healthy=True))


SCENES = [
    old_pod_answers,
    terminating_pod,
    two_pods,
    another_image,
    another_build_from_a_mirror,
    data_of_another_run,
    ready_for_one_probe,
    heights_frozen,
    young_blocks_that_do_not_rise,
    no_tip_is_told,
    restart_between_two_probes,
    controller_away,
    clock_wrong_by_a_day,
    clock_behind_by_a_day,
    clock_wrong_and_chain_too,
    clock_right_again_and_chain_behind,
    engine_unhealthy_beside_low_stake,
    hangs_when_ready,
    hangs_when_ready_after_a_while,
    one_check_hangs,
    c_is_never_checked,
    shuts_down,
    shuts_down_unhealthily,
    network_is_not_told,
    network_of_no_known_number,
    garbled,
]


@pytest.mark.parametrize("play", SCENES)
def test_none_passes_and_none_fails_for_it(play: Callable[[Act], None]) -> None:
    """Does a run that only looks like a pass go on, and pass once it is one?"""
    act = Act()
    play(act)
    assert act.phase == "Soaking"


def test_what_looks_the_same_and_is_sound_passes() -> None:
    """Is the stage itself one on which a run passes?"""
    act = Act()
    act.looks()
    assert act.phase == "Passed"
    checked = act.world.record(act.key).outcomes[-1].checked
    assert checked is not None
    assert checked.held == dict.fromkeys(("readiness", "health", "C tip"), checked.looks)
    first, last = checked.heights["C"]
    assert last > first
    assert checked.seconds >= 600


def test_a_chain_behind_its_network_for_a_while_passes_once_it_has_caught_up() -> None:
    """Does a soak begin when the tip is young, and not before?"""
    act = Act()
    for number in range(10):
        then = act.world.now.timestamp() - 3600
        act.looks(replace(SOUND, tips={"C": Tip(number, then)}), 1)
    assert act.phase == "Soaking"
    act.looks()
    assert act.phase == "Passed"


QUIET = {"AVAGO_NETWORK_ID": "network-1337"}
P_ONLY = {"AVAGO_NETWORK_ID": "fuji", "AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK": "true"}


@pytest.mark.parametrize("env", [QUIET, P_ONLY], ids=["quiet", "p-chain"])
def test_a_node_that_hangs_where_no_block_is_asked_for_does_not_pass(env: dict[str, str]) -> None:
    """Is a node told by the times of its checks, where nothing else tells that it hangs?"""
    world = World()
    key = world.add(with_annotations(deployment(env=variables(**env)), soak="4m"))
    world.bootstrap(key)
    still = replace(SOUND, tips={"C": Tip(7, 0.0), "P": Tip(7, world.now.timestamp() - 7200)})
    for _ in range(3):
        world.probe(key, still)
        world.settle(key)
    at = world.now.timestamp()
    for _ in range(5 * 120):
        world.probe(key, replace(still, checked=at, checked_all=at))
        world.settle(key)
    run = world.record(key).run
    assert run is not None
    assert [told.type for told in run.conditions] == ["ChecksStand"]
    for _ in range(2 * 120):
        if world.record(key).run is not None:
            world.probe(key, replace(still, checked=at, checked_all=at))
            world.settle(key)
    outcome = world.record(key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "Stalled")
    assert "answers, but its checks have stood still for 6h" in outcome.message


def test_a_soak_is_not_over_by_a_look_at_old_checks() -> None:
    """Is a run that lacked something else until now not passed while its checks are late?"""
    act = Act()
    act.looks(replace(SOUND, tips={"C": Tip(7, act.world.now.timestamp() + 30)}), 10)
    late = act.world.now.timestamp()
    while act.phase == "Soaking" and act.soaked < 600:
        act.looks(replace(SOUND, tips={"C": Tip(7, act.world.now.timestamp())}), 1)
        late = act.world.now.timestamp()
    rises = replace(SOUND, tips={"C": Tip(8, late)})
    act.looks(replace(rises, checked=late, checked_all=late), 1)
    assert (act.phase, act.soaked) == ("Soaking", 600)
    act.looks(rises, 1)
    assert act.phase == "Passed"


def test_a_node_on_another_network_fails_at_once() -> None:
    """Is a run whose node says that it is elsewhere one of bad configuration, and told so?"""
    act = Act()
    act.looks(SOUND, 3)
    act.looks(replace(SOUND, network="mainnet"), 1)
    outcome = act.world.record(act.key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "BadConfig")
    said = "the node says that it is on mainnet, the target is fuji: something sets its network"
    assert said in outcome.message


@pytest.mark.parametrize("mode", ["quiet", "p-chain"])
def test_a_quiet_chain_is_asked_for_nothing_that_it_cannot_meet(mode: str) -> None:
    """Does a node on a network without transactions, or with P alone at rest, pass?"""
    env = QUIET if mode == "quiet" else P_ONLY
    world = World()
    key = world.add(with_annotations(deployment(env=variables(**env)), soak="10m"))
    world.bootstrap(key)
    still = replace(SOUND, tips={"C": Tip(7, 0.0), "P": Tip(7, world.now.timestamp() - 7200)})
    for _ in range(LONG):
        if world.record(key).run is None:
            break
        world.probe(key, still)
        world.settle(key)
    assert world.record(key).outcomes[-1].phase is Phase.PASSED


def test_p_that_has_lost_its_network_for_a_day_does_not_pass() -> None:
    """Is P-chain only not passed on a chain whose time has stood for more than a day?"""
    world = World()
    key = world.add(with_annotations(deployment(env=variables(**P_ONLY)), soak="10m"))
    world.bootstrap(key)
    old = replace(SOUND, tips={"P": Tip(7, world.now.timestamp() - 90000)})
    for _ in range(LONG):
        world.probe(key, old)
        world.settle(key)
    assert world.record(key).run is not None


def test_another_commit_that_shows_at_the_last_look_does_not_pass() -> None:
    """Is the node's commit asked for even where it is told only when the soak is over?"""
    act = Act()
    act.world.facts[act.key] = Facts(image_commit="a" * 40, tags=("aaaaaaaa",))
    while act.phase == "Soaking" and act.soaked < 570:
        act.looks(SOUND, 1)
    act.looks(replace(SOUND, commit="b" * 40), 1)
    assert act.phase == "Failed"


def unsynced() -> Act:
    """A run whose node bootstraps, and tells nothing of its state sync."""
    act = Act.__new__(Act)
    act.world = World()
    act.key = act.world.add(with_annotations(deployment(), soak="10m"))
    act.run = act.world.start_run(act.key)
    act.world.kubelet(act.key)
    act.world.settle(act.key)
    return act


UNTOLD = replace(SOUND, counters={}, heights={})


def test_a_state_sync_that_was_skipped_does_not_pass() -> None:
    """Does a run not pass for what it did not test, and say why [scene state-sync-skipped]?"""
    act = unsynced()
    act.world.log[act.key] = SUMMARY.format("Skipped")
    act.looks(UNTOLD, 15)
    assert act.phase == "Soaking"
    act.looks(UNTOLD, 15)
    outcome = act.world.record(act.key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "OtherSyncMode")
    assert "the log says syncMode Skipped" in outcome.message


def test_a_state_sync_that_nobody_saw_does_not_pass() -> None:
    """Where neither log nor counters tell: is it not passed, given an hour, and then said?"""
    act = unsynced()
    act.looks(UNTOLD, 2 * 60 + 20)
    assert act.phase == "Soaking"
    act.looks(UNTOLD, 10)
    outcome = act.world.record(act.key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "OtherSyncMode")
    assert "it is not known whether C was state-synced" in outcome.message


def test_a_state_sync_that_is_told_late_passes() -> None:
    """Does the run that lacked only the word pass once the log may be read?"""
    act = unsynced()
    act.looks(UNTOLD, 60)
    act.world.log[act.key] = SUMMARY.format("Dynamic")
    act.looks(UNTOLD, 2)
    assert act.phase == "Passed"


def test_a_replay_from_genesis_is_no_state_sync() -> None:
    """Do the counters of blocks alone keep such a run from passing?"""
    act = unsynced()
    replayed = {"C/state-synced": 0.0, "C/executed": 60000.0}
    act.looks(replace(SOUND, counters=replayed), 30)
    outcome = act.world.record(act.key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "OtherSyncMode")


def test_a_full_sync_that_was_state_synced_does_not_pass() -> None:
    """Is what the counters tell held against the other modes too?"""
    world = World()
    env = {
        "AVAGO_NETWORK_ID": "fuji",
        "AVAGO_CHAIN_CONFIG_CONTENT": chain_config({"state-sync-enabled": False}),
    }
    key = world.add(with_annotations(deployment(env=variables(**env)), soak="10m"))
    world.bootstrap(key)
    for _ in range(LONG):
        if world.record(key).run is None:
            break
        world.probe(key)
        world.settle(key)
    outcome = world.record(key).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, "OtherSyncMode")
