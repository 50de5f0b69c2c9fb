"""The real machine against all that may happen, in any order (I1 to I11 in ARCHITECTURE.md)."""

from dataclasses import dataclass, field

import pytest

from tests.simulation.explored import (
    Budget,
    State,
    Step,
    Violation,
    begin,
    check,
    check_settled,
    steps,
    text_of,
    work,
)

MOST_WORK = 400  # steps without a disturbance; the longest way to rest is a fraction of it


@dataclass
class Exploration:
    """Every state that can be reached, each once. came: from which state, by which step."""

    came: dict[State, tuple[State, Step] | None] = field(default_factory=dict)
    resting: set[State] = field(default_factory=set)
    settled: int = 0

    def run(self, first: State, *, most: int) -> None:
        self.came = {first: None}
        todo = [first]
        while todo:
            state = todo.pop()
            try:
                check(state)
                for step, after in steps(state):
                    if after not in self.came:
                        self.came[after] = (state, step)
                        todo.append(after)
                self.comes_to_rest(state)
            except Violation as violation:
                raise AssertionError(f"{violation}\n{self.trail(state)}") from violation
            assert len(self.came) < most, f"more than {most} states: the world has grown"

    def comes_to_rest(self, state: State) -> None:
        """Without another disturbance: a look changes nothing any more, and all is well then."""
        way = []
        for _ in range(MOST_WORK):
            if state in self.resting:
                break
            way.append(state)
            following = next(work(state), None)
            if following is None:
                check_settled(state)
                self.settled += 1
                break
            state = following[1]
        else:
            raise Violation("it does not come to rest")
        self.resting.update(way)

    def trail(self, state: State) -> str:
        said = []
        at: State | None = state
        while at is not None and (came := self.came.get(at)) is not None:
            at, step = came
            said.append(text_of(step))
        return "\n".join(reversed(said))


@pytest.mark.parametrize(
    ("first", "least"),
    [
        pytest.param(begin(1, Budget(crashes=1, flushes=1)), 20_000, id="crash and flush"),
        pytest.param(begin(1, Budget(lost_replies=1, flushes=1)), 15_000, id="lost and flush"),
        pytest.param(begin(1, Budget(recreations=1, crashes=1)), 60_000, id="crash and made again"),
        pytest.param(begin(1, Budget(tag_moves=1)), 30_000, id="tag moves"),
        pytest.param(begin(2, Budget()), 25_000, id="two controllers"),
        # One Deployment alone can be disturbed more often in as many states
        pytest.param(begin(1, Budget(reverts=3), kept=1), 20_000, id="alone, put back"),
        pytest.param(
            begin(1, Budget(reverts=1, tag_moves=1), kept=1), 3_000, id="alone, put back and tag"
        ),
        pytest.param(
            begin(2, Budget(tag_moves=1, lost_replies=1), kept=1), 30_000, id="alone, two looking"
        ),
    ],
)
def test_the_invariants_hold_in_every_state(first: State, least: int) -> None:
    """Do I1 to I6 hold in all states, and does each of them come to rest where nothing is due?"""
    exploration = Exploration()
    exploration.run(first, most=400_000)
    assert len(exploration.came) >= least
    assert exploration.settled > 0
