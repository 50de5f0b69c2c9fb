"""The init container's script as bash runs it: what it decides, says, and leaves alone.

Excluded: kills and failing programs (test_prepare_data_kills.py), signals (…_signals.py), and whose
data it is (…_owners.py).
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.volume import (
    DEPLOYMENT,
    MARKER,
    NEWER,
    OLDER,
    OLDEST,
    RUN,
    Volume,
    data_of,
    marker_of,
    runs_in,
)

SECONDS = 20  # for a process that should end at once, on a machine that is busy


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def may_mount() -> bool:
    return (
        subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    )


def in_own_mounts(*commands: str) -> list[str]:
    """A wrapper that mounts before the script and is gone with it."""
    if not may_mount():
        pytest.skip("needs the right to mount: run as root, with unshare of util-linux")
    return ["unshare", "-m", "bash", "-ec", "; ".join([*commands, 'exec "$@"']), "wrapper"]


# --- Starting -------------------------------------------------------------------------------------


def test_fresh(volume: Volume) -> None:
    """Does a first pod get an empty directory with a marker that tells everything?"""
    outcome = volume.run(RUN)
    assert outcome.code == 0, outcome.log
    marker = marker_of(volume.tree(), RUN)
    assert marker is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(marker.pop("started")))
    assert marker == {
        "schema": 2,
        "run": RUN,
        "deployment": DEPLOYMENT,
        "binary": outcome.word["binary"],
        "version": {
            "application": "avalanchego/1.14.0",
            "database": "v1.4.5",
            "rpcchainvm": 44,
            "commit": "7aa1f1f0e2a3c1a54ef3a2a0ad9d3a4e7a1d9d11",
            "go": "1.24.9",
        },
        "resumes": 0,
    }
    assert sorted(volume.tree()) == ["runs", f"runs/{RUN}", f"runs/{RUN}/{MARKER}"]


def test_marker_is_one_line(volume: Volume) -> None:
    """Can the marker be read with tools that read lines?"""
    volume.run(RUN)
    assert (volume.runs / RUN / MARKER).read_text().count("\n") == 1


def test_termination_message(volume: Volume) -> None:
    """Is the word to the controller exactly what the design promises, and the kubelet takes?"""
    outcome = volume.run(RUN)
    binary = subprocess.check_output(["sha256sum", volume.binary("a")], text=True).split()[0]
    assert outcome.word == {"run": RUN, "data": "fresh", "resumes": 0, "binary": binary}
    assert len(outcome.message) <= 4096, "the kubelet cuts longer messages off"


def test_resumed(volume: Volume) -> None:
    """Does the second pod of a run find its data, and is it counted?"""
    volume.complete(RUN)
    before = volume.tree()
    for resumes in (1, 2):
        outcome = volume.run(RUN)
        assert outcome.code == 0, outcome.log
        assert (outcome.word["data"], outcome.word["resumes"]) == ("resumed", resumes)
    assert data_of(volume.tree(), RUN) == data_of(before, RUN)
    first, last = marker_of(before, RUN), marker_of(volume.tree(), RUN)
    assert first is not None
    assert last == first | {"resumes": 2}


def test_older_runs_are_removed(volume: Volume) -> None:
    """Does a new run take the volume over, and say what it removed?"""
    volume.complete(OLDEST)
    volume.complete(OLDER)
    outcome = volume.run(RUN)
    assert outcome.code == 0, outcome.log
    assert runs_in(volume.tree()) == {RUN}
    assert f"removing {OLDER}" in outcome.log


def test_removed_and_written_in_this_order(volume: Volume, tmp_path: Path) -> None:
    """Would a machine that loses power never find a marker on data that is not whole?"""
    volume.complete(OLDER)
    calls = tmp_path / "calls"
    for program in ("mkdir", "mv", "rm", "sync"):
        volume.tool(
            program, f'echo "{program} $*" >>"{calls}"\nPATH=${{PATH#*:}} exec {program} "$@"'
        )
    assert volume.run(RUN).code == 0
    older, own = volume.runs / OLDER, volume.runs / RUN
    assert calls.read_text().splitlines() == [
        f"rm -f -- {older}/{MARKER}",
        f"sync -- {older}",
        f"rm -rf --one-file-system -- {older}",
        f"mkdir -p -- {volume.runs}",
        f"mkdir -- {own}",
        f"sync -- {own}/{MARKER}.new",
        f"mv -fT -- {own}/{MARKER}.new {own}/{MARKER}",
        f"sync -- {own} {volume.runs}",
    ]


@pytest.mark.parametrize("leftover", ["", '{"schema":1,"run":"2026'])
def test_a_marker_that_was_not_finished(volume: Volume, leftover: str) -> None:
    """Is a new marker that a crash left half written simply written again?"""
    volume.complete(RUN)
    (volume.runs / RUN / f"{MARKER}.new").write_text(leftover)
    outcome = volume.run(RUN)
    assert outcome.word["data"] == "resumed"
    assert f"runs/{RUN}/{MARKER}.new" not in volume.tree()


@pytest.mark.parametrize("leftover", ["", '{"schema":1,"run":"2026'])
def test_data_without_a_marker(volume: Volume, leftover: str) -> None:
    """Is a directory that never got its marker begun anew?"""
    volume.complete(RUN)
    (volume.runs / RUN / MARKER).rename(volume.runs / RUN / f"{MARKER}.new")
    (volume.runs / RUN / f"{MARKER}.new").write_text(leftover)
    outcome = volume.run(RUN)
    assert outcome.word["data"] == "fresh"
    assert data_of(volume.tree(), RUN) == {}


# --- Not starting ---------------------------------------------------------------------------------


def test_foreign(volume: Volume) -> None:
    """Does another image at the run's data say so, and remove nothing, not even older runs?"""
    volume.complete(OLDER)
    (volume.runs / OLDER).rename(volume.data / "kept")
    volume.complete(RUN)
    (volume.data / "kept").rename(volume.runs / OLDER)
    before = volume.tree()
    outcome = volume.run(RUN, "b")
    assert outcome.code == 3
    assert outcome.word["data"] == "foreign"
    binary = subprocess.check_output(["sha256sum", volume.binary("b")], text=True).split()[0]
    assert outcome.word["binary"] == binary
    assert volume.tree() == before


