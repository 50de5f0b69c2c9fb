"""How C came to its state, by counters alone: recorded nodes, and what must not be concluded."""

import pytest

from controller.domain.pace.noted_progress import decode_progress, encode_progress
from controller.domain.pace.progress import Progress, Stage, after
from controller.domain.pace.sync_evidence import SyncedBy, synced_by
from controller.node.metrics_page import read_metrics
from tests.scenes import scene

STATE, REPLAY = SyncedBy.STATE, SyncedBy.REPLAY


def recorded(name: str, *, since: int = 0) -> Progress:
    """Of a run of which the pages from that second on were read."""
    progress = Progress()
    for second, page in scene(name).metrics.items():
        if second >= since:
            read = read_metrics(page.encode())
            progress = after(
                progress,
                counters=read.counters,
                heights=read.heights,
                life="one",
                at=float(second),
                counted=10.0,
            )
    return progress


def made(*, height: int = 0, **counts: float) -> Progress:
    """C's, `synced=3` for `C/state-synced`."""
    names = {"synced": "state-synced", "executed": "executed", "fetched": "fetched"}
    stages = {f"C/{names[key]}": Stage(count) for key, count in counts.items()}
    return Progress(stages=stages, heights={"C": height} if height else {})


@pytest.mark.parametrize(
    ("name", "synced"),
    [
        ("state-sync", STATE),
        ("state-sync-skipped", REPLAY),
        ("full", REPLAY),
        ("no-c-config", REPLAY),
        ("sae", REPLAY),
        ("sae-state-sync", REPLAY),
        ("state-sync-stuck", None),  # it has no state yet
        ("hang", None),
        ("bad-block", None),
        ("partial", None),
    ],
)
def test_recorded_runs(name: str, synced: SyncedBy | None) -> None:
    """Is it seen which way each node took, and of one that has not arrived nothing said?"""
    assert synced_by(recorded(name)) == synced


@pytest.mark.parametrize("name", ["sae", "sae-state-sync"])
def test_sae_without_counters_of_a_state_sync(name: str) -> None:
    """Where no page told of a state sync: does a chain that was executed whole say enough?"""
    progress = recorded(name, since=18)

    assert "C/state-synced" not in progress.stages
    assert synced_by(progress) is REPLAY


def test_it_is_known_after_a_restart_of_the_controller() -> None:
    """Does the store keep what it rests on?"""
    for name, synced in (("state-sync", STATE), ("full", REPLAY)):
        assert synced_by(decode_progress(encode_progress(recorded(name))) or Progress()) is synced


@pytest.mark.parametrize(
    "progress",
    [
        Progress(),
        made(executed=9e7),  # no height: how much of the chain that is, nobody knows
        made(height=10**8),
        made(height=10**8, synced=0),
        made(height=10**8, synced=0, executed=4000),  # the counts of an earlier process were lost
        made(height=10**8, executed=4000),
        made(height=10**8, executed=6e7),  # what was synced is not told
        made(height=100, synced=5000, executed=90),  # both
    ],
)
def test_what_may_be_either(progress: Progress) -> None:
    """Is nothing said where a state sync and a replay could both have led here?"""
    assert synced_by(progress) is None


@pytest.mark.parametrize(
    ("progress", "synced"),
    [
        (made(height=10**8, synced=1, executed=4000), STATE),
        (made(height=10**8, synced=1), STATE),
        (made(height=10**8, synced=0, executed=6e7), REPLAY),
        (made(height=10**8, executed=9.5e7), REPLAY),
    ],
)
def test_what_can_be_one_only(progress: Progress, synced: SyncedBy) -> None:
    """Is leaves that came a state sync, and most of a chain executed without them a replay?"""
    assert synced_by(progress) is synced


def test_another_chain_is_asked_by_its_name() -> None:
    """Do C's leaves say nothing of P?"""
    assert synced_by(made(height=10, synced=1), "P") is None
