"""Comparison: which runs are alike, and when one of them was slow."""

import math
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from controller.domain.pace.comparison import PastRun, SlowerRule, compare
from controller.domain.pace.progress import Stage
from tests.slower_table import ALARM_COLUMNS, MISS_TABLES, NOISES, alarms, misses, page

HOUR = 3600.0
THIS = PastRun("r9", at=1000, seconds=20 * HOUR, node_type="m7")
# The median absolute deviation of these is half an hour: four spreads are close to three hours.
NINE = tuple(
    PastRun(f"r{n}", at=n, seconds=hours * HOUR, node_type="m7")
    for n, hours in enumerate((19, 19.5, 19.5, 20, 20, 20, 20.5, 20.5, 21))
)


def took(hours: float, **fields: Any) -> PastRun:
    return replace(THIS, seconds=hours * HOUR, **fields)


def with_stages(past: PastRun, **hours: float) -> PastRun:
    stages = {key.replace("_", "/"): Stage(1, spent * HOUR) for key, spent in hours.items()}
    return replace(past, stages=stages)


def test_a_run_like_the_others_is_not_slow() -> None:
    """Is a run that took as long as its like said to be so, with what it is compared with?"""
    found = compare(THIS, NINE)
    assert not found.slower
    assert found.sentence == "as fast as the median of 9 runs like it (20h)"


def test_a_run_beyond_the_noise_of_its_like_is_slow() -> None:
    """Is the limit four spreads above the median?"""
    assert not compare(took(22.9), NINE).slower
    found = compare(took(23), NINE)
    assert found.slower
    assert found.sentence == "15% slower than the median of 9 runs like it (20h)"


def test_runs_that_hardly_differ_need_a_tenth() -> None:
    """Is a small step on very quiet machines no alarm?"""
    quiet = [replace(past, seconds=20 * HOUR) for past in NINE]
    assert not compare(took(21.9), quiet).slower
    assert compare(took(22.1), quiet).slower


def test_a_longer_run_within_the_noise_says_so() -> None:
    """Does a run that took longer and is not slow not read like an alarm?"""
    found = compare(took(21), NINE)
    assert found.sentence == (
        "5% slower than the median of 9 runs like it (20h), within what such runs differ by"
    )


def test_a_faster_run_says_so() -> None:
    """Is good news said, and no stage blamed?"""
    earlier = [with_stages(past, C_executed=5) for past in NINE]
    found = compare(with_stages(took(10), C_executed=9), earlier)
    assert not found.slower
    assert found.sentence == "50% faster than the median of 9 runs like it (20h)"


def test_below_eight_comparable_runs_nothing_is_slow() -> None:
    """Are eight runs needed, and is it said how many there are?"""
    slow = took(200)
    assert compare(slow, NINE[:8]).slower
    found = compare(slow, NINE[:7])
    assert not found.slower
    assert found.sentence == (
        "not compared: 7 of the 8 earlier passes that it takes (m7, never resumed)"
    )
    unknown = compare(replace(slow, node_type=""), NINE)
    assert (
        "0 of the 8 earlier passes that it takes (machines of unknown type, never resumed)"
        in unknown.sentence
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"node_type": "m5"},
        {"node_type": ""},
        {"resumes": 1},
        {"seconds": 0.0},
        {"seconds": math.inf},
        {"run": "r9"},
    ],
)
def test_what_is_not_alike_is_left_out(fields: dict[str, Any]) -> None:
    """Are other machines, resumed runs, runs of unknown length and the run itself not counted?"""
    found = compare(took(30), [replace(past, **fields) for past in NINE])
    assert not found.slower
    assert "0 of the 8 earlier passes" in found.sentence


def test_a_run_that_nobody_watched_for_long_is_not_compared() -> None:
    """Is what was observed of a bootstrap not taken for how long it took?"""
    half = replace(took(30), unobserved=15 * 3600.0)
    assert "15h of its bootstrap was not observed" in compare(half, NINE).sentence
    unwatched = [replace(past, unobserved=1e5) for past in NINE]
    assert "0 of the 8 earlier passes" in compare(took(30), unwatched).sentence


def test_unknown_machines_are_compared_among_themselves() -> None:
    """Does a cluster that does not tell machine types still compare its runs?"""
    unknown = [replace(past, node_type="") for past in NINE]
    assert compare(took(30, node_type=""), unknown).slower
    assert "0 of the 8 earlier passes" in compare(took(30), unknown).sentence


