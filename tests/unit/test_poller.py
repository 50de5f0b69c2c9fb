"""The poller: what it asks of a registry and how often, and what it then knows.

Included: polling, builds, the set that is followed, the store. Excluded: failures
(test_poller_failures.py), when a registry's trouble is told (test_poller_outages.py).
"""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise

import pytest

from controller.domain.build import Platform, Quota, Resolution
from controller.domain.followed import Followed
from controller.domain.reference import Repository
from controller.engine.polling.tag_memory import BUILDS_KEPT, TOLD_EVERY
from controller.engine.polling.tag_state import TagState
from tests.engine_fakes import digest
from tests.poller_desk import AMD64, ARM64, INTERVAL, LATEST, REPOSITORY, Desk, working_desk

ONE = Resolution(digest("1"), digest("a1"))
TWO = Resolution(digest("2"), digest("a2"))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with working_desk() as desk:
        yield desk


async def test_a_new_one_is_asked_for_at_once(desk: Desk) -> None:
    """Is a followed tag resolved without waiting for an interval, and told?"""
    assert desk.poller.state(LATEST) == TagState()
    desk.poller.follow([LATEST])
    await desk.clock.advance(0)
    assert desk.poller.state(LATEST) == TagState(
        resolution=ONE, last_success=desk.clock.now(), quota=None
    )
    assert desk.changed == [LATEST]


async def test_the_store_hears_within_minutes_that_a_tag_was_confirmed(desk: Desk) -> None:
    """Does whoever reads the store see that a tag which stays is still asked for?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(30 * INTERVAL)
    at = (await desk.store.tag("registry.example/a/b", "latest"))["at"]
    age = desk.clock.now() - datetime.fromisoformat(at)
    assert age.total_seconds() < TOLD_EVERY + 1.1 * INTERVAL


async def test_a_store_that_forgot_is_told_at_the_next_poll(desk: Desk) -> None:
    """Does a tag that stays not wait for its five minutes where the store was emptied?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(INTERVAL)
    await desk.store.put_tag("registry.example/a/b", "latest", {})
    desk.poller.refilled()
    await desk.clock.advance(1.1 * INTERVAL)
    assert "at" in await desk.store.tag("registry.example/a/b", "latest")


async def test_one_head_an_interval(desk: Desk) -> None:
    """Is each distinct tag asked for once an interval, with jitter, however many follow it?"""
    desk.poller.follow([LATEST, Followed(REPOSITORY, "latest", ARM64)] * 10)
    await desk.clock.advance(100 * INTERVAL)
    times = [at for at, _ in desk.registry.heads]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 91 <= len(gaps) <= 111
    assert all(0.9 * INTERVAL - 0.01 <= gap <= 1.1 * INTERVAL + 0.01 for gap in gaps)
    assert len({round(gap, 3) for gap in gaps}) > 50
    assert len(desk.registry.builds) == 2  # one a platform


async def test_the_same_digest_costs_nothing_and_is_no_news(desk: Desk) -> None:
    """Does a tag that stays where it is cost HEADs only, and disturb nobody?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(10 * INTERVAL)
    assert (len(desk.registry.builds), desk.changed) == (1, [LATEST])
    assert desk.store.asked <= 2 + 3  # the build once, the tag each five minutes
    age = desk.clock.now() - (desk.poller.state(LATEST).last_success or desk.clock.now())
    assert age.total_seconds() < 1.1 * INTERVAL


async def test_a_moved_tag_is_noticed(desk: Desk) -> None:
    """Is a new digest resolved with one more GET, and told once?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(INTERVAL)
    desk.publish("latest", "2")
    await desk.clock.advance(2 * INTERVAL)
    assert desk.poller.state(LATEST).resolution == TWO
    assert (len(desk.registry.builds), desk.changed) == (2, [LATEST, LATEST])


