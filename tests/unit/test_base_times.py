"""Durations, the clock and backoff."""

from datetime import UTC, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import SystemClock
from controller.base.durations import LONGEST, format_duration, parse_duration
from tests.fakes import FakeClock

EXACT = BackoffPolicy(first=1.0, factor=2.0, cap=10.0, jitter=0.0, reset_after=60.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("500ms", 0.5),
        ("5m", 300.0),
        ("12h", 43200.0),
        ("7d", 604800.0),
        ("1h30m", 5400.0),
        (" 1d ", 86400.0),
        ("0s", 0.0),
        ("3650d", LONGEST),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """Is each unit understood, alone and with others?"""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "5 m", "-5m", "1.5h", "5M", "5min", "5m ago", "3651d", "9999999999s", "5m\n6m"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Is a number without a unit, or a slip of the pen, never guessed at?"""
    with pytest.raises(ValueError, match=r"^$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.4, "0s"),
        (59.6, "1m"),
        (61.0, "1m1s"),
        (3600.0, "1h"),
        (3661.0, "1h1m"),
        (86400.0 * 3 + 3600 * 4 + 60 * 5, "3d4h"),
        (86400.0 + 5.0, "1d5s"),
    ],
)
def test_durations_are_shown_in_two_units(seconds: float, text: str) -> None:
    """Can a person take a duration in at a glance?"""
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=3600))
def test_what_is_shown_can_be_read_back(seconds: int) -> None:
    """Up to an hour, where two units hold everything, are the two directions one?"""
    assert parse_duration(format_duration(float(seconds))) == seconds


def test_delays_grow_to_the_cap() -> None:
    """Does each failure in a row double the delay, up to the cap and no further?"""
    backoff = Backoff(EXACT, FakeClock(), Random(1))
    assert [backoff.next_delay() for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert backoff.failures == 6


def test_a_thousand_failures_are_no_overflow() -> None:
    """Does a server that is away for a year not break the arithmetic?"""
    backoff = Backoff(EXACT, FakeClock(), Random(1))
    assert [backoff.next_delay() for _ in range(2000)][-1] == 10.0


def test_jitter_only_makes_it_longer() -> None:
    """Is a delay drawn between itself and twice itself, and the same for the same seed?"""
    policy = BackoffPolicy(first=8.0, cap=8.0, jitter=1.0)
    delays = [Backoff(policy, FakeClock(), Random(seed)).next_delay() for seed in range(200)]
    assert 8.0 <= min(delays) < 9.0
    assert 15.0 < max(delays) <= 16.0
    assert Backoff(policy, FakeClock(), Random(7)).next_delay() == delays[7]


def test_who_asks_us_to_wait_is_never_asked_sooner() -> None:
    """Is Retry-After a lower bound, over the cap too?"""
    backoff = Backoff(EXACT, FakeClock(), Random(1))
    assert backoff.next_delay(at_least=90.0) == 90.0
    assert backoff.next_delay(at_least=0.5) == 2.0


async def test_success_in_between_does_not_forget_but_quiet_does() -> None:
    """Does a server that fails every second time stay slow, and one long well start anew?"""
    clock = FakeClock()
    backoff = Backoff(EXACT, clock, Random(1))
    assert backoff.next_delay() == 1.0
    await clock.advance(1.0 + 60.0)  # the wait itself is not quiet time
    assert backoff.next_delay() == 2.0
    await clock.advance(2.0 + 60.1)
    assert backoff.next_delay() == 1.0


def test_reset_forgets() -> None:
    """Does a success that means that all is well begin anew?"""
    backoff = Backoff(EXACT, FakeClock(), Random(1))
    backoff.next_delay()
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next_delay() == 1.0


async def test_the_real_clock_is_utc_and_keeps_its_time_limits() -> None:
    """Does the machine's clock give aware times, go forward, and end what takes too long?"""
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(-1.0)
    assert clock.monotonic() >= before
    with pytest.raises(TimeoutError):
        await clock.within(0.0, clock.sleep(60.0))
    assert await clock.within(60.0, _seven()) == 7


async def _seven() -> int:
    return 7
