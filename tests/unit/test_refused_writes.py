"""When a write that was refused is tried again, and what is told of it meanwhile."""

from datetime import timedelta
from random import Random

import pytest

from controller.base.errors import Forbidden, WriteRefused
from controller.domain.record.write import Write, WriteReply
from controller.engine.reconcile.refused_writes import SOON, RefusedWrites
from tests.fakes import EPOCH
from tests.machine_engine import StillClock
from tests.machine_objects import deployment

KEY = "bootstrap/fuji"
RECORD = Write(KEY, "u", "before", "after", "Idle", "Idle", "m", "m")
PIN = Write(KEY, "u", "before", "after", "Idle", "Starting", "m", "m", run_id="run")
WORDS = Write(KEY, "u", "before", "before", None, "Idle", "m", "m")
DENIED = WriteRefused("denied by policy")
DOWN = WriteRefused("webhook down", passing=True)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = StillClock(lambda: EPOCH + timedelta(seconds=self.seconds))

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def refused(clock: Hand) -> RefusedWrites:
    return RefusedWrites(clock.clock, Random(1))


def tries(refused: RefusedWrites, clock: Hand, write: Write, seconds: float) -> int:
    """How often it is sent, if somebody looks each second."""
    sent = 0
    for _ in range(int(seconds)):
        if refused.holds(write) is None:
            refused.refused(write, DENIED)
            sent += 1
        clock.advance(1.0)
    return sent


@pytest.mark.parametrize("write", [RECORD, PIN, WORDS])
def test_tries_grow_rare(refused: RefusedWrites, clock: Hand, write: Write) -> None:
    """Whatever is written: a few tries in the first minutes, and at most one in five after?"""
    assert 4 <= tries(refused, clock, write, 120.0) <= 6
    assert tries(refused, clock, write, 3600.0) <= 14


def test_a_refused_pin_holds_no_record_back(refused: RefusedWrites) -> None:
    """The record may say what became of the pin."""
    refused.refused(PIN, DENIED)
    assert refused.holds(PIN) is not None
    assert refused.holds(RECORD) is None
    refused.check(RECORD)
    with pytest.raises(WriteRefused, match="denied by policy"):
        refused.check(PIN)
    assert refused.why_no_pin(KEY) == "denied by policy"


def test_what_may_pass_is_told_when_it_lasts(refused: RefusedWrites, clock: Hand) -> None:
    """Is a 500 told at the third time, and a denial at the first?"""
    for told in (False, False, True):
        again = refused.refused(RECORD, DOWN)
        assert isinstance(again, WriteRefused)
        assert again.passing is not told
        assert bool(refused.troubles()) is told
        clock.advance(100.0)
    refused.taken(RECORD, WriteReply(applied=True, deployment=None))
    assert refused.troubles() == []
    refused.refused(RECORD, DENIED)
    assert refused.troubles() == [f"a write to {KEY} is refused: denied by policy"]


def test_a_change_is_another_chance(refused: RefusedWrites, clock: Hand) -> None:
    """Somebody changes the Deployment while it waits for minutes: is it soon tried again?"""
    refused.look(deployment(generation=1))
    tries(refused, clock, RECORD, 900.0)
    while refused.holds(RECORD) is not None:
        clock.advance(1.0)
    refused.refused(RECORD, DENIED)
    assert (refused.holds(RECORD) or 0.0) > 2 * SOON
    refused.look(deployment(generation=2))
    assert (refused.holds(RECORD) or 0.0) <= SOON


def test_rights_are_called_rights(refused: RefusedWrites) -> None:
    """Is a missing right still `Forbidden`, held back too?"""
    refused.refused(RECORD, Forbidden("not allowed to patch"))
    with pytest.raises(Forbidden, match="not allowed to patch"):
        refused.check(RECORD)
    assert refused.unrecorded(KEY) == ("Forbidden", "not allowed to patch")


def test_words_that_are_changed_on_the_way(refused: RefusedWrites, clock: Hand) -> None:
    """A write whose label is stripped: is that told, and the label healed later and later?"""
    refused.taken(RECORD, WriteReply(applied=True, deployment=None, changed="label is gone"))
    found = refused.unrecorded(KEY)
    assert found is not None
    assert found[0] == "WriteChanged"
    waits = []
    for _ in range(4):
        waits.append(refused.holds(WORDS) or 0.0)
        clock.advance(400.0)
        refused.taken(WORDS, WriteReply(applied=True, deployment=None, changed="label is gone"))
    assert waits == sorted(waits)
    assert waits[0] < 3.0 < 10.0 < waits[-1]
    refused.taken(WORDS, WriteReply(applied=True, deployment=None))
    assert refused.unrecorded(KEY) is None


def test_what_is_gone_is_forgotten(refused: RefusedWrites) -> None:
    refused.refused(PIN, DENIED)
    refused.forget(KEY)
    assert refused.troubles() == []
    assert refused.holds(PIN) is None