async def test_a_new_index_over_the_same_build_is_told(desk: Desk) -> None:
    """Is the build the same, and the digest new, when only the index was made again?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(INTERVAL)
    desk.registry.publish(REPOSITORY, "latest", digest("3"), {AMD64: digest("a1")})
    await desk.clock.advance(2 * INTERVAL)
    assert desk.poller.state(LATEST).resolution == Resolution(digest("3"), digest("a1"))
    assert len(desk.changed) == 2


async def test_a_known_digest_is_never_asked_for_again(desk: Desk) -> None:
    """Is a tag that goes back and forth, or shares its index, resolved from memory?"""
    other = Followed(REPOSITORY, "v1", AMD64)
    desk.poller.follow([LATEST])
    await desk.clock.advance(INTERVAL)
    desk.publish("latest", "2")
    desk.publish("v1", "1")
    desk.poller.follow([LATEST, other])
    await desk.clock.advance(2 * INTERVAL)
    desk.publish("latest", "1")
    desk.store.away = True
    await desk.clock.advance(2 * INTERVAL)
    assert desk.poller.state(LATEST).resolution == ONE
    assert desk.poller.state(other).resolution == ONE
    assert len(desk.registry.builds) == 2


async def test_a_tag_that_stays_is_resolved_however_much_came_since(desk: Desk) -> None:
    """Does a quiet tag cost no second GET after more builds than are kept in memory?"""
    desk.store.away = True
    fixed = [Followed(REPOSITORY, digest(f"{number:04x}"), AMD64) for number in range(BUILDS_KEPT)]
    for followed in fixed:
        builds = {AMD64: followed.reference}
        desk.registry.publish(REPOSITORY, "moving", followed.reference, builds)
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.poller.follow([LATEST, *fixed])
    while len(desk.registry.builds) < 1 + BUILDS_KEPT:
        await desk.clock.settle()
    heads = len(desk.registry.heads)
    await desk.clock.advance(3 * INTERVAL)
    assert len(desk.registry.heads) > heads
    assert len(desk.registry.builds) == 1 + BUILDS_KEPT


async def test_the_store_knows_what_another_process_learned(desk: Desk) -> None:
    """Is a build that the store knows taken from there, without a GET?"""
    await desk.store.put_build(digest("1"), "linux/amd64", digest("a1"))
    desk.poller.follow([LATEST])
    await desk.clock.advance(0)
    assert desk.poller.state(LATEST).resolution == ONE
    assert desk.registry.builds == []


async def test_the_store_is_told_what_was_learned(desk: Desk) -> None:
    """Does the store have the build, and the tag in words that a person can read?"""
    desk.registry.set_quota(REPOSITORY, Quota(100, 76, 21600))
    desk.poller.follow([LATEST, Followed(REPOSITORY, "latest", ARM64)])
    await desk.clock.advance(0)
    assert await desk.store.build(digest("1"), "linux/amd64") == digest("a1")
    assert await desk.store.tag("registry.example/a/b", "latest") == {
        "at": "2026-11-23T06:00:00+00:00",
        "digest": digest("1"),
        "build:linux/amd64": digest("a1"),
        "build:linux/arm64": digest("b1"),
        "quota_limit": "100",
        "quota_remaining": "76",
    }
    assert desk.poller.state(LATEST).quota == Quota(100, 76, 21600)


async def test_a_store_that_is_away_stops_nothing(desk: Desk) -> None:
    """Is polling as before without a store, which is asked seldom, and told all afterwards?"""
    desk.store.away = True
    desk.poller.follow([LATEST])
    await desk.clock.advance(0)
    assert desk.poller.state(LATEST).resolution == ONE
    assert desk.poller.state(LATEST).error is None
    assert desk.store.asked == 1
    await desk.clock.advance(10 * INTERVAL)
    assert len(desk.registry.heads) >= 9
    desk.store.away = False
    await desk.clock.advance(2 * INTERVAL)
    assert await desk.store.build(digest("1"), "linux/amd64") == digest("a1")
    assert (await desk.store.tag("registry.example/a/b", "latest"))["digest"] == digest("1")


async def test_a_digest_is_resolved_once(desk: Desk) -> None:
    """Does a digest cost one GET, no HEAD, and nothing ever after?"""
    fixed = Followed(REPOSITORY, digest("1"), AMD64)
    desk.poller.follow([fixed])
    await desk.clock.advance(100 * INTERVAL)
    assert desk.poller.state(fixed).resolution == ONE
    assert (len(desk.registry.heads), len(desk.registry.builds)) == (0, 1)
    assert await desk.store.build(digest("1"), "linux/amd64") == digest("a1")
    assert await desk.store.tag("registry.example/a/b", digest("1")) == {}


async def test_what_is_not_followed_is_forgotten(desk: Desk) -> None:
    """Does polling of a tag end with the last Deployment that follows it?"""
    desk.poller.follow([LATEST])
    await desk.clock.advance(INTERVAL / 2)
    desk.poller.follow([])
    await desk.clock.advance(10 * INTERVAL)
    assert desk.poller.state(LATEST) == TagState()
    assert len(desk.registry.heads) == 1


async def test_following_the_same_again_changes_nothing(desk: Desk) -> None:
    """Is `follow` free of cost for what was followed before?"""
    desk.poller.follow([LATEST])
    for _ in range(100):
        await desk.clock.advance(INTERVAL / 100)
        desk.poller.follow([LATEST])
    assert len(desk.registry.heads) <= 2
    assert desk.poller.state(LATEST).resolution == ONE


async def test_another_platform_does_not_wait(desk: Desk) -> None:
    """Is a platform that comes later resolved at once, also while its tag is being asked for?"""
    arm = Followed(REPOSITORY, "latest", ARM64)
    desk.registry.hold()
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.poller.follow([LATEST, arm])
    desk.registry.let_go()
    await desk.clock.advance(0)
    assert desk.poller.state(LATEST).resolution == ONE
    assert desk.poller.state(arm).resolution == Resolution(digest("1"), digest("b1"))
    assert desk.changed == [LATEST, arm]


async def test_an_answer_that_nobody_waits_for_is_dropped(desk: Desk) -> None:
    """Is nobody told of a tag that was let go while it was being asked for?"""
    desk.registry.hold()
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    desk.poller.follow([])
    desk.registry.let_go()
    await desk.clock.advance(INTERVAL)
    assert (desk.changed, len(desk.registry.heads)) == ([], 1)
    assert await desk.store.tag("registry.example/a/b", "latest") == {}


async def test_one_question_a_host_and_four_hosts(desk: Desk) -> None:
    """Is a host asked one thing at a time, four hosts at once, and each tag in the end?"""
    wanted = [
        Followed(Repository(f"host{host}.example", "a/b"), f"v{tag}", AMD64)
        for host in range(6)
        for tag in range(5)
    ]
    for followed in wanted:
        desk.registry.publish(
            followed.repository, followed.reference, digest("1"), {AMD64: digest("a1")}
        )
    desk.registry.hold()
    desk.poller.follow(wanted)
    await desk.clock.advance(1)
    assert desk.registry.under_way == 4
    desk.registry.let_go()
    await desk.clock.advance(1)
    assert set(desk.registry.busiest.values()) == {1}
    assert desk.registry.busiest_of_all == 4
    assert all(desk.poller.state(followed).resolution == ONE for followed in wanted)
    assert len(desk.registry.heads) == 30


async def test_a_slow_host_holds_up_no_other(desk: Desk) -> None:
    """Does a tag elsewhere go on while one registry takes its time?"""
    slow = Followed(Repository("slow.example", "a/b"), "latest", Platform())
    desk.registry.slow_hosts["slow.example"] = 1000.0
    desk.poller.follow([slow, LATEST])
    await desk.clock.advance(10 * INTERVAL)
    assert desk.poller.state(LATEST).resolution == ONE
    assert sum("latest" in call and "slow" not in call for _, call in desk.registry.heads) >= 9


async def test_ends_by_cancellation_in_the_middle(desk: Desk) -> None:
    """Does stopping in the middle of a poll leave nothing behind, so that it can begin again?"""
    desk.registry.hold()
    desk.poller.follow([LATEST])
    await desk.clock.advance(1)
    await desk.stop()
    assert desk.registry.under_way == 0
    desk.registry.let_go()
    desk.start()
    await desk.clock.advance(1)
    assert desk.poller.state(LATEST).resolution == ONE
