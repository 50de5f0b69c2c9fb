"""Whose data lies on a volume: other Deployments', other clocks', and what a build took away.

Each is told in a sentence; none is waited for without end, and nobody else's data is removed.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.volume import (
    DEPLOYMENT,
    MARKER,
    NEWER,
    OLDER,
    OTHER_DEPLOYMENT,
    RUN,
    Volume,
    data_of,
    marker_of,
    pod_of,
    runs_in,
)

NOBODY = {"POD_NAME": "", "POD_NAMESPACE": ""}
FUTURE = "20261124t060001z-1a2b3c4d"
SECONDS = 20  # for a process that should end at once, on a machine that is busy


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def put_back(volume: Volume, make: Callable[[], None]) -> None:
    """Keeps what lies there from what is made beside it."""
    kept = volume.data.parent / "kept"
    kept.mkdir()
    before = list(volume.runs.iterdir()) if volume.runs.is_dir() else []
    for directory in before:
        directory.rename(kept / directory.name)
    make()
    for directory in before:
        (kept / directory.name).rename(directory)


# --- Two Deployments on one claim -----------------------------------------------------------------


@pytest.mark.parametrize("theirs", [OLDER, NEWER])
def test_another_deployments_data(volume: Volume, theirs: str) -> None:
    """Is another Deployment's data told as such, older or newer, with nothing removed at all?"""
    volume.complete(theirs, **pod_of(OTHER_DEPLOYMENT))
    before = volume.tree()
    outcome = volume.run(RUN)
    assert outcome.code == 1
    assert f"belongs to the Deployment {OTHER_DEPLOYMENT}" in str(outcome.word["error"])
    assert f"this pod to {DEPLOYMENT}: two Deployments share one volume" in outcome.log
    assert volume.tree() == before


def test_another_deployments_data_beside_ones_own(volume: Volume) -> None:
    """Does the Deployment that was there first keep its data, whoever comes?"""
    volume.complete(OLDER)
    put_back(volume, lambda: volume.complete(RUN, **pod_of(OTHER_DEPLOYMENT)))
    before = volume.tree()
    for run, deployment in ((OLDER, DEPLOYMENT), (RUN, OTHER_DEPLOYMENT), (NEWER, DEPLOYMENT)):
        outcome = volume.run(run, **pod_of(deployment))
        assert outcome.code == 1
        assert "two Deployments share one volume" in outcome.log
    assert volume.tree() == before


def test_another_deployment_with_the_same_run_id(volume: Volume) -> None:
    """Does a Deployment that was copied with its run id stay away from the first one's data?"""
    volume.complete(RUN)
    before = volume.tree()
    outcome = volume.run(RUN, **pod_of(OTHER_DEPLOYMENT))
    assert outcome.code == 1
    assert "one volume and one run id" in str(outcome.word["error"])
    assert volume.tree() == before


def test_the_same_name_in_another_namespace(volume: Volume) -> None:
    """Are Deployments of one name in two namespaces, on one share, told apart?"""
    volume.complete(OLDER, **pod_of("elsewhere/bootstrap-fuji"))
    assert "the Deployment elsewhere/bootstrap-fuji" in volume.run(RUN).log


def test_the_other_deployment_is_gone(volume: Volume) -> None:
    """Does the run start when a person has removed what the sentence named?"""
    volume.complete(OLDER, **pod_of(OTHER_DEPLOYMENT))
    assert f"{volume.runs / OLDER} belongs to" in volume.run(RUN).log
    subprocess.run(["rm", "-r", volume.runs / OLDER], check=True)
    assert volume.run(RUN).word["data"] == "fresh"


def test_a_pod_that_does_not_know_its_name(volume: Volume) -> None:
    """Does a manifest without the pod's name go on as before, on data that names nobody?"""
    volume.complete(OLDER, **NOBODY)
    outcome = volume.run(RUN, **NOBODY)
    assert outcome.code == 0, outcome.log
    assert runs_in(volume.tree()) == {RUN}


