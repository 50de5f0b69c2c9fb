"""What a process remembers: what it has said, and what it keeps up to a bound."""

import pytest

from controller.base.bounded_map import BoundedMap
from controller.base.said_once import SaidOnce


def test_what_holds_is_said_once_until_it_ends() -> None:
    """Is a registry that is away for a day told once, and its coming back once?"""
    said = SaidOnce[str]()
    assert [said.begin("docker.io", "away") for _ in range(3)] == [True, False, False]
    assert [said.end("docker.io") for _ in range(3)] == ["away", None, None]
    assert said.begin("docker.io", "away")


def test_something_else_of_the_same_is_news() -> None:
    """Is another sentence told, and the first one once more when it is true again?"""
    said = SaidOnce[str]()
    told = [said.begin("a", what) for what in ("no right", "no right", "no quota", "no right")]
    assert told == [True, False, True, True]
    assert said.end("a") == "no right"


def test_each_key_is_told_by_itself() -> None:
    """Does one trouble hide no other, and end no other?"""
    said = SaidOnce[str]()
    assert said.begin("a", "away")
    assert said.begin("b", "away")
    assert said.end("a") == "away"
    assert set(said.keys()) == {"b"}


def test_what_was_put_in_first_goes_first() -> None:
    """Is the map never larger than its bound, and the oldest what is forgotten?"""
    held = BoundedMap[str, int](2)
    for number, key in enumerate("abc"):
        held[key] = number
    assert dict(held) == {"b": 1, "c": 2}
    assert held.get("a") is None


def test_a_key_that_is_put_in_again_forgets_nobody() -> None:
    """Is a new value of a key no new key?"""
    held = BoundedMap[str, int](2)
    held["a"], held["b"], held["a"] = 1, 2, 3
    assert dict(held) == {"a": 3, "b": 2}


def test_a_key_that_was_popped_goes_to_the_end() -> None:
    """Can what is used be kept, by taking it out and putting it in again?"""
    held = BoundedMap[str, int](2)
    held["a"], held["b"] = 1, 2
    held["a"] = held.pop("a")
    held["c"] = 3
    assert dict(held) == {"a": 1, "c": 3}


def test_what_is_missing_is_missing() -> None:
    """Is what was forgotten as what was never there?"""
    held = BoundedMap[str, int](1)
    with pytest.raises(KeyError):
        held["a"]
    assert held.pop("a", None) is None