def test_foreign_is_over_when_the_pin_is_back(volume: Volume) -> None:
    """Does the right image resume after the wrong one was refused?"""
    volume.complete(RUN)
    volume.run(RUN, "b")
    assert volume.run(RUN).word["data"] == "resumed"


@pytest.mark.parametrize(("run", "why"), [(None, "no run id"), ("", "no run id"), (OLDER, NEWER)])
def test_waiting_touches_nothing_and_says_why(volume: Volume, run: str | None, why: str) -> None:
    """Does a pod that must wait say why at once and every minute, and leave the volume alone?"""
    volume.complete(NEWER)
    before = volume.tree()
    slept = volume.data.parent / "slept"
    volume.tool("sleep", f'echo "$1" >>"{slept}"; (($(wc -l <"{slept}") < 3))')
    outcome = volume.run(run)
    assert outcome.code != 0
    lines = [line for line in outcome.log.splitlines() if "waiting: " in line]
    assert len(lines) == 3
    assert all(why in line for line in lines)
    assert slept.read_text().split() == ["60"] * 3
    assert volume.tree() == before


@pytest.mark.parametrize("run", [None, OLDER])
def test_waiting_ends_at_once_when_told(volume: Volume, run: str | None) -> None:
    """Does SIGTERM end the wait, without the node being started?"""
    volume.complete(NEWER)
    before = volume.tree()
    (volume.tools / "sleep").unlink()  # the real one
    process = volume.start(run)
    assert process.stdout is not None
    assert "waiting: " in process.stdout.readline()
    process.terminate()
    log, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM, log
    assert "not started" in log
    assert volume.tree() == before


