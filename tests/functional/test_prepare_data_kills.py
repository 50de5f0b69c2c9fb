"""The init container's script, killed anywhere, and run again (I6).

Included: a kill before every command of the script, a kill after every file that a removal takes
away, a failure of every program that changes the disk, and a thousand kills at random times.
Excluded: a machine that loses its unwritten pages; test_prepare_data.py asks for the order in which
the script has them written.
"""

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.volume import (
    IDS,
    KILLED,
    LATEST,
    MARKER,
    NEWER,
    OLDER,
    OLDEST,
    RUN,
    Outcome,
    Tree,
    Volume,
    data_of,
    kill,
    marker_of,
    runs_in,
)

# What a volume can hold when the pod of RUN starts.
STARTS = {
    "an empty volume": (),
    "two older runs": (OLDEST, OLDER),
    "own data": (RUN,),
    "own data without a marker": (RUN,),
    "a newer run": (NEWER,),
}

REAL = {"date": f"echo {LATEST}"}  # instead of the real one, which would tell the real time

# Removes one file at a time, so that a kill finds the directory half removed.
SLOW_REMOVAL = """
real=$(PATH=${PATH#*:} command -v rm)
[[ $1 == -rf ]] || exec "$real" "$@"
find "${!#}" -depth | while read -r path; do
    read -r count <"$UNLINKS"
    ((count < STOP_AFTER)) || kill -KILL -- "-$(ps -o pgid= $$ | tr -d ' ')"
    echo $((count + 1)) >"$UNLINKS"
    if [[ -d $path ]]; then rmdir "$path"; else "$real" -f "$path"; fi
done
"""


