"""Observed time and soaks: what counts, and what begins anew (I3, I10)."""

from dataclasses import replace

import pytest

from controller.domain.health.conditions import Condition, Span
from controller.domain.health.look import Look
from controller.domain.health.observed_time import Attention, attend
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.pods.obstacles import Obstacles
from controller.domain.pods.run_pods import Life
from tests.machine_objects import BUSY, RULES, SOUND
from tests.machine_world import following

LIFE = Life("pod-1", 0, None)
GAP = 90.0


def look(
    at: float, *, life: Life | None = LIFE, answer: NodeAnswer | None = SOUND, started: bool = True
) -> Look:
    """On a network of one's own; the node follows its chains."""
    told = following(answer, at) if answer else None
    return Look(at=at, now=at, life=life, answer=told, started=started)


def after(*looks: Look, before: Attention | None = None) -> Attention:
    found = before or Attention("run")
    for one in looks:
        found = attend(found, one, GAP, RULES)
    return found


def soaked(found: Attention) -> float | None:
    return found.soak.seconds if found.soak else None


def test_healthy_time_between_looks_is_soaked() -> None:
    """Does a soak grow by what lies between two sound looks at one life?"""
    found = after(look(0), look(30), look(60))
    assert found.soak is not None
    assert (found.soak.seconds, found.soak.looks) == (60.0, 3)


def test_one_look_is_no_time() -> None:
    """Does a soak begin at nothing?"""
    assert soaked(after(look(1000))) == 0.0


@pytest.mark.parametrize("life", [Life("pod-2", 0, None), Life("pod-1", 1, None)])
def test_another_life_begins_the_soak_anew(life: Life) -> None:
    """Does another pod, or a restart, take with it all that was soaked?"""
    assert soaked(after(look(0), look(60), look(90, life=life))) == 0.0


def test_a_gap_in_observation_begins_the_soak_anew() -> None:
    """Is what nobody saw not counted, neither as health nor as time?"""
    found = after(look(0), look(60), look(60 + GAP + 1))
    assert soaked(found) == 0.0
    assert found.observed == 60.0


def test_looks_just_within_the_gap_count() -> None:
    """Is the longest allowed pause still observation?"""
    found = after(look(0), look(GAP))
    assert soaked(found) == GAP


@pytest.mark.parametrize(
    "answer",
    [
        None,
        BUSY,
        NodeAnswer(AnswerKind.STARTING, "refused"),
        NodeAnswer(AnswerKind.UNREACHED, "no route", ready=True, healthy=True),
        NodeAnswer(AnswerKind.HOST_REFUSED, "403"),
        NodeAnswer(AnswerKind.GARBLED, "HTML", ready=True, healthy=True),
        NodeAnswer(AnswerKind.ANSWERED, "", ready=True, failing={"network": "no peers"}),
        NodeAnswer(AnswerKind.ANSWERED, "", ready=True),  # 503 that names no check
        NodeAnswer(AnswerKind.ANSWERED, "", healthy=True),  # not ready
    ],
)
def test_an_unsound_answer_ends_the_soak(answer: NodeAnswer | None) -> None:
    """Does only the whole of readiness and health count?"""
    assert soaked(after(look(0), look(30), look(60, answer=answer))) is None
    assert soaked(after(look(0), look(30, answer=answer), look(60))) == 0.0


@pytest.mark.parametrize("check", ["diskspace", "futureupgrade"])
def test_checks_that_say_nothing_of_the_build_are_tolerated(check: str) -> None:
    """Does a filling volume, or a scheduled upgrade, not stand against a build [90, 91]?"""
    answer = NodeAnswer(AnswerKind.ANSWERED, "", ready=True, failing={check: "…"})
    assert soaked(after(look(0), look(30, answer=answer))) == 30.0
    worse = replace(answer, failing={check: "…", "network": "…"})
    assert soaked(after(look(0), look(30, answer=worse))) is None


def test_a_restart_of_the_controller_begins_the_soak_anew() -> None:
    """Does a new controller begin with the observed time of the old one and with no soak?"""
    old = after(look(0), look(60))
    new = after(look(500), before=Attention("run", observed=old.observed))
    assert (new.observed, soaked(new), new.first_look) == (60.0, 0.0, True)


def test_time_before_the_nodes_first_start_is_not_the_runs() -> None:
    """Does the time that counts to a timeout begin with the node?"""
    waiting = look(30, life=None, answer=None, started=False)
    assert after(look(0, life=None, answer=None, started=False), waiting).observed == 0.0
    assert after(look(0), look(30, life=None, answer=None)).observed == 30.0


def test_readiness_belongs_to_the_life_that_said_it() -> None:
    """Is the answer of one life never another's?"""
    found = after(look(0))
    assert found.ready(LIFE)
    assert not found.ready(Life("pod-1", 1, None))
    assert not found.ready(None)
    assert not after(look(0), look(30, answer=None)).ready(LIFE)


def test_the_second_look_is_not_the_first() -> None:
    """Is a verdict by time possible from the second look on?"""
    assert after(look(0)).first_look
    assert not after(look(0), look(30)).first_look


def test_a_pin_taken_back_is_timed_without_a_break() -> None:
    """Is the time for which a pin is taken back observed in one piece, and a gap in it nothing?"""
    found = after(Look(0.0, reverted=True), Look(60.0, reverted=True))
    assert found.reverted == 60.0
    assert after(look(90), before=found).reverted == 0.0
    late = after(Look(60.0 + GAP + 1, reverted=True), before=found)
    assert late.reverted == 60.0


def test_a_condition_is_timed_without_a_break() -> None:
    """Is a condition's time that between looks at which it held, with gaps counted for nothing?"""
    away = Obstacles(pulling="no such host")
    found = after(Look(0.0, obstacles=away), Look(60.0, obstacles=away))
    assert found.spans[Condition.IMAGE_PULL] == Span(60.0, "no such host")
    assert not after(look(90), before=found).spans
    late = after(Look(60.0 + GAP + 1, obstacles=away), before=found)
    assert late.spans[Condition.IMAGE_PULL].seconds == 60.0


def test_what_a_look_cannot_tell_neither_goes_on_nor_is_over() -> None:
    """Does a lost answer leave what only an answer tells as it was?"""
    cut_off = NodeAnswer(AnswerKind.ANSWERED, "", peers=0)
    lost = NodeAnswer(AnswerKind.UNREACHED, "no route")
    found = after(look(0, answer=cut_off), look(30, answer=cut_off), look(60, answer=lost))
    assert found.spans[Condition.NO_PEERS].seconds == 30.0
    assert Condition.NO_PEERS not in after(look(90), before=found).spans
