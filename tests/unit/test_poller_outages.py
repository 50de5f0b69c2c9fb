"""Outages: when people are told that a registry is in trouble."""

import pytest

from controller.engine.polling.registry_outages import Outages


@pytest.fixture
def told() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def outages(told: list[tuple[str, str | None]]) -> Outages:
    return Outages(lambda host, sentence: told.append((host, sentence)))


def test_told_once_when_it_lasts(outages: Outages, told: list[object]) -> None:
    """Is the third failure in a row of one question told, and no later one?"""
    for count, expected in enumerate([0, 0, 1, 1, 1]):
        outages.failed("h", "q", f"down {count}")
        assert len(told) == expected
    assert told == [("h", "down 2")]


def test_many_questions_at_once_are_a_blip(outages: Outages, told: list[object]) -> None:
    """Does a moment's trouble that hits many tags at once stay untold?"""
    for question in range(20):
        outages.failed("h", question, "down")
        outages.failed("h", question, "down")
    assert told == []


def test_any_answer_ends_it(outages: Outages, told: list[object]) -> None:
    """Is the end told once, and does counting begin anew?"""
    for _ in range(3):
        outages.failed("h", "q", "down")
    outages.answered("h")
    outages.answered("h")
    assert told == [("h", "down"), ("h", None)]
    for _ in range(2):
        outages.failed("h", "q", "down")
    outages.answered("h")
    outages.failed("h", "q", "down")
    assert len(told) == 2


def test_hosts_are_apart(outages: Outages, told: list[object]) -> None:
    """Does an answer of one host leave another's trouble?"""
    for _ in range(3):
        outages.failed("h", "q", "down")
        outages.answered("other")
    assert told == [("h", "down")]


def test_a_host_that_nobody_follows_is_forgotten(outages: Outages, told: list[object]) -> None:
    """Does trouble end when it is nobody's any more?"""
    for _ in range(3):
        outages.failed("h", "q", "down")
    outages.keep({"h"})
    assert told == [("h", "down")]
    outages.keep({"other"})
    assert told == [("h", "down"), ("h", None)]