def test_a_pod_that_does_not_know_its_name_beside_one_that_does(volume: Volume) -> None:
    """Is data with a name kept from a pod that cannot know whether it is its own?"""
    volume.complete(OLDER)
    before = volume.tree()
    outcome = volume.run(RUN, **NOBODY)
    assert outcome.code == 2
    assert "POD_NAME and POD_NAMESPACE" in str(outcome.word["error"])
    assert volume.tree() == before


def test_the_owner_stays(volume: Volume) -> None:
    """Does a marker keep its Deployment when a manifest without the pod's name resumes the run?"""
    volume.complete(RUN)
    assert volume.run(RUN, **NOBODY).word["data"] == "resumed"
    marker = marker_of(volume.tree(), RUN)
    assert marker is not None
    assert (marker["deployment"], marker["resumes"]) == (DEPLOYMENT, 1)


@pytest.mark.parametrize(
    ("pod", "deployment"),
    [
        ("bootstrap-7d9c8f5b6d-x2x4z", "bootstrap"),
        ("a-b-c-d-7d9c8f5b6d-x2x4z", "a-b-c-d"),
        ("v1.2-7d9c8f5b6d-x2x4z", "v1.2"),
        ("x" * 46 + "-7d9c8f5b6d-x2x4z"[:17], None),  # 63: may have been shortened
        ("bootstrap-0", None),
        ("bootstrap", None),
        ('b"-7d9c8f5b6d-x2x4z', None),
    ],
)
def test_the_deployment_of_a_pod(volume: Volume, pod: str, deployment: str | None) -> None:
    """Is a Deployment's name taken only from a pod's name that surely has it?"""
    assert volume.run(RUN, POD_NAME=pod).code == 0
    marker = marker_of(volume.tree(), RUN)
    assert marker is not None
    assert marker["deployment"] == (deployment and f"bootstrap/{deployment}")


# --- Markers of other times -----------------------------------------------------------------------


def to_schema_1(volume: Volume, run: str) -> None:
    path = volume.runs / run / MARKER
    marker = json.loads(path.read_text()) | {"schema": 1}
    del marker["deployment"]
    path.write_text(json.dumps(marker, separators=(",", ":")) + "\n")


def test_a_marker_of_the_schema_before(volume: Volume) -> None:
    """Is data from before an upgrade resumed, and its owner written down?"""
    volume.complete(RUN)
    to_schema_1(volume, RUN)
    outcome = volume.run(RUN)
    assert outcome.word["data"] == "resumed", outcome.log
    marker = marker_of(volume.tree(), RUN)
    assert marker is not None
    assert (marker["schema"], marker["deployment"]) == (2, DEPLOYMENT)


def test_older_data_of_the_schema_before(volume: Volume) -> None:
    """Is an older run from before an upgrade removed, as it was before it?"""
    volume.complete(OLDER)
    to_schema_1(volume, OLDER)
    assert volume.run(RUN).word["data"] == "fresh"
    assert runs_in(volume.tree()) == {RUN}


@pytest.mark.parametrize("run", [OLDER, NEWER])
def test_another_runs_marker_of_a_schema_to_come(volume: Volume, run: str) -> None:
    """Is data kept of which only a newer script can tell whose it is?"""
    volume.complete(run)
    (volume.runs / run / MARKER).write_text('{"schema":3,"owners":[]}\n')
    before = volume.tree()
    outcome = volume.run(RUN)
    assert outcome.code == 1
    assert "whose data it is cannot be told" in str(outcome.word["error"])
    assert volume.tree() == before