def check(before: Tree, after: Tree, run: str, build: str, outcome: Outcome | None) -> None:
    """What must hold of the volume whenever the script ended, by itself or not.

    before: of a volume on which this held, too, and on which nodes worked only after the script
    had ended with 0. outcome: None where it was killed.
    """
    if any(other > run for other in runs_in(before)):
        assert after == before, "a pod of an older run changed the volume"
        assert outcome is None or outcome.code != 0, "a pod of an older run started its node"
        return
    for other in runs_in(before) - {run}:
        if marker_of(after, other) is not None:
            assert data_of(after, other) == data_of(before, other), "half removed, and resumable"
    marker_before, marker_after = marker_of(before, run), marker_of(after, run)
    own_binary = None
    if marker_before is not None:
        assert marker_after is not None, "its own complete data is gone"
        assert data_of(after, run) == data_of(before, run), "its own data was touched"
        assert marker_after["binary"] == marker_before["binary"], "the data changed its owner"
    elif marker_after is not None:
        assert data_of(after, run) == {}, "fresh, with data of somebody else"
        own_binary = marker_after["binary"]
    if outcome is None or outcome.code != 0:
        return
    assert runs_in(after) == {run}, "the node starts beside older data"
    assert marker_after is not None
    assert outcome.word["run"] == run
    assert outcome.word["data"] == ("fresh" if marker_before is None else "resumed")
    assert outcome.word["binary"] == marker_after["binary"]
    assert own_binary in (None, outcome.word["binary"])
    for content in data_of(after, run).values():
        assert content == f"{run} {build}", "another run's data lies under the node"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: the script waits for the disk again and again."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield Path(path)


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each of STARTS, with what the script and a node left there."""
    folders = {}
    for start, runs in STARTS.items():
        folder = tmp_path_factory.mktemp("start")
        for run in runs:  # each on a volume of its own: a newer one would remove the older
            alone = Volume(tmp_path_factory.mktemp("alone"))
            alone.complete(run)
            shutil.copytree(alone.data, folder, dirs_exist_ok=True)
        if "without a marker" in start:
            (folder / "runs" / RUN / MARKER).unlink()
        folders[start] = folder
    return folders


class Site:
    """A volume that is set back to its start again and again, and what follows after each time."""

    def __init__(self, folder: Path, start: Path) -> None:
        self._folder = folder
        self._start = start
        self._seen: set[frozenset[tuple[str, str]]] = set()
        self.volume = Volume(folder / "now")
        self.set_back()

    @property
    def states(self) -> int:
        """How many different volumes were found after a run."""
        return len(self._seen)

    def set_back(self) -> None:
        shutil.rmtree(self.volume.data)
        shutil.copytree(self._start, self.volume.data)
        self.before = self.volume.tree()

    def check(self, outcome: Outcome) -> bool:
        """Checks the volume, now and after whatever pod comes next; tells whether the script ended
        by itself. Then sets it back.
        """
        after = self.volume.tree()
        ended = outcome.code != KILLED
        check(self.before, after, RUN, "a", outcome if ended else None)
        state = frozenset(after.items())
        if state not in self._seen:  # the pods that follow see only the volume
            self._seen.add(state)
            self._go_on(after)
        if after != self.before:
            self.set_back()
        return ended

    def _go_on(self, stopped: Tree) -> None:
        for run, build in ((RUN, "a"), (RUN, "b"), (OLDER, "a"), (NEWER, "a"), (None, "a")):
            copy = Volume(self._folder / "next")
            shutil.rmtree(copy.data)
            shutil.copytree(self.volume.data, copy.data)
            outcome = copy.run(run, build)
            if run is None:
                assert copy.tree() == stopped, "a pod without a run id changed the volume"
                assert outcome.waited
                assert outcome.code != 0
                continue
            check(stopped, copy.tree(), run, build, outcome)
            expected = 0
            if any(other > run for other in runs_in(stopped)):
                assert outcome.waited
                expected = 1  # its `sleep` fails
            elif build == "b" and marker_of(stopped, RUN) is not None:
                assert copy.tree() == stopped, "another image changed the data"
                expected = 3
            assert outcome.code == expected, outcome.log


@pytest.mark.parametrize("start", STARTS)
def test_killed_before_any_command(folder: Path, starts: dict[str, Path], start: str) -> None:
    """Does a kill between any two commands ever lead to a wrong start, now or later?"""
    site = Site(folder, starts[start])
    count = 1
    while not site.check(site.volume.run_killed(count, RUN)):
        count += 1
    assert count > 50, "the script ran without its commands being counted"
    at_least = {"own data": 3, "a newer run": 1}  # one for each change to the disk, and the start
    assert site.states >= at_least.get(start, 5)


@pytest.mark.parametrize("start", ["two older runs", "own data without a marker"])
def test_killed_while_it_removes(folder: Path, starts: dict[str, Path], start: str) -> None:
    """Is a directory that is half removed ever resumed, by whichever pod comes next?"""
    site = Site(folder, starts[start])
    unlinks = folder / "unlinks"
    stop_after, ended = -1, False
    while not ended:
        stop_after += 1
        unlinks.write_text("0")
        site.volume.tool("rm", SLOW_REMOVAL)
        outcome = site.volume.run(RUN, UNLINKS=str(unlinks), STOP_AFTER=str(stop_after))
        ended = site.check(outcome)
    assert outcome.code == 0, outcome.log
    assert site.states >= 5


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("program", ["date", "mkdir", "mv", "rm", "sync", "sha256sum"])
def test_a_program_that_fails(
    folder: Path, starts: dict[str, Path], start: str, program: str
) -> None:
    """Does the node stay off, and the data stay right, if any call of a program fails once?"""
    site = Site(folder, starts[start])
    calls = folder / "calls"
    failing, failed = 0, True
    while failed:
        failing += 1
        calls.write_text("")
        site.volume.tool(
            program,
            f'echo "$1" >>"{calls}"; (($(wc -l <"{calls}") != {failing})) || exit 1\n'
            f'PATH=${{PATH#*:}} exec {REAL.get(program, program)} "$@"',
        )
        outcome = site.volume.run(RUN)
        made = calls.read_text().splitlines()
        failed = len(made) >= failing
        if failed and made[failing - 1] == "-rf":  # tried again, with the rights given back
            assert outcome.code == 0, outcome.log
        elif failed:
            assert outcome.code == 1, outcome.log
            assert "error" in outcome.word
        site.check(outcome)


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_random_times(folder: Path, seed: int) -> None:
    """Does the volume stay right through a hundred and twenty-five kills in a row, at any time?

    The time to the kill is the only waiting here, and nothing depends on what it hits.
    """
    dice = random.Random(seed)
    volume = Volume(folder)
    began = time.perf_counter()
    volume.complete(OLDEST)
    window = time.perf_counter() - began  # seconds: some shall come to their end
    kills = 0
    while kills < 125:
        newest = max(runs_in(volume.tree()), default=OLDEST)
        if newest == NEWER and dice.random() < 0.2:  # or every later pod only waits
            shutil.rmtree(volume.data)
            volume.data.mkdir()
        run = dice.choice([run for run in IDS if run >= newest] + [dice.choice(IDS)])
        build = "b" if dice.random() < 0.2 else "a"
        before = volume.tree()
        process = volume.start(run, build)
        try:
            process.wait(timeout=dice.uniform(0.0, window))
        except subprocess.TimeoutExpired:
            kill(process)
        outcome = volume.finish(process)
        killed = outcome.code == KILLED
        kills += killed
        check(before, volume.tree(), run, build, None if killed else outcome)
        if outcome.code == 0:
            volume.node_works(run, build)
