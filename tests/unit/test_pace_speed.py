"""Speed: a trail keeps the shape of a stage's growth in a few points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.pace.speed import POINTS, Trail


def trodden(*steps: tuple[float, float]) -> Trail:
    trail = Trail()
    for seconds, count in steps:
        trail = trail.then(seconds, count)
    return trail


def test_points_are_evenly_apart() -> None:
    """Is the count noted after each five minutes of moving, and between them nothing?"""
    assert trodden((200, 1)) == Trail()
    assert trodden((200, 1), (300, 7), (500, 8), (600, 9)) == Trail(300, (7, 9))


def test_what_was_not_seen_is_a_straight_line() -> None:
    """Is a trail that was lost, or a long step, filled in between?"""
    assert trodden((1200, 40)) == Trail(300, (10, 20, 30, 40))
    assert trodden((300, 10), (900, 70)) == Trail(300, (10, 40, 70))
    assert trodden((400, 40), (800, 80)) == Trail(300, (30, 60))


def test_a_long_trail_is_thinned() -> None:
    """Do points stay few and even, from the beginning to the end of weeks?"""
    trail = Trail()
    for step in range(1, 7 * 24 * 12 + 1):
        trail = trail.then(300.0 * step, step * step)
    assert len(trail.counts) <= POINTS
    assert trail.every * (len(trail.counts) + 1) > 7 * 24 * 3600
    assert trail.counts == tuple(
        (n * trail.every / 300) ** 2 for n in range(1, len(trail.counts) + 1)
    )


TRAIL = Trail(100, (10, 10, 40))  # in the second hundred seconds it stood still
END = (350.0, 90.0)


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 0), (5, 50), (10, 100), (25, 250), (40, 300), (65, 325), (90, 350)]
)
def test_a_trail_tells_when_a_count_was_reached(count: float, seconds: float) -> None:
    """Is the time found between the points, and between the last one and the end?"""
    assert TRAIL.seconds_at(count, END) == seconds


def test_what_was_never_reached_took_all_the_time() -> None:
    """Is there an answer for counts beyond the end too?"""
    assert TRAIL.seconds_at(1000, END) == 350


@pytest.mark.parametrize(
    ("count", "speed"), [(0, 0.1), (9, 0.1), (10, 0.3), (39, 0.3), (40, 1.0), (89, 1.0), (90, None)]
)
def test_a_trail_tells_the_speed_at_a_count(count: float, speed: float | None) -> None:
    """Is it the speed of the leg in which the count was passed?"""
    assert TRAIL.speed_at(count, END) == speed


def test_without_points_it_is_a_straight_line() -> None:
    """Is a stage of which only the end is known taken to have gone evenly?"""
    assert Trail().seconds_at(25, (200, 100)) == 50
    assert Trail().speed_at(25, (200, 100)) == 0.5
    assert Trail().speed_at(25, (0, 100)) is None


numbers = st.floats(0, 1e15)


@given(st.lists(st.tuples(st.floats(0, 1e9), numbers), max_size=40), numbers)
def test_any_steps_make_a_trail_within_its_bounds(
    steps: list[tuple[float, float]], count: float
) -> None:
    """Whatever is seen in whatever steps: are points few, rising, and times within the stage's?"""
    seconds = total = 0.0
    trail = Trail()
    for more, grown in steps:
        seconds, total = seconds + more, total + grown
        trail = trail.then(seconds, total)
    assert len(trail.counts) <= POINTS
    assert all(a <= b * (1 + 1e-9) for a, b in zip(trail.counts, trail.counts[1:], strict=False))
    assert 0 <= trail.seconds_at(count, (seconds, total)) <= seconds * (1 + 1e-9)