SPOILT: dict[str, Callable[[Path], object]] = {
    "rubbish": lambda path: path.write_bytes(b"\x00\xff rubbish"),
    "a FIFO": lambda path: (path.unlink(), os.mkfifo(path)),
    "a directory": lambda path: (path.unlink(), path.mkdir(), (path / "x").touch()),
    "a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("how", SPOILT)
def test_an_older_marker_that_a_build_spoilt(volume: Volume, how: str) -> None:
    """Is an older run removed without its marker ever being waited for, if that is none?"""
    volume.complete(OLDER)
    SPOILT[how](volume.runs / OLDER / MARKER)
    process = volume.start(RUN)
    process.wait(timeout=SECONDS)
    outcome = volume.finish(process)
    if how == "a directory":
        assert outcome.code == 1
        assert f"cannot remove {volume.runs / OLDER / MARKER}" in str(outcome.word["error"])
        return
    assert outcome.code == 0, outcome.log
    assert runs_in(volume.tree()) == {RUN}


# --- Clocks ---------------------------------------------------------------------------------------


def test_a_newer_run_from_the_future(volume: Volume) -> None:
    """Is a run that nobody will ever supersede told as such, instead of being waited for?"""
    put_back(volume, lambda: volume.complete(RUN))
    (volume.runs / RUN).rename(volume.runs / FUTURE)
    before = volume.tree()
    outcome = volume.run(RUN)
    assert outcome.code == 1
    assert not outcome.waited
    assert f"{FUTURE}, which is more than 1 day in the future" in str(outcome.word["error"])
    assert f"remove {volume.runs / FUTURE}" in outcome.log
    assert volume.tree() == before


def test_a_run_from_the_future_removes_nothing(volume: Volume) -> None:
    """Does an id made by a clock that ran ahead keep its hands off older data?"""
    volume.complete(OLDER)
    before = volume.tree()
    outcome = volume.run(FUTURE)
    assert outcome.code == 1
    assert "in the future" in str(outcome.word["error"])
    assert volume.tree() == before


def test_a_run_goes_on_where_the_machines_clock_is_behind(volume: Volume) -> None:
    """Is data that was begun resumed on a machine that lives in the past, with a word on it?"""
    volume.complete(RUN)
    volume.tool("date", "echo 19700102t000000z")
    outcome = volume.run(RUN)
    assert outcome.word["data"] == "resumed"
    assert "in the future" in outcome.log
    assert data_of(volume.tree(), RUN)


def test_a_day_ahead_by_the_real_clock(volume: Volume) -> None:
    """Is the limit what the script says, asked of the real program?"""
    (volume.tools / "date").unlink()
    for hours, code in ((23, 0), (25, 1)):
        stamp = subprocess.check_output(
            ["date", "-u", "-d", f"{hours} hours", "+%Y%m%dt%H%M%Sz"], text=True
        )
        assert volume.run(f"{stamp.strip()}-00000000").code == code


# --- Rights that a build took away ----------------------------------------------------------------


def as_a_plain_user() -> list[str]:
    """A wrapper that takes root's right to write everywhere away; the files stay its own."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


@pytest.mark.parametrize("mode", [0o555, 0o000, 0o444])
@pytest.mark.parametrize("place", ["", "db"])
def test_an_older_run_that_its_build_closed(volume: Volume, mode: int, place: str) -> None:
    """Does a build that took the rights on its own data away stop no build after it?"""
    volume.complete(OLDER)
    (volume.runs / OLDER / place).chmod(mode)
    outcome = volume.run(RUN, wrapper=as_a_plain_user())
    assert outcome.code == 0, outcome.log
    assert runs_in(volume.tree()) == {RUN}
    assert not any(line.startswith("rm: ") for line in outcome.log.splitlines())


def test_a_closed_directory_of_another_deployment(volume: Volume) -> None:
    """Is another Deployment's data left where its marker could be read only in the end?"""
    volume.complete(OLDER, **pod_of(OTHER_DEPLOYMENT))
    before = data_of(volume.tree(), OLDER)
    (volume.runs / OLDER).chmod(0o000)
    outcome = volume.run(RUN, wrapper=as_a_plain_user())
    assert outcome.code == 1
    assert "two Deployments share one volume" in outcome.log
    assert data_of(volume.tree(), OLDER) == before


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_own_data_that_its_build_closed(volume: Volume, mode: int) -> None:
    """Is a run's own data kept, and said to be closed, where its marker may be out of sight?"""
    volume.complete(RUN)
    before = volume.tree()
    (volume.runs / RUN).chmod(mode)
    outcome = volume.run(RUN, wrapper=as_a_plain_user())
    (volume.runs / RUN).chmod(0o755)
    assert outcome.code == 1
    assert "is closed to its own user" in str(outcome.word["error"])
    assert volume.tree() == before
