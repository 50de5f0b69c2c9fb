"""The benchmark's frame: goals, table and README. No figure is judged here."""

import importlib

import pytest

from tests.bench.__main__ import ROWS
from tests.bench.figure import Figure, Report, Row, at_least, at_most, decode, encode, of_rounds
from tests.bench.readme import FIGURES, README, with_table
from tests.bench.recorded_events import recorded_events, rounds
from tests.bench.table import number, text_of

FIGURE = of_rounds(
    "a reconcile", [0.3, 0.1, 0.2], "ms", at_most(0.25, "by decree"), {"another": 4.0}, "in words"
)
REPORT = Report({"cores": "2"}, quick=False, rows=(Row("reconcile", (FIGURE,), 1.0),))


def test_the_median_of_the_rounds_counts() -> None:
    """Is one round that was disturbed of no weight?"""
    assert FIGURE.value == 0.2


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (at_most(2.0), 2.0, True),
        (at_most(2.0), 2.1, False),
        (at_least(2.0), 2.0, True),
        (at_least(2.0), 1.9, False),
        (None, 1.0, None),
    ],
)
def test_goal(goal: object, value: float, met: object) -> None:
    """Is a goal reached on its side, its edge included, and nothing where there is none?"""
    assert Figure("x", value, "", goal).met is met  # type: ignore[arg-type]


def test_a_report_comes_back_from_its_json() -> None:
    """Can the JSON be read again as what was written?"""
    assert decode(encode(REPORT)) == REPORT


def test_the_table_says_what_was_reached_and_beside_what() -> None:
    """Does a line hold figure, goal, verdict and peers, and a note its reason?"""
    text = text_of(REPORT)
    assert "Measured on: cores 2." in text
    line = "| a reconcile | 0.2 ms | at most 0.25 ms (by decree) | reached | another 4 |"
    assert line in text.splitlines()
    assert text.endswith("- reconcile, a reconcile: in words")


def test_a_row_that_failed_says_why() -> None:
    """Is a row without figures there all the same, with its reason?"""
    failed = Report({}, quick=True, rows=(Row("years", (), 1.0, "failed | twice"),))
    assert "| **years** | | | | failed \\| twice |" in text_of(failed)


def test_a_row_that_measured_nothing_says_what_it_needs() -> None:
    """Does whoever has no redis-server see why two rows are empty?"""
    text = text_of(Report({}, quick=True, rows=(Row("years", (), 1.0),)))
    assert "| **years** | | | | not measured: it needs a redis-server" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (99.94, "99.9"), (100.4, "100"), (51800.0, "51,800")],
)
def test_three_digits_count(value: float, text: str) -> None:
    """Is no figure shown more exactly than it was measured?"""
    assert number(value) == text


@pytest.mark.parametrize("name", ROWS)
def test_each_row_measures(name: str) -> None:
    """Is each row that is named a module that can measure?"""
    assert callable(importlib.import_module(f"tests.bench.rows.{name}").measure)


def test_readme_shows_the_figures_that_were_measured() -> None:
    """Is README's table that of docs/bench.json, whole, and not quick? `python -m
    tests.bench.readme` writes it.
    """
    readme = README.read_text()
    assert with_table(readme, FIGURES.read_bytes()) == readme
    report = decode(FIGURES.read_bytes())
    assert not report.quick
    assert [row.name.replace(" ", "_") for row in report.rows] == list(ROWS)


def test_each_round_has_other_versions_of_the_same_objects() -> None:
    """Would a cache find nothing new in the next round?"""
    first, second = rounds(2)
    assert len(first) == len(second) == len(recorded_events()) == 519
    assert not set(first) & set(second)
