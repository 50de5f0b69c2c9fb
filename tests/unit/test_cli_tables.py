"""Tables at the widths that people have: what matters is there, nothing is cut that is copied."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

from controller.cli.history_table import table_lines as history_lines
from controller.cli.room import fitting
from controller.cli.status_table import table_lines as status_lines
from controller.views.deployment import DeploymentView, with_message
from controller.views.history import HistoryLine
from controller.views.parts import as_json
from controller.views.run import RunView

NOW = 1_795_500_000.0
A, B = (f"sha256:{letter * 64}" for letter in "ab")
OLD, NEW = "20261122t060000z-aaaaaaaa", "20261123t060000z-bbbbbbbb"


def at(seconds_ago: float) -> datetime:
    return datetime.fromtimestamp(NOW - seconds_ago, UTC)


PASSED = RunView(
    target="mainnet-c-chain-state-sync", run=OLD, deployment="bootstrap/mainnet", build=A,
    version="avalanchego/1.14.0", phase="Passed", reason="Soaked", ended=at(90_000),
)  # fmt: skip
OPEN = RunView(
    target="mainnet-c-chain-state-sync", run=NEW, deployment="bootstrap/mainnet", build=B,
    version="avalanchego/1.14.1", phase="Bootstrapping", reason="NodeStarted",
    observed=10_800.0, left=7_200.0, pace=("C fetched 1200000 (350/s)", "P executed 24000 (12/s)"),
)  # fmt: skip
VIEWS = (
    DeploymentView(
        deployment="bootstrap/fuji", target="fuji-full-sync", tag="latest", phase="Idle",
        reason="UpToDate", since=at(90_000), tested=3, seen=4,
        message="latest is sha256:aaaaaaaaaaaa, tested already: it passed", last=PASSED,
    ),
    DeploymentView(
        deployment="bootstrap/mainnet", target="mainnet-c-chain-state-sync", tag="latest",
        phase="Bootstrapping", reason="NodeStarted", since=at(10_800), wrong=("NotMoving",),
        queued="v1.14.2-rc.0", message=f"run {NEW} is bootstrapping sha256:bbbbbbbbbbbb", run=OPEN,
        last=PASSED, tested=3, seen=4,
    ),
)  # fmt: skip
LINES = (
    HistoryLine(
        id="t2", at=NOW, deployment="bootstrap/mainnet", target="mainnet-c-chain-state-sync",
        run=NEW, build=B, before="Bootstrapping", phase="Failed", reason="BadBlock",
        message="C cannot verify block 5000: invalid merkle root",
    ),
    HistoryLine(
        id="t1", at=NOW - 90_000, deployment="bootstrap/mainnet",
        target="mainnet-c-chain-state-sync", run=OLD, build=A, before="Soaking", phase="Passed",
        reason="Soaked", message="bootstrapped in 3h and healthy for 12h after that",
    ),
)  # fmt: skip


WIDTHS = [60, 80, 120, 200]
FOLDER = Path(__file__).parents[1] / "cli_tables"  # each table as it is to look


def text(lines: list[Text]) -> str:
    return "".join(line.plain.rstrip() + "\n" for line in lines)


def status(width: int | None, *, wide: bool = False) -> str:
    return text(status_lines(VIEWS, NOW, width, wide=wide))


def history(width: int | None) -> str:
    return text(history_lines(LINES, width))


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_status_looks_so(width: int | None) -> None:
    """Is the table of `status` as it is to be, at each width and in a pipe?"""
    assert status(width) == (FOLDER / f"status-{width or 'pipe'}.txt").read_text()


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_history_looks_so(width: int | None) -> None:
    """Is the table of `history` as it is to be, at each width and in a pipe?"""
    assert history(width) == (FOLDER / f"history-{width or 'pipe'}.txt").read_text()


def test_status_as_json() -> None:
    """Are the views' fields there with their types, times as RFC 3339?"""
    assert as_json(VIEWS).decode() + "\n" == (FOLDER / "status.json").read_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_fits(width: int) -> None:
    """Is no line longer than the terminal is wide?"""
    for line in (status(width) + history(width)).splitlines():
        assert cell_len(line) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_copied_stays_whole(width: int) -> None:
    """Are names, phases, versions and targets never cut?"""
    shown = status(width)
    for word in ("fuji", "mainnet", "Bootstrapping", "1.14.0", "1.14.1", "NotMoving", "Passed"):
        assert word in shown, word
    assert "mainnet-c-chain-state-sync" in history(width)


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_an_older_outcome_is_named_as_such(width: int | None) -> None:
    """Is the outcome of a build that is tested no more never shown as if it were of this one?"""
    row = next(line for line in status(width).splitlines() if "Bootstrapping" in line)
    assert row.count("Passed") == row.count("1.14.0: Passed")


def test_wide_has_each_run() -> None:
    """Does `-o wide` tell each run's id?"""
    assert OLD in status(None, wide=True).splitlines()[1]
    assert OLD not in status(None).splitlines()[1]


def test_unknown_text_cannot_steer_a_terminal() -> None:
    """Is what a cluster says fit to be shown?"""
    evil = DeploymentView(deployment="bootstrap/x", phase="Idle", message="\x1b[31mred\u202e")
    assert "\x1b" not in text(status_lines([evil], NOW, 80, wide=False))


@pytest.mark.parametrize("height", [3, 4, 5, 8])
def test_a_picture_is_as_high_as_the_screen(height: int) -> None:
    """Are sentences shortened until all rows fit, and marked where they were cut?"""
    long = [with_message(view, "word " * 100) for view in VIEWS]
    lines = text(status_lines(fitting(long, 80, height - 1), NOW, 80, wide=False)).splitlines()
    assert len(lines) <= height
    assert sum(line.startswith(("fuji", "mainnet")) for line in lines) == 2
    assert sum(line.endswith("…") for line in lines) == (2 if height > 4 else 0)
