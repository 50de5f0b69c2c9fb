"""The poller: when the registry fails.

Included: backoff, what stays valid, what lasts, platforms apart. Excluded: test_poller.py.
"""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from controller.base.errors import Busy, Fault, Forbidden, Garbled, NotFound, Refused, Unavailable
from controller.domain.build import Platform, Resolution
from controller.domain.followed import Followed
from controller.domain.reference import Repository
from tests.engine_fakes import digest
from tests.poller_desk import INTERVAL, LATEST, REPOSITORY, Desk, working_desk

ONE = Resolution(digest("1"), digest("a1"))
MISSING = Followed(REPOSITORY, "latest", Platform(arch="riscv64"))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with working_desk() as desk:
        yield desk


async def test_what_was_resolved_stays(desk: Desk) -> None:
    """Does the last resolution stand while errors last, with its error and its age beside it?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    then = desk.poller.state(LATEST).last_success
    desk.registry.failing = Unavailable("registry is\x00 down")
    await desk.clock.advance(INTERVAL * 1.2)
    state = desk.poller.state(LATEST)
    assert (state.resolution, state.last_success) == (ONE, then)
    assert (state.error, state.lasting, state.failures) == ("registry is  down", False, 1)
    assert len(desk.changed) == 2


async def test_failing_is_told_when_it_begins_lasts_and_ends(desk: Desk) -> None:
    """Are those who follow told of three changes in an outage, however long it is?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.registry.failing = Unavailable("down")
    await desk.clock.advance(100 * INTERVAL)
    state = desk.poller.state(LATEST)
    assert state.failures > 5
    assert state.lasting
    assert len(desk.changed) == 3
    desk.registry.failing = None
    await desk.clock.advance(700)
    state = desk.poller.state(LATEST)
    assert (state.error, state.lasting, state.failures) == (None, False, 0)
    assert len(desk.changed) == 4
    assert len(desk.registry.builds) == 1


async def test_asked_slower_and_slower(desk: Desk) -> None:
    """Is a failing tag asked from once an interval down to once in ten minutes, and then again at
    the interval?
    """
    desk.registry.failing = Unavailable("down")
    desk.poller.follow([LATEST])
    await desk.clock.advance(7200)
    times = desk.head_times()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    for gap, least in zip(gaps, [60, 120, 240, 480, 600, 600, 600], strict=False):
        assert least <= gap <= least * 1.1
    desk.registry.failing = None
    await desk.clock.advance(700)
    before = len(desk.registry.heads)
    await desk.clock.advance(10 * INTERVAL)
    assert 8 <= len(desk.registry.heads) - before <= 12


async def test_a_success_begins_the_backoff_anew(desk: Desk) -> None:
    """Is a tag that fails after it worked asked again an interval later, as at first?"""
    desk.registry.next_errors.extend([Unavailable("down")] * 4 + [None, None, Unavailable("down")])
    desk.poller.follow([LATEST])
    await desk.clock.advance(3600)
    times = desk.head_times()
    assert times[4] - times[3] >= 480
    assert 60 <= times[6] - times[5] <= 66


async def test_busy_is_never_asked_sooner(desk: Desk) -> None:
    """Is the wait that the registry asked for kept, when it is the longer one?"""
    desk.registry.next_errors.append(Busy("wait", 1000.0))
    desk.poller.follow([LATEST])
    await desk.clock.advance(999)
    assert desk.head_times() == [0]
    await desk.clock.advance(2)
    assert desk.head_times() == [0, 1000]
    assert desk.poller.state(LATEST).resolution == ONE


