"""Progress of every recorded scene that has metrics, in the words that people read."""

import pytest

from controller.domain.pace.progress import Progress, after
from controller.domain.pace.words import describe_progress
from controller.node.metrics_page import Metrics, read_metrics
from tests.replayed_table import ROWS, Row
from tests.scenes import Scene, scene

SCENES = [row for row in ROWS if scene(row.scene).metrics]


@pytest.mark.parametrize("row", SCENES, ids=lambda row: row.scene)
def test_its_progress_in_words(row: Row) -> None:
    """Do the counters of its last page say what was done, in things and not in requests?"""
    assert describe_progress(_further(Progress(), _pages(scene(row.scene))[-1])) == row.progress


@pytest.mark.parametrize("row", SCENES, ids=lambda row: row.scene)
def test_progress_never_goes_back(row: Row) -> None:
    """From page to page of one process, does what was done only grow, and is what stands told from
    what is not known?
    """
    progress = Progress()
    for number, page in enumerate(_pages(scene(row.scene))):
        before, progress = progress, _further(progress, page, float(number))
        for key, stage in before.stages.items():
            assert progress.stages[key].count >= stage.count
    assert progress.moved is not None or len(_pages(scene(row.scene))) == 1


def _pages(found: Scene) -> list[Metrics]:
    """The first of moved-on is of the process before."""
    pages = [at for at in found.metrics if found.name != "moved-on" or at]
    return [read_metrics(found.metrics[at].encode()) for at in pages]


def _further(before: Progress, page: Metrics, at: float = 0.0) -> Progress:
    return after(
        before, counters=page.counters, heights=page.heights, life="a", at=60 * at, counted=60.0
    )
