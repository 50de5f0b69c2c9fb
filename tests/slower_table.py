"""How well the rule for slow runs does on made-up runs whose truth is known.

`python -m tests.slower_table > docs/slower.md` writes the page that a test compares with this.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from controller.domain.pace.comparison import PastRun, SlowerRule, compare

NOISES = (0.01, 0.02, 0.05, 0.10)
STEPS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.50)
ALARM_SEEDS = 1000
MISS_SEEDS = 300
USUAL = 20 * 3600.0  # seconds; the rule knows only ratios
RULE = SlowerRule()


@dataclass(frozen=True)
class World:
    """What runs are like. runs: how many there were. noise: sigma of their lognormal noise.
    outliers: share of them that took 1.3 to 2.5 times as long; own: how likely the new one is such
    an outlier. growth: by which each takes longer than the one before, as a network grows.
    """

    runs: int
    noise: float = 0.0
    outliers: float = 0.0
    own: float = 0.0
    growth: float = 0.0


ALARM_COLUMNS = {
    "8 earlier runs": World(8),
    "20": World(20),
    "8, outliers": World(8, outliers=0.05),
    "20, outliers": World(20, outliers=0.05),
    "20, growing": World(20, growth=0.005),
    "20, itself an outlier at times": World(20, outliers=0.05, own=0.05),
}
MISS_TABLES = {
    "8 earlier runs": World(8),
    "20 earlier runs": World(20),
    "20 earlier runs, outliers": World(20, outliers=0.05),
}
RULES = ((3.0, 0.10), (4.0, 0.10), (5.0, 0.10), (4.0, 0.05), (4.0, 0.20))


def called_slow(
    world: World, steps: Sequence[float], seeds: int, rule: SlowerRule = RULE
) -> list[float]:
    """For each step, in what share of the seeds a run that takes longer by it is called slow."""
    slow = [0] * len(steps)
    for seed in range(seeds):
        random = Random(f"{world} {seed}")  # of numbers that are near, the first draws are alike
        earlier = list(_earlier(world, random))
        seconds = _seconds(world, random, world.own, world.runs)
        for index, step in enumerate(steps):
            slow[index] += compare(
                PastRun("this", seconds=seconds * (1 + step)), earlier, rule
            ).slower
    return [count / seeds for count in slow]


def _earlier(world: World, random: Random) -> Iterator[PastRun]:
    for number in range(world.runs):
        seconds = _seconds(world, random, world.outliers, number)
        yield PastRun(f"run {number}", at=number, seconds=seconds)


def _seconds(world: World, random: Random, outliers: float, number: int) -> float:
    seconds = USUAL * random.lognormvariate(0.0, world.noise) * (1 + world.growth) ** number
    return seconds * random.uniform(1.3, 2.5) if random.random() < outliers else seconds


@cache
def alarms(column: str, noise: float) -> float:
    """The share of runs without a step that are called slow."""
    return called_slow(replace(ALARM_COLUMNS[column], noise=noise), (0.0,), ALARM_SEEDS)[0]


@cache
def misses(table: str, noise: float) -> dict[float, float]:
    """The share of runs with a step that are not called slow, by step."""
    found = called_slow(replace(MISS_TABLES[table], noise=noise), STEPS, MISS_SEEDS)
    return {step: 1 - share for step, share in zip(STEPS, found, strict=True)}


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return _row(head) + "|---" * len(head) + "|\n" + "".join(_row(cells) for cells in rows)


def _alarms_table() -> str:
    rows = [
        [percent(noise, 0), *(percent(alarms(column, noise)) for column in ALARM_COLUMNS)]
        for noise in NOISES
    ]
    return _table(["noise", *ALARM_COLUMNS], rows)


def _misses_table(table: str) -> str:
    rows = [
        [percent(noise, 0), *(percent(share) for share in misses(table, noise).values())]
        for noise in NOISES
    ]
    head = ["noise", *(f"+{percent(step, 0)}" for step in STEPS)]
    return f"With {table}:\n\n{_table(head, rows)}"


def _rules_table() -> str:
    """What other figures in the rule would do."""
    few, quiet, usual = World(8, 0.10), World(8, 0.02), World(20, 0.05)
    rows = []
    for spreads, share in RULES:
        rule = SlowerRule(spreads=spreads, share=share)
        alarm_few = called_slow(few, (0.0,), MISS_SEEDS, rule)[0]
        alarm_quiet, *found = called_slow(quiet, (0.0, 0.15), MISS_SEEDS, rule)
        found += called_slow(usual, (0.20,), MISS_SEEDS, rule)
        cells = [alarm_few, alarm_quiet, *(1 - share for share in found)]
        rows.append([f"{spreads:g}", percent(share, 0), *map(percent, cells)])
    head = ("spreads", "share", "false alarms: 8 runs, noise 10 %", "8 runs, 2 %")
    return _table((*head, "misses of +15 %: 8 runs, 2 %", "of +20 %: 20 runs, 5 %"), rows)


PAGE = """\
# When a run is called slow

A run that passes is set beside the newest {rule.most} passed runs of its target that ran on the
same type of machine and whose data was never resumed in another pod. What is compared is observed
time, from the node's first start until it had bootstrapped. From {rule.least} such runs on, it is
called slow if it took longer than their median by more than both

* {rule.spreads:g} x 1.4826 x their median absolute deviation (that many standard deviations), and
* {share} of the median.

A slow run has passed all the same. With fewer runs like it, or if its own data was resumed, nothing
is called slow, and the sentence beside the result says why.

This page is written by `python -m tests.slower_table`, and a test compares the two. The runs are
made up: lognormal noise of the given sigma; "outliers": one earlier run in twenty took 1.3 to 2.5
times as long; "growing": each run takes 0.5 % longer than the one before, as a network grows.
Figures are of {alarm_seeds} seeds for false alarms and {miss_seeds} for all else: one of 2 % may
be off by one percent, one of 50 % by six.

## False alarms

How many runs that are no slower than their like are called slow. In the last column one run in
twenty is an outlier itself: the rule says that a run was slow, not that its build is.

{alarms}
## Misses

How many runs that are slower by a step are not called slow.

{misses}
A step of less than {share} is not meant to be found. With 20 earlier runs, one of 20 % is missed in
{missed_quiet} of cases where runs differ by 2 %, and in {missed_loud} where they differ by 10 %:
there, a single run shows steps of a half at best. A step that stays is called slow until half of
the runs that count have it.

## Why these figures

With fewer spreads than {rule.spreads:g} there are more false alarms where runs differ much, with
more of them steps are missed. With a share below {share} there are more false alarms on quiet
machines, with one above it their steps are missed.

{rules}"""


def page() -> str:
    """docs/slower.md."""
    return PAGE.format(
        rule=RULE,
        share=percent(RULE.share, 0),
        alarm_seeds=ALARM_SEEDS,
        miss_seeds=MISS_SEEDS,
        alarms=_alarms_table(),
        misses="\n".join(map(_misses_table, MISS_TABLES)),
        missed_quiet=percent(misses("20 earlier runs", 0.02)[0.20]),
        missed_loud=percent(misses("20 earlier runs", 0.10)[0.20]),
        rules=_rules_table(),
    )


if __name__ == "__main__":
    sys.stdout.write(page())
