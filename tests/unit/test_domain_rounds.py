"""Old news: what a health document counts for while no check, or not every check, is made anew.

Times of looks and of checks are seconds; here the node makes its checks each 30 s.
"""

from dataclasses import replace

import pytest

from controller.domain.health.conditions import Condition
from controller.domain.health.look import Look
from controller.domain.health.observed_time import Attention, attend
from controller.domain.health.patience import patience_of
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.pace.progress import Progress
from controller.domain.pods.run_pods import Life
from controller.domain.run import Phase, Reason
from tests.machine_objects import RULES, SOUND

LIFE, NEXT_LIFE = Life("pod-1", 0, None), Life("pod-1", 1, None)
GAP = 90.0
SOAKS = replace(SOUND, network="local", tips={"C": Tip(7, 0.0)}, peers=5)
HANGS = replace(
    SOAKS, ready=False, healthy=False, tips={}, failing={"bootstrapped": "not yet"}, counters={}
)


def look(at: float, checked: float | None, answer: NodeAnswer = SOAKS, **shape: object) -> Look:
    """checked: when all its checks were made, unless the answer says it."""
    if answer.checked is None:
        answer = replace(answer, checked=checked, checked_all=checked)
    shape.setdefault("phase", Phase.SOAKING)
    return Look(at=at, now=at, **{"life": LIFE, "answer": answer, "started": True, **shape})  # type: ignore[arg-type]


def after(*looks: Look, before: Attention | None = None, gap: float = GAP) -> Attention:
    found = before or Attention("run")
    for one in looks:
        found = attend(found, one, gap, RULES)
    return found


def soaked(found: Attention) -> tuple[float, int] | None:
    return (found.soak.seconds, found.soak.looks) if found.soak else None


def stands(answer: NodeAnswer, seconds: float, **shape: object) -> Attention:
    """After looks for so long at checks that were all made at 0."""
    return after(*(look(at, 0, answer, **shape) for at in range(0, int(seconds) + 1, 30)))


def test_a_look_at_the_same_checks_brings_nothing_in() -> None:
    """Is a soak neither longer nor over by a look that shows what the look before showed?"""
    found = after(look(0, 0), look(30, 0))
    assert soaked(found) == (0.0, 1)
    assert found.lacking


def test_checks_that_come_late_bring_the_time_in() -> None:
    """Where looks and rounds fall apart by a little: is all of the time counted once?"""
    assert soaked(after(look(0, 0), look(30, 0), look(60, 59))) == (60.0, 2)
    assert soaked(after(look(0, 0), look(30, 0), look(60, 59), look(90, 89))) == (90.0, 3)


def test_checks_that_stay_away_end_the_soak() -> None:
    """After a pause of the checks as long as a gap between looks: does the soak begin anew?"""
    early = after(look(0, 0), look(30, 30), look(60, 30), look(90, 30))
    assert soaked(early) == (30.0, 2)
    late = after(look(120, 30), look(150, 30), before=early)
    assert soaked(late) is None
    assert soaked(after(look(180, 175), before=late)) == (0.0, 1)


def test_a_late_round_after_a_gap_of_checks_begins_the_soak_anew() -> None:
    """Is time in which nothing was checked not counted, however well the node is after it?"""
    assert soaked(after(look(0, 0), look(60, 0), look(120, 119))) == (0.0, 1)


def test_a_standing_document_begins_no_soak() -> None:
    """Does a node that hangs since it got ready soak for no second, in any number of looks?"""
    found = after(look(0, 0))
    for number in range(1, 200):
        found = after(look(30.0 * number, 0), before=found)
        assert soaked(found) in (None, (0.0, 1))
    assert found.soak is None


def test_one_check_that_stands_holds_up_the_soak() -> None:
    """Does it take every check to be newer, not one of them?"""
    looks = []
    for at in range(0, 600, 30):
        answer = replace(SOAKS, checked=float(at), checked_all=0.0)
        looks.append(look(at, None, answer))
    assert soaked(after(*looks)) is None
    assert Condition.CHECKS_STAND not in after(*looks).spans


def test_checks_without_a_time_pass_nothing() -> None:
    """Is a document that does not tell when its checks were made no evidence of now?"""
    found = after(look(0, None), look(30, None))
    assert soaked(found) is None
    assert found.lacking == "its checks do not tell when they were made"


