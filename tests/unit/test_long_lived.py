"""What is kept from Python's cycle collector while a controller leads."""

import gc
import weakref

import pytest

from controller.process.long_lived import left_alone
from tests.fakes import FakeClock


class _Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_freed_at_the_end() -> None:
    """Is a cycle that lost its last user meanwhile freed after the work, and not kept for ever?"""
    knot = _Knot()
    gone = weakref.ref(knot)
    with left_alone(FakeClock()):
        del knot
        gc.collect()
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_what_comes_later_is_freed_at_once() -> None:
    """Are cycles that work itself makes and drops freed while it goes on?"""
    with left_alone(FakeClock()):
        knot = _Knot()
        gone = weakref.ref(knot)
        del knot
        gc.collect()
        assert gone() is None


async def test_what_outlived_a_collection_is_looked_at_once_a_day() -> None:
    """Is a cycle that was in use at one full collection left alone by the next, for a day?"""
    clock = FakeClock()
    with left_alone(clock):
        knot = _Knot()
        gone = weakref.ref(knot)
        gc.collect()
        del knot
        clock.jump(100_000.0)  # of the wall alone
        gc.collect()
        assert gone() is not None
        await clock.advance(86_400.0)
        gc.collect()
        assert gone() is None


def test_work_that_fails_ends_it_too() -> None:
    """Is nothing left frozen where the work raises?"""
    before = gc.get_freeze_count(), gc.get_threshold(), len(gc.callbacks)
    with pytest.raises(ZeroDivisionError), left_alone(FakeClock()):
        raise ZeroDivisionError
    after = gc.get_freeze_count(), gc.get_threshold(), len(gc.callbacks)
    assert after == before
