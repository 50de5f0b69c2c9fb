"""How the runs of all targets stand, as gauges: from the records alone, the same for every
controller.
"""

import msgspec
import pytest

from controller.base import metric_table as table
from controller.base.metric_table import Family
from controller.domain.pace.progress import Progress, Stage
from controller.domain.record.parts import Seen as SeenOfPods
from controller.domain.record.parts import ToldCondition
from controller.domain.record.record import OpenRun, Outcome, Record
from controller.domain.run import Phase
from controller.process.levels import Levels, Seen, TargetLevels, levels_of

TARGET = "fuji-full-sync"
A, B = (f"sha256:{letter * 64}" for letter in "ab")
NOW = 1_795_500_000
RUN = OpenRun(
    id="20261124t060000z-aaaaaaaa",
    build=B,
    image="i",
    target=TARGET,
    network="fuji",
    mode="full-sync",
    config="c",
    phase=Phase.BOOTSTRAPPING,
    reason="NodeStarted",
    decided=NOW - 5000,
    since=NOW - 4000,
    seen=SeenOfPods(crashes=3),
    conditions=(ToldCondition(type="NotMoving", since=NOW - 60),),
)


def outcome(phase: Phase, reason: str, at: int, took: int = 3600) -> Outcome:
    day = at - NOW + 100_000
    return Outcome(
        run=f"20261101t{day:06d}z-aaaaaaaa", build=A, target=TARGET, phase=phase, reason=reason,
        at=at, began=at - took, took=took - 600.0,
    )  # fmt: skip


def record(run: OpenRun | None, *outcomes: Outcome, name: str = "fuji") -> Record:
    return Record(
        schema=1, namespace="b", name=name, uid="u", run=run, outcomes=outcomes,
        tested={TARGET: (A, B)},
    )  # fmt: skip


def of(family: Family, *records: Record, **seen: Seen) -> dict[tuple[str, ...], float]:
    by_key = {f"b/{name}": each for name, each in seen.items()}
    return levels_of(TARGET, records, by_key, NOW)[family]


def test_an_open_run_is_in_its_phase_and_in_no_other() -> None:
    """Are all three phases of an open run told, as zeros where no run is?"""
    assert of(table.OPEN_RUNS, record(RUN)) == {
        (TARGET, "Starting"): 0,
        (TARGET, "Bootstrapping"): 1,
        (TARGET, "Soaking"): 0,
    }
    assert set(of(table.OPEN_RUNS, record(None)).values()) == {0}


def test_two_runs_of_one_target_show_how_many_and_the_longest() -> None:
    """Do several Deployments on one target end in one series?"""
    later = msgspec.structs.replace(RUN, since=NOW - 10)
    both = (record(RUN), record(later, name="other"))
    assert of(table.OPEN_RUNS, *both)[TARGET, "Bootstrapping"] == 2
    assert of(table.PHASE_SECONDS, *both) == {(TARGET, "Bootstrapping"): 4000}
    assert of(table.CONDITIONS, *both) == {(TARGET, "NotMoving"): 2}
    assert of(table.CRASHES, *both) == {(TARGET,): 3}


def test_stages_are_counted_and_a_chain_of_ones_own_is_no_label() -> None:
    """Is progress told of the primary network's chains only, whose names are few?"""
    stages = {"C/executed": Stage(1234.0, 60.0), "2oYMBNV4eNHyqk/executed": Stage(5.0, 1.0)}
    seen = Seen(Progress(stages=stages), observed=60.0)
    assert of(table.STAGE_DONE, record(RUN), fuji=seen) == {(TARGET, "C", "executed"): 1234}


def test_no_share_is_told_where_nobody_knows_the_whole() -> None:
    """Is there no ratio, rather than a guess, without an earlier run?"""
    seen = Seen(Progress(stages={"C/executed": Stage(1234.0, 60.0)}), observed=60.0)
    assert of(table.PROGRESS, record(RUN), fuji=seen) == {}
    assert of(table.LEFT, record(RUN), fuji=seen) == {}


