"""The house rules of tests/conftest.py, each broken on purpose in a small suite of its own."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.leaks import left_tasks, newly_open_sessions

TESTS = Path(__file__).parents[1]

SUITE = """
import asyncio, aiohttp, pytest

KEPT = []

async def test_task():
    KEPT.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

async def test_session():
    KEPT.append(aiohttp.ClientSession())

@pytest.fixture
async def worker():
    task = asyncio.create_task(asyncio.Event().wait())
    yield task
    task.cancel()

async def test_tidy(worker):
    async with aiohttp.ClientSession():
        pass

async def test_ending():
    KEPT.append(asyncio.create_task(asyncio.sleep(0)))

def test_no_loop():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small project with our conftest and our pytest settings."""
    (tmp_path / "tests" / "functional").mkdir(parents=True)
    for name in ("conftest.py", "leaks.py", "jumping_loop.py"):
        shutil.copy(TESTS / name, tmp_path / "tests" / name)
    shutil.copy(TESTS.parent / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def run(suite: Path, *arguments: str) -> str:
    """What pytest says of it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=suite,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_test_that_leaves_something_behind_fails(suite: Path) -> None:
    """Do a forgotten task and an open session fail their test, and only theirs?"""
    (suite / "tests" / "functional" / "test_suite.py").write_text(SUITE)
    said = run(suite)
    assert "5 passed, 2 errors" in said
    assert "ERROR tests/functional/test_suite.py::test_task" in said
    assert "ERROR tests/functional/test_suite.py::test_session" in said
    assert "forgotten" in said
    assert "the test left sessions open" in said


def test_folders_are_markers_and_unit_tests_have_little_time(suite: Path) -> None:
    """Can tests be chosen by folder, and does a unit test that hangs end after two minutes?"""
    (suite / "tests" / "unit").mkdir()
    (suite / "tests" / "unit" / "test_time.py").write_text(
        "def test_limit(request):\n"
        "    assert request.node.get_closest_marker('timeout').args == (120,)\n"
    )
    (suite / "tests" / "functional" / "test_other.py").write_text("def test_other(): pass\n")
    assert "1 passed, 1 deselected" in run(suite, "-m", "unit and not functional")


def test_a_real_cluster_is_named_by_its_kubeconfig(suite: Path) -> None:
    """Is --kubeconfig known when only tests/cluster is run?"""
    (suite / "tests" / "cluster").mkdir()
    (suite / "tests" / "cluster" / "test_it.py").write_text(
        "def test_it(kubeconfig): assert str(kubeconfig) == 'there'\n"
    )
    assert "1 passed" in run(suite, "tests/cluster", "--kubeconfig", "there")


async def test_tasks_that_end_by_themselves_are_no_leak() -> None:
    """Is a task that is about to end waited for, and one that was there before not counted?"""
    task = asyncio.create_task(asyncio.sleep(0))
    assert await left_tasks(set()) == []
    assert task.done()
    waiting = asyncio.create_task(asyncio.Event().wait(), name="waits")
    assert await left_tasks({waiting}) == []
    (left,) = await left_tasks(set())
    assert left.startswith("waits: ")
    waiting.cancel()


async def test_open_sessions_are_found() -> None:
    """Is a session found while it is open, once, and a closed one never?"""
    async with aiohttp.ClientSession():
        pass
    assert newly_open_sessions() == []
    async with aiohttp.ClientSession():
        assert len(newly_open_sessions()) == 1
        assert newly_open_sessions() == []
