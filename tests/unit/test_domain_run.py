"""Run ids: sorted by time, never at or before the Deployment's last one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from controller.domain.run import new_run_id, run_time
from tests.machine_objects import build

NOW = datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC)


def test_an_id_is_the_second_and_the_build() -> None:
    """Is the id what the documentation shows?"""
    assert new_run_id(NOW, "sha256:1a2b3c4d" + "0" * 56, "") == "20261123t060000z-1a2b3c4d"


def test_the_id_is_in_utc() -> None:
    """Does the zone that a clock happens to have change nothing?"""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert new_run_id(there, build("a"), "") == new_run_id(NOW, build("a"), "")


def test_later_runs_sort_later() -> None:
    """Do ids sort by time, whatever the builds are?"""
    ids = [new_run_id(NOW + timedelta(seconds=n), build(b), "") for n, b in enumerate("fa0")]
    assert ids == sorted(ids)


@pytest.mark.parametrize("back", [0.0, 0.9, 3600.0, 86400.0 * 400])
def test_a_run_is_never_at_or_before_the_last_one(back: float) -> None:
    """Does a second run in the same second, or after the clock went back, still sort later?"""
    last = new_run_id(NOW, build("f"), "")
    later = new_run_id(NOW - timedelta(seconds=back), build("0"), last)
    assert later[:16] > last[:16]
    assert run_time(later) == NOW + timedelta(seconds=1)


def test_a_day_may_end_between_two_runs() -> None:
    """Is moving on by a second a matter of time and not of digits?"""
    assert new_run_id(NOW, build("a"), "20261231t235959z-bbbbbbbb").startswith("20270101t000000z")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "20261123T060000Z-aaaaaaaa", "20261399t060000z-aaaaaaaa"]
)
def test_what_is_no_run_id_has_no_time(text: str) -> None:
    """Is nothing guessed from text that is no id?"""
    with pytest.raises(ValueError):
        run_time(text)
