"""The last good build before one that fails: by the order in which the tag pointed to them."""

from dataclasses import dataclass, field

import pytest

from controller.domain.pace.comparison import PastRun
from controller.domain.record.parts import Facts
from controller.domain.record.record import Outcome
from controller.domain.run import Phase
from tests.machine_objects import build, deployment, with_annotations
from tests.machine_scene import Scene
from tests.machine_world import World
from tests.node_lines import UNKNOWN_FATAL


@dataclass
class Line:
    """One Deployment, and the builds that it tests one after the other; each has a commit of its
    own letter.
    """

    world: World = field(default_factory=World)
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.world.add(deployment())

    def passes(self, letter: str, **asked: str) -> None:
        self._begin(letter, **asked)
        self.world.kubelet(self.key)
        self.world.settle(self.key)
        self.world.finish(self.key)

    def fails(self, letter: str, **asked: str) -> Outcome:
        run = self._begin(letter, **asked)
        self.world.kubelet(self.key)
        self.world.settle(self.key)
        Scene(self.world, self.key, run).ends(6, 1, line=UNKNOWN_FATAL)
        self.world.settle(self.key)
        outcome = self.world.record(self.key).outcome()
        assert outcome is not None
        assert (outcome.phase, outcome.build) == (Phase.FAILED, build(letter))
        return outcome

    def _begin(self, letter: str, **asked: str) -> str:
        """asked: annotations by which a person asks for it; else the tag points to it."""
        self.world.pass_time(100 * 3600)
        if asked:
            found = with_annotations(self.world.deployments[self.key], **asked)
            self.world.change(self.key, found)
        else:
            self.world.tags["latest"] = letter
        self.world.facts[self.key] = Facts(version=f"v-{letter}", commit=letter * 40)
        return self.world.start_run(self.key)


def again(letter: str, value: str) -> dict[str, str]:
    return {"test_build": build(letter), "retest_requested_at": value}


def test_the_last_good_build_is_the_one_before() -> None:
    """Is a new build that fails set beside the newest that passed before it?"""
    line = Line()
    line.passes("a")
    line.passes("b")
    outcome = line.fails("c")
    assert outcome.good == "b" * 40
    assert f"{'b' * 12}...{'c' * 12}" in outcome.message


def test_a_later_build_is_not_the_last_good_one() -> None:
    """Is an old build that fails once more after its fix set beside what came before it, and not
    beside the fix?
    """
    line = Line()
    line.passes("a")
    line.fails("b")
    line.passes("c")
    outcome = line.fails("b", **again("b", "1"))
    assert outcome.good == "a" * 40
    assert f"{'a' * 12}...{'b' * 12}" in outcome.message
    assert "c" * 12 not in outcome.message


def test_nothing_is_said_where_only_later_builds_passed() -> None:
    """Is no range told where none that came before has passed?"""
    line = Line()
    line.fails("a")
    line.passes("b")
    outcome = line.fails("a", **again("a", "1"))
    assert outcome.good == ""
    assert "last good" not in outcome.message


def test_nothing_is_said_of_a_build_that_the_tag_never_pointed_to() -> None:
    """Is a release candidate, of which nobody knows where it stands, set beside nothing?"""
    line = Line()
    line.passes("a")
    outcome = line.fails("b", test_build=build("b"))
    assert outcome.good == ""


def test_a_build_beside_the_tag_is_no_last_good_one() -> None:
    """Is a release candidate that passed no begin of a range either?"""
    line = Line()
    line.passes("a")
    line.passes("b", test_build=build("b"))
    assert line.fails("c").good == "a" * 40


@pytest.mark.parametrize(
    ("order", "good"),
    [
        ({"a": 1.0, "b": 2.0, "d": 3.0}, "b"),  # all that was seen
        ({"b": 4.0, "a": 1.0, "d": 3.0}, "a"),  # b came after it
        ({"d": 3.0}, ""),  # the store remembers none of the others
        (None, ""),  # nor anything
    ],
)
def test_the_order_is_the_one_in_which_builds_were_seen(
    order: dict[str, float] | None, good: str
) -> None:
    """Are builds that others tested put in order by when the tag pointed to them first?"""
    line = Line()
    line.world.earlier = tuple(
        PastRun(run=f"20200101t00000{n}z-{x * 8}", build=build(x), commit=x * 40)
        for n, x in enumerate("ab")
    )
    line.world.order = order and {build(x): at for x, at in order.items()}
    assert line.fails("d").good == good * 40


def test_the_same_build_passed_before() -> None:
    """Is a build that fails in another attempt set beside its own pass?"""
    line = Line()
    line.passes("a")
    outcome = line.fails("a", retest_requested_at="1")
    assert outcome.good == "a" * 40
    assert "passed before" in outcome.message