async def test_an_interval_is_the_least_after_busy(desk: Desk) -> None:
    """Does a short Retry-After not make us ask more often than the interval?"""
    desk.registry.next_errors.append(Busy("wait", 1.0))
    desk.poller.follow([LATEST])
    await desk.clock.advance(59)
    assert desk.head_times() == [0]


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (Refused("no"), True),
        (Forbidden("no"), True),
        (NotFound("no"), True),
        (Garbled("html"), True),
        (Fault("write it so"), True),
        (Unavailable("down"), False),
        (Busy("wait", 1.0), False),
    ],
)
async def test_what_waiting_does_not_mend_lasts_at_once(
    desk: Desk, error: Exception, lasting: bool
) -> None:
    """Is trouble told to last from the first failure, where a person must look?"""
    desk.registry.failing = error
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    assert desk.poller.state(LATEST).lasting is lasting
    assert desk.poller.state(LATEST).error is not None


async def test_three_failures_last(desk: Desk) -> None:
    """Is passing trouble taken for lasting at the third failure in a row?"""
    desk.registry.failing = Unavailable("down")
    desk.poller.follow([LATEST])
    await desk.clock.advance(150)
    assert (desk.poller.state(LATEST).failures, desk.poller.state(LATEST).lasting) == (2, False)
    await desk.clock.advance(150)
    assert (desk.poller.state(LATEST).failures, desk.poller.state(LATEST).lasting) == (3, True)


async def test_a_missing_platform_harms_no_other(desk: Desk) -> None:
    """Is one platform resolved and polled as ever, while the index lacks another?"""
    desk.poller.follow([LATEST, MISSING])
    await desk.clock.advance(10 * INTERVAL)
    assert desk.poller.state(LATEST).error is None
    state = desk.poller.state(MISSING)
    assert (state.resolution, state.lasting) == (None, True)
    assert len(desk.registry.heads) >= 9


async def test_a_missing_platform_is_not_paid_for_each_time(desk: Desk) -> None:
    """Is the GET of a build that cannot be had repeated ever more seldom, up to once an hour?"""
    desk.poller.follow([MISSING])
    await desk.clock.advance(6 * 3600)
    assert len(desk.registry.builds) <= 11
    times = desk.build_times()
    assert times[-1] - times[-2] >= 3600
    assert desk.poller.state(MISSING).error is not None


async def test_a_new_index_with_the_platform_is_taken_at_once(desk: Desk) -> None:
    """Does a platform that was missing not wait for its backoff when the tag moves?"""
    desk.poller.follow([MISSING])
    await desk.clock.advance(6 * 3600)
    desk.registry.publish(REPOSITORY, "latest", digest("4"), {MISSING.platform: digest("c4")})
    await desk.clock.advance(INTERVAL * 1.2)
    assert desk.poller.state(MISSING).resolution == Resolution(digest("4"), digest("c4"))
    assert desk.poller.state(MISSING).error is None


async def test_a_spent_quota_waits_whatever_moves(desk: Desk) -> None:
    """Is a GET that the registry asked us to delay not sent for another digest either?"""
    desk.registry.failing_builds = Busy("quota is spent", 3600.0)
    desk.poller.follow([LATEST])
    await desk.clock.advance(100)
    desk.publish("latest", "2")
    await desk.clock.advance(3000)
    assert len(desk.registry.builds) == 1
    assert desk.poller.state(LATEST).error == "quota is spent"
    desk.registry.failing_builds = None
    await desk.clock.advance(700)
    assert desk.poller.state(LATEST).resolution == Resolution(digest("2"), digest("a2"))


async def test_the_older_error_stands_again_after_an_outage(desk: Desk) -> None:
    """Does a build that still waits say why, and not that the registry was down meanwhile?"""
    desk.poller.follow([MISSING])
    await desk.clock.advance(20_000)
    reason = desk.poller.state(MISSING).error
    desk.registry.next_errors.append(Unavailable("down"))
    while desk.registry.next_errors:
        await desk.clock.advance(1)
    assert desk.poller.state(MISSING).error == "down"
    await desk.clock.advance(INTERVAL * 1.2)
    assert desk.poller.state(MISSING).error == reason


