"""The init container's script, told to stop: on a real kernel, with a real bash as process 1 of a
PID namespace, and beside another process 1, as the targets' pods have it (shareProcessNamespace).

`python -m tests.deaf_time` measures for how long a process 1 is deaf.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.namespaces import ALONE, SHARED, first_of, may_unshare
from tests.volume import NEWER, OLDER, RUN, Outcome, Volume, kill, marker_of

SECONDS = 20  # for a process that should end at once, on a machine that is busy
TOLD = 128 + signal.SIGTERM  # what the trap, and a shell of a child that was killed by it, end with

# bash carries this out before the script's first line, and so before its trap: it stands here until
# the test lets it go on.
BEFORE_THE_SCRIPT = 'unset BASH_ENV; echo born; read -r _ <"$GATE"'

# Tells the script to stop before its command number TERM_BEFORE, counted from one.
BEFORE_A_COMMAND = """
unset BASH_ENV
__count=0
set -o functrace
trap 'if ((++__count == TERM_BEFORE)); then kill -TERM $$; fi' DEBUG
"""

pytestmark = pytest.mark.skipif(
    not may_unshare(), reason="needs PID namespaces: run as root, with unshare of util-linux"
)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    volume = Volume(tmp_path)
    (volume.tools / "sleep").unlink()  # the real one
    return volume


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def hook(folder: Path, text: str) -> str:
    path = folder / "hook"
    path.write_text(text)
    return str(path)


@pytest.fixture
def born() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        with process:
            kill(process)


def deaf(volume: Volume, gate: Path, wrapper: list[str]) -> subprocess.Popen[str]:
    """Started, and not yet at the script's first line."""
    process = volume.start(
        None,
        wrapper=wrapper,
        BASH_ENV=hook(gate.parent, BEFORE_THE_SCRIPT),
        GATE=str(gate),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "born\n"
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(volume: Volume, process: subprocess.Popen[str]) -> Outcome:
    """Within the time for what ends at once; a pod's grace is 300 s."""
    process.wait(timeout=SECONDS)
    return volume.finish(process)


# --- As the targets' pods have it -----------------------------------------------------------------


def test_before_the_trap(volume: Volume, gate: Path, born: list[subprocess.Popen[str]]) -> None:
    """Is a pod over at once that is ended before bash has read the first line of the script?"""
    process = deaf(volume, gate, SHARED)
    born.append(process)
    os.kill(first_of(process, SHARED), signal.SIGTERM)
    outcome = ended(volume, process)
    assert outcome.code == TOLD
    assert not outcome.waited


# --- bash as process 1 ----------------------------------------------------------------------------


def test_a_process_1_is_deaf_before_its_trap(
    volume: Volume, gate: Path, born: list[subprocess.Popen[str]]
) -> None:
    """Does this kernel drop the signal that comes too early, and does the next one end the wait?"""
    process = deaf(volume, gate, ALONE)
    born.append(process)
    os.kill(first_of(process, ALONE), signal.SIGTERM)
    gate.write_text("")
    assert "waiting: no run id yet" in said(process)
    os.kill(first_of(process, ALONE), signal.SIGTERM)
    assert ended(volume, process).code == TOLD


def test_the_trap_is_the_first_command(volume: Volume, tmp_path: Path) -> None:
    """Is a process 1 deaf before the script's first command, and at no command after it?"""
    environment = {"BASH_ENV": hook(tmp_path, BEFORE_A_COMMAND)}
    volume.tool("sleep", "exit 1")  # says why it waits, and ends
    outcome = volume.run(None, wrapper=ALONE, TERM_BEFORE="1", **environment)
    assert (outcome.code, outcome.waited) == (1, True)
    before = 1
    while not outcome.waited or before == 1:
        before += 1
        outcome = volume.run(None, wrapper=ALONE, TERM_BEFORE=str(before), **environment)
        assert outcome.code == TOLD, f"deaf at command {before}: {outcome.log}"
    assert before > 20, "the script waits without its commands being counted"


@pytest.mark.parametrize("run", [None, OLDER])
@pytest.mark.parametrize("wrapper", [ALONE, SHARED])
def test_while_it_waits(
    volume: Volume, born: list[subprocess.Popen[str]], wrapper: list[str], run: str | None
) -> None:
    """Does SIGTERM end the wait at once, and nothing of it stay?"""
    volume.complete(NEWER)
    before = volume.tree()
    process = volume.start(run, wrapper=wrapper)
    born.append(process)
    assert "waiting: " in said(process)
    os.kill(first_of(process, wrapper), signal.SIGTERM)
    outcome = ended(volume, process)  # a `sleep` that goes on would hold the output open
    assert outcome.code == TOLD, outcome.log
    assert "not started" in outcome.log
    assert volume.tree() == before


@pytest.mark.parametrize("wrapper", [ALONE, SHARED])
def test_while_it_removes(
    volume: Volume, born: list[subprocess.Popen[str]], tmp_path: Path, wrapper: list[str]
) -> None:
    """Does SIGTERM end a removal that takes long, together with the program that removes?"""
    volume.complete(OLDER)
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    volume.tool("rm", f'[[ $1 == -rf ]] || exec /bin/rm "$@"; echo >"{begun}"; exec /bin/sleep 60')
    process = volume.start(RUN, wrapper=wrapper)
    born.append(process)
    begun.read_text()
    os.kill(first_of(process, wrapper), signal.SIGTERM)
    assert ended(volume, process).code == TOLD
    assert marker_of(volume.tree(), OLDER) is None
