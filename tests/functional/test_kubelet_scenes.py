"""Every recorded scene of a real kubelet through the whole controller, time-compressed: what is
told when, in message, status and notices, and the verdict.
"""

from functools import partial
from pathlib import Path

import pytest

from controller.domain.defaults import Rules
from tests.kubelet_table import ROWS, Row
from tests.kubelet_tracks import Recording, recordings
from tests.kubelet_world import Shown, play

pytestmark = pytest.mark.jumping

# Of each Deployment before and after its run.
_BESIDE = ("Idle", "Held")
# Patches of a Deployment beside those of what is told: the record, the pin, the hold.
_PATCHES = 6
_PATCHES_EACH = 3  # what is told; that it was told; what the message says
_LOOKS = 3  # at most that lie between a moment and its being told, beside the patience

_played: dict[str, Shown | AssertionError] = {}


ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.scene)


async def played(row: Row, folder: Path) -> Shown:
    """Once for all questions."""
    if row.scene not in _played:
        once = partial(play, bootstrap=row.bootstrap, act=row.act, within=row.within)
        try:
            found = Recording(row.scene)
            _played[row.scene] = await once(
                found, folder, asked=row.asked, probe_interval=row.every
            )
        except AssertionError as error:
            _played[row.scene] = error
    shown = _played[row.scene]
    if isinstance(shown, AssertionError):
        raise shown
    return shown


def test_every_scene_has_its_row() -> None:
    """Does the table leave out none of the recordings, and name none twice?"""
    assert sorted(row.scene for row in ROWS) == [found.name for found in recordings()]


@ROW
async def test_its_phases(row: Row, tmp_path: Path) -> None:
    """Does the Deployment go through the phases that its pod has shown, and no others?"""
    shown = await played(row, tmp_path)
    assert tuple(phase for phase in shown.phases if phase not in _BESIDE) == row.phases


@ROW
async def test_its_verdict_and_side(row: Row, tmp_path: Path) -> None:
    """Is it put on the right side, by the right reason?"""
    assert (await played(row, tmp_path)).verdict == row.verdict


@ROW
async def test_its_sentence(row: Row, tmp_path: Path) -> None:
    """Does the verdict's sentence name what a person would look for?"""
    shown = await played(row, tmp_path)
    assert shown.outcome is not None
    assert [part for part in row.says if part not in shown.outcome.message] == []


@ROW
async def test_what_is_told(row: Row, tmp_path: Path) -> None:
    """Are people told of the run's beginning and end, of each trouble that it has had as often as
    it came, and of nothing else?
    """
    shown = await played(row, tmp_path)
    beginning = ["NewBuild"] + ["NodeStarted"] * ("Bootstrapping" in row.phases)
    soaking = ["Bootstrapped"] * ("Soaking" in row.phases)
    troubles = [reason for reason, times in row.told.items() for _ in range(times)]
    condition = [row.condition] if row.condition else []
    ended = row.verdict.split()[1]
    assert shown.reasons == [*beginning, *troubles, *condition, *soaking, ended]


@ROW
async def test_when_its_condition_is_told(row: Row, tmp_path: Path) -> None:
    """After ten minutes of observed time, and not before?"""
    shown = await played(row, tmp_path)
    if not row.condition:
        return
    told = next(second for second, reason, _ in shown.told if reason == row.condition)
    looks = _LOOKS * float(row.every[:-1]) * (60.0 if row.every.endswith("m") else 1.0)
    # The last that the recording shows is that it begins, or begins anew.
    patience = Rules().condition_told
    assert shown.began + patience <= told <= shown.over + patience + looks


@ROW
async def test_what_is_said_meanwhile(row: Row, tmp_path: Path) -> None:
    """A while after the last of it, do message, `status` and `explain` say what is wrong?"""
    shown = await played(row, tmp_path)
    lacking = [
        (where, part) for where, text in shown.now.items() for part in row.now if part not in text
    ]
    assert lacking == []


@ROW
async def test_how_often_it_is_written(row: Row, tmp_path: Path) -> None:
    """Is the Deployment written when something has changed, or half an hour was observed, and not
    at every look?
    """
    shown = await played(row, tmp_path)
    notes = 3 + shown.second / Rules().note_latest
    assert shown.patches <= _PATCHES + _PATCHES_EACH * len(shown.told) + row.attempts + notes


async def test_data_that_goes_with_its_pod(tmp_path: Path) -> None:
    """As recorded, with the data in the pod: is data that is fresh again, for a run that has
    started, the volume's loss and not the build's fault?
    """
    shown = await play(Recording("tmpfull"), tmp_path, bootstrap=1200.0, fresh=True)
    assert shown.verdict == "Failed VolumeLost infrastructure"