async def test_a_digest_that_fails_is_asked_again(desk: Desk) -> None:
    """Is a digest tried with backoff until it is resolved, and then no more?"""
    fixed = Followed(REPOSITORY, digest("1"), Platform())
    desk.registry.next_errors.extend([Unavailable("down"), Busy("wait", 500.0)])
    desk.poller.follow([fixed])
    await desk.clock.advance(100 * INTERVAL)
    assert desk.poller.state(fixed).resolution == ONE
    times = desk.build_times()
    assert len(times) == 3
    assert 60 <= times[1] <= 66
    assert times[2] - times[1] >= 500


async def test_a_bug_on_one_tag_stops_no_other(desk: Desk) -> None:
    """Does polling go on, and the failure show, when asking one host raises what it must not?"""
    broken = Followed(Repository("broken.example", "a/b"), "latest", Platform())
    desk.registry.failing_hosts["broken.example"] = ZeroDivisionError()
    desk.poller.follow([broken, LATEST])
    await desk.clock.advance(10 * INTERVAL)
    assert desk.poller.state(LATEST).resolution == ONE
    assert len(desk.registry.heads) >= 12
    error = desk.poller.state(broken).error
    assert error is not None
    assert "mistake" in error


async def test_an_outage_is_told_once_and_its_end(desk: Desk) -> None:
    """Are people told once that a registry is in trouble, and once that it is over?"""
    desk.poller.follow([LATEST, MISSING, Followed(REPOSITORY, "absent", Platform())])
    await desk.clock.advance(10 * INTERVAL)
    assert desk.outages == []  # wrong tags and platforms are no outage
    desk.registry.failing = Unavailable("down")
    await desk.clock.advance(30 * INTERVAL)
    assert desk.outages == [("registry.example", "down")]
    desk.registry.failing = None
    await desk.clock.advance(30 * INTERVAL)
    assert desk.outages == [("registry.example", "down"), ("registry.example", None)]


async def test_an_answer_that_helps_nobody_is_no_outage(desk: Desk) -> None:
    """Is a registry that only ever says "no such tag" not taken for one in trouble?"""
    desk.poller.follow([Followed(REPOSITORY, "absent", Platform())])
    await desk.clock.advance(30 * INTERVAL)
    assert desk.poller.state(Followed(REPOSITORY, "absent", Platform())).failures > 3
    assert desk.outages == []


async def test_an_outage_of_nobodys_registry_ends(desk: Desk) -> None:
    """Does trouble end for people when nothing at that registry is followed any more?"""
    desk.registry.failing = Unavailable("down")
    desk.poller.follow([LATEST])
    await desk.clock.advance(30 * INTERVAL)
    desk.poller.follow([])
    assert desk.outages == [("registry.example", "down"), ("registry.example", None)]


async def test_an_error_is_seen_in_the_store(desk: Desk) -> None:
    """Does the store's word on a tag say what it was, when that was, and what is wrong now?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.registry.failing = Unavailable("down")
    await desk.clock.advance(INTERVAL * 1.2)
    fields = await desk.store.tag("registry.example/a/b", "latest")
    assert fields == {
        "at": "2026-11-23T06:00:00+00:00",
        "digest": digest("1"),
        "build:linux/amd64": digest("a1"),
        "error": "down",
    }


async def test_the_store_never_pairs_a_digest_with_another_build(desk: Desk) -> None:
    """Is the build left out of the store's word on a tag while that of its new digest is unknown,
    and does the state keep what was resolved?
    """
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.registry.failing_builds = Busy("quota is spent", 3600.0)
    desk.publish("latest", "2")
    await desk.clock.advance(INTERVAL * 1.2)
    fields = await desk.store.tag("registry.example/a/b", "latest")
    assert (fields["digest"], fields["error"]) == (digest("2"), "quota is spent")
    assert "build:linux/amd64" not in fields
    assert desk.poller.state(LATEST).resolution == ONE
