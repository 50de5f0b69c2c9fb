"""The real machine against all that may happen, in any order (I1 to I11 in ARCHITECTURE.md)."""

import gc
from collections.abc import Iterator

import pytest

from tests.simulation.explored_invariants import check, check_settled
from tests.simulation.explored_state import Budget, State, Step, Violation, begin
from tests.simulation.explored_steps import disturbances, text_of, work

MOST_WORK = 400  # steps without a disturbance; the longest way to rest is a fraction of it


class Exploration:
    """Every state that can be reached, each once, by its number."""

    def __init__(self, first: State) -> None:
        self.states = [first]
        self.settled = 0  # states in which nothing is left to do
        self._numbers = {first: 0}
        self._came: list[tuple[int, Step] | None] = [None]  # from which state, by which step
        # The state after it, if nothing disturbs it; None where nothing is left to do
        self._onward: list[int | None] = []

    def run(self, *, most: int) -> None:
        todo = [0]
        onward: dict[int, int | None] = {}
        while todo:
            number = todo.pop()
            state = self.states[number]
            try:
                check(state)
                after = [self._reach(number, step, todo) for step in work(state)]
                onward[number] = after[0] if after else None
                for step in disturbances(state):
                    self._reach(number, step, todo)
            except Violation as violation:
                raise self._told(number, violation) from violation
            assert len(self.states) < most, f"more than {most} states: the world has grown"
        self._onward = [onward[number] for number in range(len(self.states))]
        self._come_to_rest()

    def _reach(self, number: int, step: tuple[Step, State], todo: list[int]) -> int:
        what, state = step
        found = self._numbers.setdefault(state, len(self.states))
        if found == len(self.states):
            self.states.append(state)
            self._came.append((number, what))
            todo.append(found)
        return found

    def _come_to_rest(self) -> None:
        """Without another disturbance: a look changes nothing any more, and all is well then."""
        resting: set[int] = set()
        for number in range(len(self.states)):
            way: list[int] = []
            at: int | None = number
            while at is not None and at not in resting:
                way.append(at)
                if len(way) > MOST_WORK:
                    raise self._told(number, Violation("it does not come to rest"))
                if self._onward[at] is None:
                    self._check_settled(at)
                at = self._onward[at]
            resting.update(way)

    def _check_settled(self, number: int) -> None:
        try:
            check_settled(self.states[number])
        except Violation as violation:
            raise self._told(number, violation) from violation
        self.settled += 1

    def _told(self, number: int, violation: Violation) -> AssertionError:
        """The violation, and the way that led there."""
        said = []
        came = self._came[number]
        while came is not None:
            at, step = came
            said.append(text_of(step))
            came = self._came[at]
        return AssertionError("\n".join([str(violation), *reversed(said)]))


@pytest.fixture
def _no_collecting() -> Iterator[None]:
    """Tuples lead in no circles: looking for some, again and again, takes a fifth of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collecting")
@pytest.mark.parametrize(
    ("first", "states"),
    [
        pytest.param(begin(1, Budget(crashes=1, flushes=1)), 36_942, id="crash and flush"),
        pytest.param(begin(1, Budget(lost_replies=1, flushes=1)), 34_103, id="lost and flush"),
        pytest.param(begin(1, Budget(recreations=1, crashes=1)), 89_659, id="crash and made again"),
        pytest.param(begin(1, Budget(tag_moves=1)), 51_263, id="tag moves"),
        pytest.param(begin(2, Budget()), 75_638, id="two controllers"),
        pytest.param(begin(1, Budget(ends=2)), 12_434, id="node ends"),
        pytest.param(
            begin(1, Budget(ends=2, crashes=1), kept=1), 4_572, id="alone, ends and crash"
        ),
        # One Deployment alone can be disturbed more often in as many states
        pytest.param(begin(1, Budget(reverts=3), kept=1), 27_398, id="alone, put back"),
        pytest.param(
            begin(1, Budget(reverts=1, tag_moves=1), kept=1), 8_376, id="alone, put back and tag"
        ),
        pytest.param(
            begin(2, Budget(tag_moves=1), kept=1), 40_916, id="alone, two looking, tag moves"
        ),
        # Each new pod ends the controller in it, whose store is gone with it
        pytest.param(
            begin(1, Budget(crashes=1, tag_moves=1), kept=1, inside=True),
            31_732,
            id="inside, crash and tag",
        ),
        pytest.param(
            begin(1, Budget(lost_replies=1, tag_moves=1), kept=1, inside=True),
            23_606,
            id="inside, lost and tag",
        ),
        pytest.param(
            begin(1, Budget(ends=2, crashes=1), kept=1, inside=True),
            28_842,
            id="inside, ends and crash",
        ),
        pytest.param(
            begin(2, Budget(lost_replies=1), kept=1), 6_482, id="alone, two looking, lost"
        ),
        pytest.param(begin(1, Budget(refusals=1)), 9_772, id="refused"),
        pytest.param(
            begin(1, Budget(refusals=1, crashes=1), kept=1), 796, id="alone, refused and crash"
        ),
        pytest.param(
            begin(1, Budget(refusals=3, tag_moves=1), kept=1), 13_483, id="alone, refused and tag"
        ),
        pytest.param(begin(2, Budget(flushes=1), apart=True), 57_340, id="two users and flush"),
    ],
)
def test_the_invariants_hold_in_every_state(first: State, states: int) -> None:
    """Do I1 to I6 hold in all states, and does each of them come to rest where nothing is due?

    states: how many there are. Another number is no fault, but a change of the machine or of this
    world that its author should know the reason of; fewer may mean that something can no longer
    happen here.
    """
    exploration = Exploration(first)
    exploration.run(most=400_000)
    assert len(exploration.states) == states
    assert exploration.settled > 0
