"""House rules for every test: markers by folder, time limits, and nothing is left behind."""

import asyncio
import inspect
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from loguru import logger

from controller.base.logs import json_line
from tests.jumping_loop import JumpingLoop
from tests.leaks import left_tasks, newly_open_sessions

# No verdict by time on a loaded machine, and the same examples each time.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

FOLDERS = ("unit", "functional", "integration", "cluster", "simulation")
UNIT_SECONDS = 120  # a unit test has no sockets and no waiting: longer is a loop without end


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kubeconfig",
        metavar="PATH",
        help="run tests/cluster on the real cluster of this kubeconfig, in a throw-away namespace",
    )


def pytest_configure() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and so would be the programs
    that tests end with it: an ignored signal is inherited, a handled one is not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)
        if folder == "unit" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(UNIT_SECONDS))


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """An ordinary loop, or one whose clock jumps: for tests that are marked so, and the scenarios
    where the simulator plays the cluster.
    """
    scenario = "cluster" in item.path.parts and config.getoption("--kubeconfig") is None
    if scenario or item.get_closest_marker("jumping") is not None:
        return {"jumping": JumpingLoop}
    return {"ordinary": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path | None:
    """The kubeconfig of a real cluster, or None: then the simulator plays it."""
    path = request.config.getoption("--kubeconfig")
    return None if path is None else Path(path)


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged, each line as the JSON of a log says it."""
    found: list[dict[str, Any]] = []
    logger.remove()
    logger.add(lambda message: found.append(json.loads(json_line(message.record))))
    yield found
    logger.remove()
    logger.add(sys.stderr)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> None:
    """Set up first and so torn down last; a test without a loop has nothing to leave."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("nothing_left_in_the_loop")


@pytest.fixture
async def nothing_left_in_the_loop() -> AsyncIterator[None]:
    """Fails a test after which a task still runs or a session is still open."""
    before = asyncio.all_tasks()
    yield
    if left := await left_tasks(before):
        pytest.fail("the test left tasks behind:\n" + "\n".join(left))
    if left := newly_open_sessions():
        pytest.fail("the test left sessions open:\n" + "\n".join(left))
