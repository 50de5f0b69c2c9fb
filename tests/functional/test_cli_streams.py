"""Output that cannot be written: one sentence on stderr and exit code 1, and never a traceback.

Each command is a process of its own, as a shell starts it.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.commands import COMMANDS
from tests.commands import ROOT, command, without_server
from tests.controlled_world import SELDOM, ControlledWorld

pytestmark = pytest.mark.jumping

SAYS = "bootstrap-controller: standard output cannot be written: "
LOG = "FATAL: unable to start\n" * 3
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def shell(line: str, **environ: str) -> tuple[int, str]:
    """Exit code, of the first command of a pipe, and what came on stderr. line: `@` stands for the
    program.
    """
    done = subprocess.run(
        ["/bin/bash", "-c", line.replace("@", f"{sys.executable} -m controller")],
        input=LOG,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "PATH": "/usr/bin:/bin", **environ},
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stderr


@FULL
@pytest.mark.parametrize(
    "words",
    ["--version", "--help", "explain-log", "explain-log -o json", "explain-log -o name", "demo -h"]
    + [f"{each.name} --help" for each in COMMANDS],
)
def test_a_full_disk(words: str) -> None:
    """Does each command say in one sentence that the disk is full?"""
    assert shell(f"@ {words} > /dev/full") == (1, f"{SAYS}No space left on device\n")


@pytest.mark.parametrize("words", ["--version", "status --help", "explain-log"])
def test_closed_output(words: str) -> None:
    """Is output that the shell has closed told as what it is?"""
    assert shell(f"@ {words} >&-") == (1, f"{SAYS}Bad file descriptor\n")


@pytest.mark.parametrize("words", ["--version", "run --help", "explain-log"])
def test_a_closed_pipe(words: str) -> None:
    """Does a command end quietly whose reader has gone?"""
    gone = f"( sleep 0.2; @ {words}; echo $? >&2 ) | true"
    assert shell(gone) == (0, "1\n")


@FULL
def test_complaints_that_nobody_takes() -> None:
    """Is a failure told by the exit code, where stderr is full or closed?"""
    assert shell("@ explain-log /nowhere 2> /dev/full")[0] == 2
    assert shell("@ explain-log /nowhere 2>&-")[0] == 2
    assert shell("@ explain-log > /dev/full 2>&1")[0] == 1


LOOKING = [
    *("status", "history", "explain fuji", "qualify latest", "builds", "show fuji"),
    *("diff fuji fuji", "stats fuji-c-chain-state-sync", "doctor", "preview fuji"),
    *("wait fuji --for passed", "suspend fuji", "resume fuji"),
]
FORMS = ("table", "wide", "json", "name")


@pytest.fixture(params=["full", "closed", "gone"])
def output(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """A standard output that takes nothing, and what is to be said of it."""
    if request.param == "gone":
        reader, taken = os.pipe()
        os.close(reader)
        said = ""
    elif request.param == "full":
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        taken, said = os.open("/dev/full", os.O_WRONLY), f"{SAYS}No space left on device"
    else:  # as `>&-`: nothing can be written to it
        taken, said = os.open(os.devnull, os.O_RDONLY), f"{SAYS}Bad file descriptor"
    yield taken, said
    os.close(taken)


async def test_commands_that_look(world: ControlledWorld, output: tuple[int, str]) -> None:
    """Is the same true of each command that asks a cluster, in each of its forms?"""
    await has_passed(world)
    taken, why = output
    for words in LOOKING:
        for form in FORMS:
            done = await command(
                *words.split(), "-o", form, into=taken, KUBECONFIG=str(world.kubeconfig),
                BOOTSTRAP_REGISTRIES=f"docker.io={world.world.registry.url}",
            )  # fmt: skip
            last = done.err.splitlines()[-1] if done.err else ""
            assert done.code == 1, (words, form, done)
            assert last == why if why else "standard output" not in done.err, (words, form, done)


async def has_passed(world: ControlledWorld) -> None:
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()


async def in_thread(line: str, world: ControlledWorld) -> tuple[int, str]:
    return await asyncio.to_thread(shell, line, KUBECONFIG=str(world.kubeconfig))


async def test_a_closed_pipe_of_a_table(world: ControlledWorld) -> None:
    """Does `| head -1` end a table quietly?"""
    world.deploy("fuji")
    assert (await command("status", KUBECONFIG=str(world.kubeconfig))).code == 0
    code, said = await in_thread("@ status -o json | head -1", world)
    assert code == 0
    told = without_server(said)[0].splitlines()
    assert [line for line in told if "no controller is active" not in line] == []
