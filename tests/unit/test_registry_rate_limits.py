"""Limits: when a registry is left alone, and what it says is left."""

from datetime import timedelta
from email.utils import format_datetime
from random import Random

import pytest

from controller.base.errors import Busy
from controller.domain.build import Quota
from controller.registry.rate_limits import LONGEST_WAIT, Gate, quota_in, wait_asked
from tests.fakes import EPOCH, FakeClock

JSON = {"Content-Type": "application/json"}


def gate(clock: FakeClock) -> Gate:
    return Gate("docker.io", clock, Random(1))


async def test_shut_until_the_moment_that_was_named() -> None:
    """Is nothing asked before Retry-After is over, and something after it?"""
    clock = FakeClock()
    door = gate(clock)
    door.check()
    busy = door.read(429, {"Retry-After": "90"})

    assert isinstance(busy, Busy)
    assert busy.retry_after == pytest.approx(90.0)
    await clock.advance(89.0)
    with pytest.raises(Busy, match="asks us to wait") as caught:
        door.check()
    assert caught.value.retry_after == pytest.approx(1.0)
    await clock.advance(1.0)
    door.check()


@pytest.mark.parametrize("status", [200, 401, 404, 500, 503])
def test_other_answers_leave_it_open(status: int) -> None:
    """Does an answer that does not ask us to wait leave the registry open?"""
    door = gate(FakeClock())

    assert door.read(status, {}) is None
    door.check()


def test_a_503_that_names_a_time_counts() -> None:
    """Is Retry-After obeyed with 503 as with 429?"""
    door = gate(FakeClock())

    assert door.read(503, {"Retry-After": "5"})
    with pytest.raises(Busy):
        door.check()


async def test_own_backoff_grows_and_is_bounded() -> None:
    """Is a registry that names no time left alone for longer each time, but not for ever?"""
    clock = FakeClock()
    door = gate(clock)
    delays = []
    for _ in range(9):
        busy = door.read(429, JSON)
        assert busy is not None
        assert busy.retry_after is not None
        delays.append(busy.retry_after)
        await clock.advance(busy.retry_after)

    assert 60.0 <= delays[0] <= 72.0
    assert delays[2] > delays[1] > delays[0]
    assert max(delays) <= 3600.0 * 1.2


def test_abuse_limit_is_minutes() -> None:
    """Does the plain text of Docker Hub's abuse limit silence us for minutes at once?"""
    busy = gate(FakeClock()).read(429, {"Content-Type": "text/plain"})

    assert busy is not None
    assert busy.retry_after is not None
    assert busy.retry_after >= 300.0


def test_a_late_answer_does_not_shorten_the_wait() -> None:
    """Does the answer to a request that was on its way leave the longer wait standing?"""
    door = gate(FakeClock())
    door.read(429, {"Retry-After": "600"})
    busy = door.read(429, {"Retry-After": "1"})

    assert busy is not None
    assert busy.retry_after == pytest.approx(600.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "999999999"}, LONGEST_WAIT),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": format_datetime(EPOCH + timedelta(seconds=40), usegmt=True)}, 40.0),
        ({"Retry-After": format_datetime(EPOCH - timedelta(days=1), usegmt=True)}, 1.0),
        ({"X-Retry-After": str(int(EPOCH.timestamp()) + 25)}, 25.0),
        ({"X-Retry-After": "30"}, 30.0),
        ({"Retry-After": str(int(EPOCH.timestamp()) + 25)}, 25.0),
        ({"Retry-After": str(int(EPOCH.timestamp()) - 25)}, 1.0),
        ({"Retry-After": f"{EPOCH.timestamp() + 25:.3f}"}, 25.0),
        ({"Retry-After": str((int(EPOCH.timestamp()) + 25) * 1000)}, 25.0),
        ({"Retry-After": str(int(EPOCH.timestamp()) + 10**6)}, LONGEST_WAIT),
        ({"Retry-After": "soon", "X-RateLimit-Reset": str(int(EPOCH.timestamp()) + 9)}, 9.0),
        ({"RateLimit-Reset": "44"}, 44.0),
        ({"Retry-After": "17", "RateLimit-Reset": "44"}, 17.0),
        ({"Retry-After": "17", "X-Retry-After": "1"}, 17.0),
        ({}, None),
    ],
)
def test_how_long(headers: dict[str, str], seconds: float | None) -> None:
    """How long does each form of the headers ask us to wait, as the answer's clock has it?"""
    assert wait_asked(headers, EPOCH) == seconds


def test_moments_are_compared_with_the_servers_own_clock() -> None:
    """Does our clock, an hour wrong, not change what a timestamp in Retry-After means?"""
    headers = {
        "Date": format_datetime(EPOCH, usegmt=True),
        "Retry-After": str(int(EPOCH.timestamp()) + 30),
    }

    assert wait_asked(headers, EPOCH + timedelta(hours=1)) == 30.0


async def test_what_is_said_stays_until_the_gate_opens() -> None:
    """Is what the registry says of its limit told at each request that is not sent?"""
    clock = FakeClock()
    door = gate(clock)
    busy = door.read(429, {"Retry-After": "90"}, "TOOMANYREQUESTS: pull rate limit")

    assert str(busy).endswith("; it says 'TOOMANYREQUESTS: pull rate limit'")
    await clock.advance(30.0)
    with pytest.raises(Busy, match="pull rate limit"):
        door.check()


def test_dates_are_compared_with_the_servers_own_clock() -> None:
    """Does our clock, an hour wrong, not change what a date in Retry-After means?"""
    headers = {
        "Date": format_datetime(EPOCH, usegmt=True),
        "Retry-After": format_datetime(EPOCH + timedelta(seconds=30), usegmt=True),
    }

    assert wait_asked(headers, EPOCH + timedelta(hours=1)) == 30.0


def test_quota() -> None:
    """Is what is left of the pull limit understood, and its absence no limit?"""
    headers = {
        "ratelimit-limit": "100;w=21600",
        "ratelimit-remaining": "76;w=21600",
        "docker-ratelimit-source": "192.0.2.1\r\n",
    }

    assert quota_in(headers) == Quota(100, 76, 21600, "192.0.2.1")
    assert quota_in({"ratelimit-limit": "10", "ratelimit-remaining": "0"}) == Quota(10, 0, 0)
    assert quota_in({"ratelimit-limit": "many", "ratelimit-remaining": "76"}) is None
    assert quota_in({}) is None
