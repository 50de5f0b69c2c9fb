"""Has a build passed on a target? Only where a remembered run of it, or of its commit, says so."""

import pytest
from msgspec.structs import replace

from controller.views.build import BuildOnTarget, BuildView
from controller.views.deployment import DeploymentView
from controller.views.meaning import Meaning, matches, nearest, version_of
from controller.views.parts import moment
from controller.views.qualification import Ground, qualification, verdict_on
from controller.views.run import RunView

TARGET, NOON = "fuji-full-sync", 1_795_435_200
MEANT, SIBLING, OTHER = (f"sha256:{letter * 64}" for letter in "abc")
MEANS = Meaning(word="v1.14.1", how="so", builds=(MEANT,), siblings=(SIBLING,), commit="a" * 40)


def run(number: int, phase: str, build: str = MEANT) -> RunView:
    """They end in the order of their numbers."""
    return RunView(
        target=TARGET, run=f"2026112{number}t060000z-aaaaaaaa", deployment="bootstrap/fuji",
        build=build, phase=phase, reason="Because", ended=moment(NOON + number),
    )  # fmt: skip


def state(*runs: RunView, unreadable: str = "", live: bool = False) -> tuple[str, str]:
    open_ones = [each for each in runs if each.open] if live else []
    on = DeploymentView(deployment="bootstrap/fuji", run=open_ones[0] if open_ones else None)
    ground = Ground(target=TARGET, runs=runs, deployments=(on,), unreadable=unreadable)
    found = verdict_on(ground, MEANS)
    return found.state, found.message


PASSED_BY_OTHER = "by another build of the same commit"


@pytest.mark.parametrize(
    ("runs", "expected", "said"),
    [
        ((run(1, "Passed"),), "passed", "passed at"),
        ((run(1, "Failed"),), "failed", "(Because)"),
        ((run(1, "Aborted"),), "not tested", "was aborted (Because)"),
        ((run(1, "Passed"), run(2, "Aborted")), "passed", "passed at"),
        ((run(1, "Passed"), run(2, "Failed")), "failed", "before, run 20261121t060000z-aaaaaaaa"),
        ((run(1, "Failed"), run(2, "Passed")), "passed", "before, run 20261121t060000z-aaaaaaaa"),
        ((run(1, "Passed", SIBLING),), "passed", PASSED_BY_OTHER),
        ((run(1, "Failed"), run(2, "Passed", SIBLING)), "failed", "after it, run"),
        ((run(1, "Passed"), run(2, "Failed", SIBLING)), "failed", PASSED_BY_OTHER),
        ((run(1, "Failed", SIBLING), run(2, "Passed")), "passed", "before, run"),
        ((run(1, "Passed", OTHER),), "not tested", "nobody knows"),
        ((run(1, "Soaking"),), "not tested", "nobody knows how it ended"),
        ((run(1, ""),), "not tested", "nobody knows how it ended"),
        ((), "not tested", "bootstrap/fuji"),
    ],
)
def test_only_the_newest_verdict_of_the_build_counts(
    runs: tuple[RunView, ...], expected: str, said: str
) -> None:
    """Is it passed only where the newest verdict is a pass, and is what speaks against it told?"""
    found, message = state(*runs)
    assert found == expected
    assert said in message


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ((run(2, "Soaking"),), "open"),
        ((run(2, "Soaking"), run(1, "Failed")), "open"),
        ((run(2, "Soaking"), run(1, "Passed")), "passed"),
        ((run(2, "Soaking"), run(1, "Aborted")), "open"),
    ],
)
def test_a_run_that_is_open(runs: tuple[RunView, ...], expected: str) -> None:
    """Is a run open where a record says so, and a verdict before it told beside?"""
    assert state(*runs, live=True)[0] == expected


def test_a_record_that_cannot_be_read_is_no_pass() -> None:
    """Is a target unknown whose record may hold a newer failure, though the store has a pass?"""
    assert state(run(1, "Passed"), unreadable="it does not parse") == (
        "unknown",
        "it does not parse",
    )


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "not tested"), "not tested"),
        (("passed", "open"), "open"),
        (("open", "failed"), "failed"),
        (("passed", "unknown"), "unknown"),
        ((), "not tested"),
    ],
)
def test_everywhere_means_on_each(states: tuple[str, ...], verdict: str) -> None:
    """Has it passed only where it passed on all, and on one at least?"""
    one = verdict_on(Ground(target=TARGET, runs=()), MEANS)
    assert qualification(MEANS, [replace(one, state=each) for each in states]).verdict == verdict


BUILDS = (
    BuildView(build=MEANT, version="avalanchego/1.14.1", commit="a1b2c3d4" * 5, indexes=(OTHER,)),
    BuildView(build=SIBLING, version="avalanchego/1.14.1", commit="a1b2c3d4"),
    BuildView(
        build="sha256:" + "d" * 64,
        version="avalanchego/1.14.0",
        targets=(BuildOnTarget(target=TARGET, state="passed"),),
    ),
)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        (MEANT, [1]),
        (OTHER, [1]),
        ("sha256:aaaaaaaaaaaa", [1]),
        ("aaaaaaa", [1]),
        ("1.14.1", [2]),
        ("v1.14.1", [2]),
        ("avalanchego/1.14.1", [2]),
        ("v1.14", []),
        ("1.14.1-rc.1", []),
        ("a1b2c3d", [2]),
        ("A1B2C3D4", [2]),
        ("a1b2c3", []),
        ("master", []),
    ],
)
def test_what_a_word_means(word: str, found: list[int]) -> None:
    """How many builds does the word mean, by commit?"""
    assert [len(each.builds) for each in matches(word, BUILDS)] == found


def test_a_version_of_two_commits_is_not_one_build() -> None:
    """Are builds of two commits that call themselves alike told apart?"""
    other = BuildView(build=OTHER, version="avalanchego/1.14.1", commit="ffffffff")
    assert len(matches("v1.14.1", (*BUILDS, other))) == 2


def test_the_nearest_names() -> None:
    """Is a version offered that is like the one that was asked for?"""
    assert nearest("v1.14.2", BUILDS)[0] == "v1.14.1"
    assert version_of("avalanchego/1.14.1-rc.1") == "1.14.1-rc.1"
