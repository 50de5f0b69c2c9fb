"""How the runs of a target stand, as series of gauges: from the records, so that a controller that
has just started says what the one before it said.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from statistics import median

from controller.base import metric_table as table
from controller.base.metric_table import Family
from controller.domain.failure_class import FailureClass, class_of
from controller.domain.pace.comparison import PastRun
from controller.domain.pace.estimate import time_left
from controller.domain.pace.progress import Progress
from controller.domain.pace.stages import CHAINS, STAGES
from controller.domain.record.index import targets_of
from controller.domain.record.record import OpenRun, Outcome, Record
from controller.domain.run import OPEN, Phase


@dataclass(frozen=True)
class Seen:
    """What is known of an open run beside its record."""

    progress: Progress
    observed: float  # seconds since the node first started
    earlier: Sequence[PastRun] = ()  # passed runs of its target


Levels = dict[Family, dict[tuple[str, ...], float]]


class TargetLevels:
    """Those of all targets, each looked at while it has an open run, and where a record of it has
    changed: of a thousand at rest none is, at a beat (--only idle).
    """

    def __init__(self, show: Callable[[str, Levels], None]) -> None:
        """show: is given a target and all that is to be shown of it, nothing where it is gone."""
        self._show = show
        self._told: dict[str, list[Record]] = {}  # target to the records that it was told from

    def update(
        self, records: Iterable[Record], seen: Mapping[str, Seen], now: float
    ) -> Iterator[None]:
        """Comes back after each target that was shown, so that others have the loop. seen: by key
        of the record; now: seconds since 1970.
        """
        told: defaultdict[str, list[Record]] = defaultdict(list)
        running = set[str]()
        for record in records:
            if record.run is not None:
                running.add(record.run.target)
            for target in targets_of(record):
                told[target].append(record)
        for target, those in told.items():
            before = self._told.get(target, [])
            same = len(before) == len(those) and all(map(is_, before, those))
            if target in running or not same:
                self._told[target] = those
                self._show(target, levels_of(target, those, seen, now))
                yield
        for target in self._told.keys() - told.keys():
            del self._told[target]
            self._show(target, {})
            yield


def levels_of(
    target: str, records: Iterable[Record], seen: Mapping[str, Seen], now: float
) -> Levels:
    """Of one target. records: at least those that tell of it, in the order in which those are told
    that ended in one second. seen, now: as for `TargetLevels.update`.
    """
    found: Levels = {family: {} for family in table.OF_TARGETS}
    runs = [
        (record.run, seen.get(record.key))
        for record in records
        if record.run is not None and record.run.target == target
    ]
    outcomes = [each for record in records for each in record.outcomes if each.target == target]
    ended = sorted(outcomes, key=lambda each: each.at)
    _of_open(found, target, runs, now)
    _of_ended(found, target, ended)
    _unfinished(found, target, [run for run, _ in runs], ended, now)
    return found


def _of_open(
    found: Levels, target: str, runs: Iterable[tuple[OpenRun, Seen | None]], now: float
) -> None:
    """Of several runs on one target, each gauge shows the greatest, or how many there are."""
    for phase in OPEN:  # zeros too: what is gone would be no answer
        found[table.OPEN_RUNS][target, phase.value] = 0
    for run, seen in runs:
        found[table.OPEN_RUNS][target, run.phase.value] += 1
        _raise(found[table.PHASE_SECONDS], (target, run.phase.value), max(0.0, now - run.since))
        _raise(found[table.CRASHES], (target,), run.seen.crashes)
        for condition in run.conditions:
            series = found[table.CONDITIONS]
            series[target, condition.type] = series.get((target, condition.type), 0) + 1
        if seen is not None:
            _of_progress(found, target, run, seen)


def _of_progress(found: Levels, target: str, run: OpenRun, seen: Seen) -> None:
    for key, stage in seen.progress.stages.items():
        chain, _, name = key.partition("/")
        if chain in CHAINS and name in STAGES:  # others are as many as there are networks
            _raise(found[table.STAGE_DONE], (target, chain, name), stage.count)
    if run.phase is not Phase.BOOTSTRAPPING:
        return
    left = time_left(seen.progress, seen.observed, seen.earlier).seconds
    whole = seen.observed + (left or 0.0)
    if left is not None and whole > 0:
        _raise(found[table.LEFT], (target,), left)
        _raise(found[table.PROGRESS], (target,), seen.observed / whole)


def _of_ended(found: Levels, target: str, ended: Sequence[Outcome]) -> None:
    """ended: the oldest first."""
    if not ended:
        return
    found[table.LAST_END][target,] = ended[-1].at
    for outcome in ended:
        seconds = max(0, outcome.at - outcome.began)
        found[table.LAST_SECONDS][target, outcome.phase.value] = seconds
    passed = [outcome for outcome in ended if outcome.phase is Phase.PASSED]
    if passed:
        found[table.USUAL][target,] = median(max(0, each.at - each.began) for each in passed)
        if passed[-1].took:
            found[table.LAST_BOOTSTRAP][target,] = passed[-1].took
    verdicts = [outcome for outcome in ended if outcome.phase is not Phase.ABORTED]
    if verdicts:
        side = class_of(verdicts[-1].reason) if verdicts[-1].phase is Phase.FAILED else ""
        for each in FailureClass:
            found[table.LAST_FAILED][target, each.value] = each.value == side


def _unfinished(
    found: Levels, target: str, runs: Sequence[OpenRun], ended: Sequence[Outcome], now: float
) -> None:
    began = min((run.decided for run in runs), default=None)
    since = now if began is None else max(began, ended[-1].at if ended else 0)
    found[table.UNFINISHED][target,] = max(0.0, now - since)


def _raise(series: dict[tuple[str, ...], float], labels: tuple[str, ...], value: float) -> None:
    series[labels] = max(value, series.get(labels, 0.0))