@pytest.mark.parametrize(("resumes", "times"), [(1, "once"), (3, "3 times")])
def test_a_resumed_run_is_not_compared(resumes: int, times: str) -> None:
    """Is a run that went on in another pod never slow, and is the reason said?"""
    found = compare(took(200, resumes=resumes), NINE)
    assert not found.slower
    assert found.sentence == f"not compared: its data was resumed in another pod {times}"


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_a_run_that_was_not_observed_is_not_compared(seconds: float) -> None:
    """Is a length that nobody measured no length?"""
    found = compare(replace(THIS, seconds=seconds), NINE)
    assert found.sentence == "not compared: its bootstrap was not observed"


def test_the_newest_twenty_count_in_whatever_order_they_come() -> None:
    """Is what a network was like years ago forgotten?"""
    old = [PastRun(f"o{n}", at=n, seconds=HOUR, node_type="m7") for n in range(40)]
    new = [PastRun(f"n{n}", at=100 + n, seconds=20 * HOUR, node_type="m7") for n in range(20)]
    mixed = old + new
    Random(1).shuffle(mixed)
    found = compare(THIS, mixed)
    assert found.sentence == "as fast as the median of 20 runs like it (20h)"


def test_the_rule_can_be_another() -> None:
    """Are the figures of the rule what is decided by?"""
    rule = SlowerRule(least=2, most=3, spreads=0.0, share=0.02)
    found = compare(took(20.5), NINE[:6], rule)
    assert found.slower
    assert "the median of 3 runs like it" in found.sentence


def test_a_slow_run_names_the_stage_that_lost_most() -> None:
    """Do people read where the time went, of stages that the others have too?"""
    earlier = [with_stages(past, P_executed=2, C_executed=22) for past in NINE]
    earlier[0] = with_stages(earlier[0], C_new=1)
    slow = with_stages(took(35), P_executed=4, C_executed=31, C_new=500)
    found = compare(slow, earlier)
    assert found.sentence.endswith("; C executed took 1d7h against 22h")


def test_a_stage_that_goes_on_after_a_bootstrap_is_not_named() -> None:
    """Is time in which SAE executed new blocks not taken for time of the bootstrap?"""
    keys = {"C_executed": 22, "C_sae-executed": 23}
    earlier = [with_stages(past, **keys) for past in NINE]
    slow = with_stages(took(35), **{"C_executed": 31, "C_sae-executed": 500})
    assert compare(slow, earlier).sentence.endswith("; C executed took 1d7h against 22h")


def test_a_slow_run_of_which_no_stage_lost_time_names_none() -> None:
    """Is nothing blamed where the time went between the stages?"""
    earlier = [with_stages(past, P_executed=2) for past in NINE]
    found = compare(with_stages(took(35), P_executed=2), earlier)
    assert found.slower
    assert found.sentence == "75% slower than the median of 9 runs like it (20h)"


def test_sentences_are_fit_to_be_shown() -> None:
    """Is what a machine or a metric calls itself cut and cleaned?"""
    found = compare(took(30, node_type="m7\x1b[31m" + "x" * 500), NINE)
    assert len(found.sentence) < 150
    assert found.sentence.isprintable()


@pytest.mark.parametrize("column", ALARM_COLUMNS)
def test_false_alarms_are_rare(column: str) -> None:
    """Are at most 3 % of runs without a step called slow, whatever the noise, and 1 % of those with
    twenty runs like them? (Of runs that are outliers themselves in one case of twenty, 7 %.)
    """
    most = max(alarms(column, noise) for noise in NOISES)
    limit = 0.01 if column in ("20", "20, outliers") else 0.03
    assert most <= (0.07 if ALARM_COLUMNS[column].own else limit)


@pytest.mark.parametrize("table", MISS_TABLES)
def test_steps_that_stand_out_are_found(table: str) -> None:
    """Are steps of 20 % found on quiet machines (noise to 2 %) in 99 cases of 100, of 30 % at 5 %
    in 80, and of 50 % at 10 % in 60?
    """
    assert max(misses(table, 0.01)[0.20], misses(table, 0.02)[0.20]) <= 0.01
    assert misses(table, 0.05)[0.30] <= 0.2
    assert misses(table, 0.10)[0.50] <= 0.4


def test_the_page_says_what_was_measured() -> None:
    """Is docs/slower.md what `python -m tests.slower_table` prints now?"""
    written = Path(__file__).parents[2] / "docs" / "slower.md"
    assert written.read_text(encoding="utf-8") == page()