@pytest.mark.parametrize("by", [-3600.0, 3600.0, -(62.0**6), 2.0**38])
def test_a_clock_of_the_node_that_is_set(by: float) -> None:
    """Does a machine whose clock is set far back or forth soak again, counting nothing twice?"""
    found = after(look(0, 0), look(30, 30))
    at = 30.0
    while soaked(found) is None or (found.soak and found.soak.checked == 30.0):
        at += 30
        found = after(look(at, at + by), before=found)
        assert soaked(found) is None or soaked(found) <= (60.0, 3)  # type: ignore[operator]
        assert at < 300
    assert soaked(after(look(at + 30, at + 30 + by), before=found)) is not None


def test_times_are_not_held_against_our_clock() -> None:
    """Does a node whose clock is years away soak as any other?"""
    looks = [look(at, at - 1e9) for at in (0, 30, 60)]
    assert soaked(after(*looks)) == (60.0, 3)


def test_another_life_has_rounds_of_its_own() -> None:
    """Is a new process not held to the times of the one before?"""
    found = after(look(0, 1000), look(30, 1030), look(60, 20, life=NEXT_LIFE))
    assert soaked(found) == (0.0, 1)
    assert soaked(after(look(90, 50, life=NEXT_LIFE), before=found)) == (30.0, 2)


def test_checks_that_have_not_run_are_lacking_and_nobodys_fault() -> None:
    """Is a node that is ready while C was never checked no healthy one, and no unhealthy one?"""
    locked = replace(SOAKS, healthy=False, not_run=("C",))
    found = after(*(look(at, at, locked) for at in range(0, 600, 30)))
    assert soaked(found) is None
    assert found.lacking == "health: check C has not run yet"
    assert found.spans == {}


@pytest.mark.parametrize("check", ["diskspace", "futureupgrade"])
def test_a_check_that_a_pass_does_not_ask_for_may_not_have_run(check: str) -> None:
    """Does a check that says nothing of the build hold up nothing before it has run either?"""
    waits = replace(SOAKS, healthy=False, not_run=(check,))
    assert soaked(after(look(0, 0, waits), look(30, 30, waits))) == (30.0, 2)


@pytest.mark.parametrize(
    "told",
    [
        {"not_run": ("shuttingDown",)},
        {"failing": {"shuttingDown": "server shutting down", "C": "closed", "network": "gone"}},
        {"checks": ("C", "shuttingDown"), "peers": 0},
    ],
)
def test_a_node_that_shuts_down_is_neither_well_nor_ill(told: dict[str, object]) -> None:
    """Is a ready node on its way down no healthy one, and is nothing held against anybody?"""
    ends = replace(SOAKS, healthy=False, **told)  # type: ignore[arg-type]
    found = after(*(look(at, at, ends) for at in range(0, 600, 30)))
    assert soaked(found) is None
    assert found.lacking == "health: the node is shutting down"
    assert found.spans == {}


def test_standing_checks_are_a_condition_of_their_own() -> None:
    """Is it said how long the checks have stood, and only once they are late by some rounds?"""
    assert stands(SOAKS, 90).spans == {}
    found = stands(SOAKS, 20 * 60)
    assert set(found.spans) == {Condition.CHECKS_STAND}
    span = found.spans[Condition.CHECKS_STAND]
    assert span.sentence == "answers, but its checks have stood still for 20m"
    assert 1000 < span.seconds < 1200
    assert after(look(1230, 1229), before=found).spans == {}


def test_a_new_process_begins_its_standing_anew() -> None:
    """Does a node that hangs and is started again not take the time of the one before with it?"""
    found = stands(SOAKS, 1200)
    for number in range(1, 5):
        found = after(look(1200.0 + 30 * number, 0, life=NEXT_LIFE), before=found)
    assert found.rounds.stood == 90.0
    assert found.spans == {}


def test_unanswered_looks_leave_it_as_it_was() -> None:
    """Does a lost answer neither end nor prolong the standing?"""
    found = stands(SOAKS, 600)
    lost = NodeAnswer(AnswerKind.UNREACHED, "no route")
    lapse = after(look(630, None, replace(lost, checked=1.0)), before=found)
    assert lapse.rounds.stood == found.rounds.stood
    assert lapse.spans[Condition.CHECKS_STAND] == found.spans[Condition.CHECKS_STAND]
    assert after(look(660, 0), before=lapse).rounds.stood == 630.0