@pytest.mark.parametrize(
    ("reason", "side"),
    [("BadBlock", "client"), ("OutOfMemory", "infrastructure"), ("BadConfig", "configuration")],
)
def test_a_failure_is_a_level_of_its_class(reason: str, side: str) -> None:
    """Does a failure stand until the next verdict, under its own class only?"""
    failed = outcome(Phase.FAILED, reason, NOW - 900)
    found = of(table.LAST_FAILED, record(RUN, failed))
    assert len(found) == 5
    assert [labels for labels, value in found.items() if value] == [(TARGET, side)]


def test_a_failure_ends_with_a_pass_and_not_with_an_abort() -> None:
    """Does only a verdict take the failure's place?"""
    failed = outcome(Phase.FAILED, "BadBlock", NOW - 900)
    aborted = outcome(Phase.ABORTED, "AbortRequested", NOW - 800)
    passed = outcome(Phase.PASSED, "Soaked", NOW - 700)
    assert of(table.LAST_FAILED, record(None, failed, aborted))[TARGET, "client"] == 1
    assert not any(of(table.LAST_FAILED, record(None, failed, aborted, passed)).values())


def test_how_long_runs_took_is_told_of_the_last_and_of_the_usual() -> None:
    """Is one slow run no new usual time?"""
    passes = [outcome(Phase.PASSED, "Soaked", NOW - 9000 * (4 - i), 3600) for i in range(3)]
    slow = outcome(Phase.PASSED, "Soaked", NOW - 100, 8000)
    told = record(None, *passes, slow)
    assert of(table.USUAL, told) == {(TARGET,): 3600}
    assert of(table.LAST_SECONDS, told) == {(TARGET, "Passed"): 8000}
    assert of(table.LAST_BOOTSTRAP, told) == {(TARGET,): 7400}
    assert of(table.LAST_END, told) == {(TARGET,): NOW - 100}


def test_what_is_unfinished_begins_with_the_run_or_with_the_last_end() -> None:
    """Is a target at rest not late, and one where another run has just ended neither?"""
    assert of(table.UNFINISHED, record(None)) == {(TARGET,): 0}
    assert of(table.UNFINISHED, record(RUN)) == {(TARGET,): 5000}
    ended = record(None, outcome(Phase.PASSED, "Soaked", NOW - 70), name="other")
    assert of(table.UNFINISHED, record(RUN), ended) == {(TARGET,): 70}


class Shown:
    """What was shown, a target after the other."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Levels]] = []
        self.levels = TargetLevels(lambda target, found: self.told.append((target, found)))

    def after(self, *records: Record, at: float = NOW) -> list[str]:
        """The targets that are shown anew by one beat."""
        self.told.clear()
        for _ in self.levels.update(records, {}, at):
            pass
        return [target for target, _ in self.told]


def test_a_target_at_rest_is_shown_once() -> None:
    """Does a beat look at nothing where no record has changed and no run is open?"""
    shown, resting = Shown(), record(None, outcome(Phase.PASSED, "Soaked", NOW - 700))
    assert shown.after(resting) == [TARGET]
    assert shown.after(resting, at=NOW + 15) == []
    changed = msgspec.structs.replace(resting, seq=resting.seq + 1)
    assert shown.after(changed, at=NOW + 30) == [TARGET]
    assert shown.after(changed, record(None, name="other")) == [TARGET]


def test_an_open_run_grows_older_with_each_beat() -> None:
    """Are the seconds of a run told anew though its record stands?"""
    shown, running = Shown(), record(RUN)
    shown.after(running)
    assert shown.after(running, at=NOW + 15) == [TARGET]
    assert shown.told[0][1][table.PHASE_SECONDS] == {(TARGET, "Bootstrapping"): 4015}


def test_a_target_that_nobody_tells_of_is_shown_no_more() -> None:
    """Is nothing left of a target whose last record is gone?"""
    shown = Shown()
    shown.after(record(None))
    shown.after()
    assert shown.told == [(TARGET, {})]
