"""A build that cannot read its network's blocks, by the counters of a real one."""

import pytest

from controller.domain.health.network_signs import nothing_fetched, without_network
from controller.domain.pace.progress import Progress, after
from controller.node.metrics_page import read_metrics
from tests.scenes import scene


def progress_of(name: str) -> Progress:
    """After the metrics of all of a scene, and before the end of it."""
    progress = Progress()
    for at, page in sorted(scene(name).metrics.items()):
        read = read_metrics(page.encode())
        progress = after(
            progress,
            counters=read.counters,
            heights=read.heights,
            life="1",
            at=float(at),
            counted=20.0,
        )
    return progress


@pytest.mark.parametrize("mode", ["full-sync", "full-sync-archive", "c-chain-state-sync"])
def test_a_build_that_cannot_parse(mode: str) -> None:
    """Is C that has begun and fetches nothing found out, in each mode that follows it?"""
    assert nothing_fetched(progress_of("cannot-parse"), mode, first_life=True)


@pytest.mark.parametrize(
    ("name", "mode", "first_life"),
    [
        ("full", "full-sync", True),
        ("beacon-stops", "full-sync", True),
        ("state-sync-skipped", "c-chain-state-sync", True),
        # no metrics of C: it has not begun
        ("dead-beacon", "full-sync", True),
        ("cannot-parse", "full-sync", False),
        ("cannot-parse", "p-chain-full-sync-only", True),
    ],
)
def test_what_fetches_or_need_not(name: str, mode: str, first_life: bool) -> None:
    """Is no other node said to fetch nothing, nor one whose data another has filled?"""
    assert not nothing_fetched(progress_of(name), mode, first_life=first_life)


def test_a_log_that_was_not_read_tells_nothing() -> None:
    """Is the sentence the check's own where nobody has read the log yet?"""
    assert without_network(None, 0.0, "no peer", known=False) == (False, "no peer")