def test_old_news_is_held_against_nobody() -> None:
    """Does a failing check in a document that stands neither go on nor end?"""
    ill = replace(SOAKS, healthy=False, failing={"C": "block processing too long"})
    found = stands(ill, 3600)
    assert found.spans[Condition.UNHEALTHY].seconds <= RULES.checks_late
    assert found.spans[Condition.CHECKS_STAND].seconds > 3000


def test_what_stood_before_is_still_known() -> None:
    """Does a condition that an old document told go on when a new one tells it again?"""
    ill = replace(SOAKS, healthy=False, failing={"C": "block processing too long"})
    found = after(*(look(at, at, ill) for at in range(0, 630, 30)))
    standing = found
    for at in range(630, 1200, 30):
        standing = after(look(at, 600, ill), before=standing)
    seconds = standing.spans[Condition.UNHEALTHY].seconds
    again = after(look(1200, 1200, ill), before=standing)
    assert again.spans[Condition.UNHEALTHY].seconds == seconds + 30


def test_a_chain_that_executes_is_not_one_that_stands() -> None:
    """While counters move, for as many hours as a batch takes: does no condition hold?"""
    found = Attention("run")
    for number in range(20 * 120):
        busy = replace(HANGS, counters={"C/executed": 100.0 * number})
        found = after(look(30.0 * number, 5, busy, phase=Phase.BOOTSTRAPPING), before=found)
    assert found.rounds.stood > 19 * 3600
    assert found.spans == {}


def test_a_chain_that_hangs_while_it_bootstraps_stands() -> None:
    """Where nothing moves: is it one that stands still, with its counters as evidence too?"""
    hangs = replace(HANGS, counters={"C/fetched": 24955.0})
    found = stands(hangs, 3600, phase=Phase.BOOTSTRAPPING)
    assert set(found.spans) == {Condition.CHECKS_STAND, Condition.STILL}


def test_heights_of_an_old_document_tell_of_no_stall() -> None:
    """Without metrics: is nothing known of movement by a document that stands?"""
    hangs = replace(HANGS, heights={"P": 7})
    found = stands(hangs, 7200, phase=Phase.BOOTSTRAPPING)
    assert found.spans[Condition.STILL].seconds <= RULES.checks_late
    assert found.spans[Condition.CHECKS_STAND].seconds > 7000


def test_a_node_that_is_cut_off_too_is_not_called_one_that_stands() -> None:
    """By live metrics that know of no peer: is it a matter of the network?"""
    alone = replace(HANGS, counters={"C/fetched": 24955.0}, peers=0)
    found = stands(alone, 3600, phase=Phase.BOOTSTRAPPING)
    assert Condition.NO_PEERS in found.spans
    assert Condition.CHECKS_STAND not in found.spans


def test_how_long_it_is_borne() -> None:
    """Is a chain that bootstraps borne as long as executing, and never without its metrics?"""
    still = Progress(last={"C": "C/fetched"}, doing="C/fetched", moved=False)

    def borne(progress: Progress, *, bootstrapped: bool) -> tuple[Reason | None, float]:
        found = patience_of(Condition.CHECKS_STAND, progress, RULES, bootstrapped=bootstrapped)
        return found.reason, found.seconds

    assert borne(still, bootstrapped=False) == (Reason.STALLED, RULES.stall_executing)
    assert borne(replace(still, moved=None), bootstrapped=False)[0] is None
    unknown = Progress(moved=False)
    assert borne(unknown, bootstrapped=False) == (Reason.STALLED, RULES.stall_syncing)
    assert borne(unknown, bootstrapped=True) == (Reason.STALLED, RULES.unhealthy_patience)


@pytest.mark.parametrize(("said", "seconds"), [("local", 60.0), ("", 60.0), ("Local", 60.0)])
def test_the_runs_network_or_none(said: str, seconds: float) -> None:
    """Does a look at which the node does not name its network still count?"""
    answer = replace(SOAKS, network=said)
    found = after(*(look(at, at, answer) for at in (0, 30, 60)))
    assert soaked(found) == (seconds, 3)
    assert found.soak is not None
    assert found.soak.named == (3 if said else 0)


@pytest.mark.parametrize("said", ["fuji", "network-1", "somewhere"])
def test_another_network(said: str) -> None:
    """Does a node that names another network, or one that nobody knows, soak for nothing?"""
    found = after(look(0, 0), look(30, 30), look(60, 60, replace(SOAKS, network=said)))
    assert found.soak is None
    assert found.lacking == f"the node says that it is on {said}, and the run is of local"
