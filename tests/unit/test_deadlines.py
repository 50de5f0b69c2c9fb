"""Deadlines: which of many moments has come."""

import math

from hypothesis import given
from hypothesis import strategies as st

from controller.engine.queue.deadlines import Deadlines

KEYS = st.sampled_from("abcde")
MOMENTS = st.integers(0, 20)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["set", "bring_forward"]), KEYS, MOMENTS),
    st.tuples(st.just("drop"), KEYS, st.just(0)),
    st.tuples(st.just("due"), st.just(""), MOMENTS),
)


@given(st.lists(STEPS, max_size=60))
def test_as_a_look_at_all_of_them(steps: list[tuple[str, str, int]]) -> None:
    """Whatever is set, moved and dropped, does the same come due as where each is looked at?"""
    deadlines, plain = Deadlines[str](), dict[str, float]()
    for step, key, moment in steps:
        if step == "set":
            deadlines.set(key, moment)
            plain[key] = moment
        elif step == "bring_forward":
            sooner = moment < plain.get(key, math.inf)
            assert deadlines.bring_forward(key, moment) is sooner
            plain[key] = min(moment, plain.get(key, math.inf))
        elif step == "drop":
            deadlines.drop(key)
            plain.pop(key, None)
        else:
            came = list(deadlines.due(moment))
            assert [plain[each] for each in came] == sorted(plain[each] for each in came)
            assert sorted(came) == sorted(each for each, at in plain.items() if at <= moment)
            plain = {each: at for each, at in plain.items() if at > moment}
        assert deadlines.first() == min(plain.values(), default=math.inf)
        assert (len(deadlines), "a" in deadlines) == (len(plain), "a" in plain)


def test_equal_moments_keep_their_order() -> None:
    """Do those that were set for the same moment come in the order in which they were set?"""
    deadlines = Deadlines[str]()
    for key in "cab":
        deadlines.set(key, 5)
    assert list(deadlines.due(5)) == ["c", "a", "b"]


def test_what_was_moved_leaves_nothing_behind() -> None:
    """Is the memory that of the keys, however often each was moved?"""
    deadlines = Deadlines[str]()
    for moment in range(100_000):
        deadlines.set(str(moment % 10), moment)
    assert len(deadlines) == 10
    assert len(deadlines._heap) < 100