def test_removing_ends_at_once_when_told(volume: Volume, tmp_path: Path) -> None:
    """Does SIGTERM end a removal that takes long, together with the program that removes?"""
    volume.complete(OLDER)
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    volume.tool("rm", f'[[ $1 == -rf ]] || exec /bin/rm "$@"; echo >"{begun}"; exec /bin/sleep 60')
    process = volume.start(RUN)
    begun.read_text()
    process.terminate()
    log, _ = process.communicate(timeout=SECONDS)  # the remover holds the same output open
    assert process.returncode == 128 + signal.SIGTERM, log
    assert marker_of(volume.tree(), OLDER) is None


def test_the_newer_run_is_taken_away_by_hand(volume: Volume) -> None:
    """Does a waiting pod go on when a person removes the newer run from the volume?"""
    volume.complete(NEWER)
    volume.tool("sleep", f'rm -rf "{volume.runs / NEWER}"')
    outcome = volume.run(RUN)
    assert outcome.waited
    assert outcome.code == 0
    assert outcome.word["data"] == "fresh"


@pytest.mark.parametrize(
    "run",
    [
        "latest",
        "..",
        f"{RUN}/..",
        f"{RUN}\n",
        f" {RUN}",
        RUN.upper(),
        "20261122t060000z-1a2b3c4",
        "20261122t060000z-1a2b3c4d5",
        '","data":"fresh',
        "x" * 100_000,
    ],
)
def test_a_run_id_of_another_shape(volume: Volume, run: str) -> None:
    """Is what is not a run id refused, in one line and one message of JSON?"""
    volume.complete(OLDER)
    before = volume.tree()
    outcome = volume.run(run)
    assert outcome.code == 2
    assert "not a run id" in str(outcome.word["error"])
    assert "data" not in outcome.word
    assert len(outcome.log.splitlines()) == 1
    assert len(outcome.message) < 1024
    assert volume.tree() == before


# --- Faults: say what is wrong, exit non-zero, remove nothing -------------------------------------


def write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)


def changed(path: Path, **values: object) -> None:
    write(path, json.dumps(json.loads(path.read_text()) | values, separators=(",", ":")) + "\n")


