"""The way through one decision: what is looked at once, and how it is counted."""

from collections.abc import Callable

import pytest

from tests.jumps import Walk, crash_to_failed, ready_to_passed, tag_to_pin

RUN_PODS = "controller/domain/pods/run_pods.py"
PIN = "controller/domain/record/pin.py"
RESTARTS = "controller/domain/decide/restarts.py"


@pytest.mark.parametrize("play", [ready_to_passed, crash_to_failed])
def test_an_open_run_is_looked_at_once(play: Callable[[], Walk]) -> None:
    """Does a decision look at the pin once, count restarts once at most, and view the pods once at
    most? They are viewed before it where they have not changed since.
    """
    way = play()
    assert way.into(RUN_PODS) <= 1
    assert way.into(PIN) == 1
    assert way.into(RESTARTS) <= 1


def test_a_walk_ends_with_the_decision_that_is_named() -> None:
    """Is it the pin that is walked, and not a decision before or after it?"""
    decision = tag_to_pin().decision
    assert decision is not None
    assert decision.write is not None
    assert decision.write.pins