def replace_by_link(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


FAULTS: dict[str, tuple[Callable[[Volume], object], str]] = {
    "own directory is a symlink": (
        lambda volume: replace_by_link(volume.runs / RUN, volume.data / "elsewhere"),
        "is a symlink where a directory should be",
    ),
    "an older run is a symlink": (
        lambda volume: (volume.runs / OLDER).symlink_to(volume.data),
        "is a symlink where a directory should be",
    ),
    "the directory of runs is a symlink": (
        lambda volume: replace_by_link(volume.runs, volume.data / "elsewhere"),
        "is a symlink where a directory should be",
    ),
    "an older run is a file": (
        lambda volume: (volume.runs / OLDER).write_text(""),
        "is not a directory",
    ),
    "the directory of runs is a file": (
        lambda volume: (volume.runs.rename(volume.data / "kept"), volume.runs.write_text("")),
        "is not a directory",
    ),
    "a marker of rubbish": (
        lambda volume: write(volume.runs / RUN / MARKER, "\x00\xff rubbish"),
        "is not a marker of ours",
    ),
    "an empty marker": (
        lambda volume: write(volume.runs / RUN / MARKER, ""),
        "is not a marker of ours",
    ),
    "an endless marker": (
        lambda volume: write(volume.runs / RUN / MARKER, '{"schema":1,' + "x" * 1_000_000),
        "is not a marker of ours",
    ),
    "a marker of two lines": (
        lambda volume: write(
            volume.runs / RUN / MARKER, (volume.runs / RUN / MARKER).read_text() + "{}\n"
        ),
        "is not a marker of ours",
    ),
    "a marker of a newer schema": (
        lambda volume: changed(volume.runs / RUN / MARKER, schema=3, run=["new"]),
        "has schema 3, this script knows 2",
    ),
    "a marker of another run": (
        lambda volume: changed(volume.runs / RUN / MARKER, run=OLDER),
        f"names the run {OLDER}",
    ),
    "a marker that is a symlink": (
        lambda volume: replace_by_link(volume.runs / RUN / MARKER, volume.data / "marker"),
        "is not a readable file",
    ),
    "a marker that leads nowhere": (
        lambda volume: (
            (volume.runs / RUN / MARKER).unlink(),
            (volume.runs / RUN / MARKER).symlink_to("nowhere"),
        ),
        "is not a readable file",
    ),
    "a marker that is a directory": (
        lambda volume: (
            (volume.runs / RUN / MARKER).unlink(),
            (volume.runs / RUN / MARKER).mkdir(),
        ),
        "is not a readable file",
    ),
    "a marker that is a FIFO": (
        lambda volume: (
            (volume.runs / RUN / MARKER).unlink(),
            os.mkfifo(volume.runs / RUN / MARKER),
        ),
        "is not a readable file",
    ),
    "an unfinished marker that is a FIFO": (
        lambda volume: os.mkfifo(volume.runs / RUN / f"{MARKER}.new"),
        "is not a file",
    ),
    "an unfinished marker that is a symlink": (
        lambda volume: (volume.runs / RUN / f"{MARKER}.new").symlink_to(volume.data / "victim"),
        "is a symlink",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_volume(volume: Volume, fault: str) -> None:
    """Is a volume that is not as it should be left exactly as it is, with a clear word?"""
    volume.complete(RUN)
    make, sentence = FAULTS[fault]
    make(volume)
    before = volume.tree()
    outcome = volume.run(RUN)
    assert outcome.code == 1
    assert sentence in outcome.log
    assert sentence in str(outcome.word["error"])
    assert "data" not in outcome.word
    assert volume.tree() == before


def test_a_mount_point_where_a_directory_should_be(volume: Volume) -> None:
    """Is something mounted among the runs left alone, and the older runs with it?"""
    volume.complete(OLDER)
    before = volume.tree()
    place = volume.runs / OLDER / "db"
    outcome = volume.run(RUN, wrapper=in_own_mounts(f'mount -t tmpfs none "{place}"'))
    assert outcome.code == 1
    assert f"{place} is a mount point" in outcome.log
    assert volume.tree() == before


def test_a_mount_point_with_a_blank_in_its_name(volume: Volume, tmp_path: Path) -> None:
    """Is the kernel's spelling of mount points understood?"""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 / {volume.runs}/a\\040b rw - ext4 /dev/vdb rw\n")
    outcome = volume.run(RUN, MOUNTINFO=str(mounts))
    assert outcome.code == 1
    assert f"{volume.runs}/a b is a mount point" in outcome.log


def test_the_volume_itself_is_a_mount_point(volume: Volume) -> None:
    """Is the volume's own mount, with the lost+found of a new file system, as it should be?"""
    wrapper = in_own_mounts(
        f'mount -t tmpfs none "{volume.data}"', f'mkdir "{volume.data}/lost+found"'
    )
    outcome = volume.run(RUN, wrapper=wrapper)
    assert outcome.code == 0, outcome.log


def test_a_read_only_volume(volume: Volume) -> None:
    """Does a volume mounted read-only stop the node with a word that says so?"""
    volume.complete(OLDER)
    before = volume.tree()
    wrapper = in_own_mounts(
        f'mount --bind "{volume.data}" "{volume.data}"',
        f'mount -o remount,ro,bind "{volume.data}"',
    )
    outcome = volume.run(RUN, wrapper=wrapper)
    assert outcome.code == 1
    assert "read-only" in str(outcome.word["error"])
    assert volume.tree() == before


@pytest.mark.parametrize("held", [None, RUN])
def test_a_full_volume(volume: Volume, held: str | None) -> None:
    """Does a full volume stop the node, with nothing of its data lost?"""
    if held:
        volume.complete(held)
    kept, here = volume.data.parent / "kept", volume.data
    kept.mkdir()
    wrapper = [
        *in_own_mounts()[:4],
        "; ".join(
            [
                f'cp -a "{here}/." "{kept}"',
                f'mount -t tmpfs -o size=64k none "{here}"',
                f'cp -a "{kept}/." "{here}"',
                f'head -c 1M /dev/zero >"{here}/ballast" 2>/dev/null || true',
                '"$@" || code=$?',
                f'rm "{here}/ballast"; cp -a "{here}/." "{kept}"',
                "exit $code",
            ]
        ),
        "wrapper",
    ]
    before = volume.tree()
    outcome = volume.run(RUN, wrapper=wrapper)
    assert outcome.code == 1, outcome.log
    assert "full" in str(outcome.word["error"])
    assert "left alone" in outcome.log
    assert "ballast" in outcome.log
    here.rename(volume.data.parent / "empty")
    kept.rename(here)
    assert data_of(volume.tree(), RUN) == data_of(before, RUN)
    assert marker_of(volume.tree(), RUN) == marker_of(before, RUN)


def test_a_volume_of_another_user(volume: Volume) -> None:
    """Does a volume on which the pod's user may not write say what to set in the manifest?"""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give up root's right to write everywhere (setpriv)")
    volume.complete(OLDER)
    before = volume.tree()
    volume.data.chmod(0o555)
    wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    outcome = volume.run(RUN, wrapper=wrapper)
    assert outcome.code == 1
    assert "set fsGroup" in str(outcome.word["error"])
    assert volume.tree() == before


def test_no_binary(volume: Volume) -> None:
    """Is an init container of another image told apart, with nothing removed?"""
    volume.complete(OLDER)
    before = volume.tree()
    volume.binary("a").unlink()
    outcome = volume.run(RUN)
    assert outcome.code == 2
    assert "must run in the node's own image" in str(outcome.word["error"])
    assert volume.tree() == before


def test_no_termination_message(volume: Volume, tmp_path: Path) -> None:
    """Does the node stay off if the controller would not learn what data it has?"""
    outcome = volume.run(RUN, TERMINATION_LOG=str(tmp_path / "missing" / "termination-log"))
    assert outcome.code == 1


# --- What it leaves alone, and what it makes of odd programs --------------------------------------


def test_nothing_outside_the_runs_is_touched(volume: Volume) -> None:
    """Does what else lies on the volume stay, and is it named?"""
    for name in ("lost+found/7", "db/CURRENT", "runs/latest/db", "runs/.trash", "a\nb"):
        path = volume.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
    before = volume.tree()
    volume.complete(OLDER)
    outcome = volume.run(RUN)
    assert outcome.code == 0, outcome.log
    after = volume.tree()
    assert {path: after.get(path) for path in before} == before
    for name in ("lost+found", "db", "latest", ".trash", r"a\nb"):
        assert name in outcome.log
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in outcome.log.splitlines())


def test_a_volume_full_of_strange_files(volume: Volume) -> None:
    """Does the log stay readable where thousands of files lie on the volume?"""
    for number in range(1000):
        (volume.data / f"file-{number}").touch()
    outcome = volume.run(RUN)
    assert outcome.code == 0
    assert "(1000 in all)" in outcome.log
    assert len(outcome.log) < 5000


@pytest.mark.parametrize(
    "body",
    [
        "exit 1",
        "kill -SEGV $$",
        "echo avalanchego/1.14.0",
        "echo '{\"application\":'",
        'echo \'{"a":"b"}{"c":"d"}\'',
        'echo \'{"a":"b","c":{"d":[]}}\'',
        "head -c 1000000 /dev/zero | tr '\\0' '{'",
        'printf \'{"a":"\\033[31m"}\'',
    ],
)
def test_a_binary_that_cannot_tell_its_version(volume: Volume, body: str) -> None:
    """Is a build with a broken --version-json tested all the same, and its marker readable?"""
    volume.binary("a").write_text(f"#!/bin/bash\n{body}\n")
    outcome = volume.run(RUN)
    assert outcome.code == 0, outcome.log
    marker = marker_of(volume.tree(), RUN)
    assert marker is not None
    assert marker["version"] is None
    assert volume.run(RUN).word["data"] == "resumed"


def test_a_binary_that_hangs(volume: Volume) -> None:
    """Is the time for --version-json limited?"""
    volume.tool("timeout", "[[ $1 == 10 && $3 == --version-json ]] && exit 124; exit 99")
    assert volume.run(RUN).code == 0


def test_other_locales(volume: Volume) -> None:
    """Do run ids compare the same whatever the image's locale is?"""
    volume.complete(NEWER)
    assert volume.run(RUN, LANG="tr_TR.UTF-8", LC_COLLATE="de_DE.UTF-8").waited
