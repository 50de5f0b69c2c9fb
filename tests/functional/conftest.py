"""What many functional tests stand on; a file that needs it otherwise defines its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.controlled_world import ControlledWorld, controlled_world, todays_clock
from tests.redis_servers import RedisServer, redis_server


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    """The simulated world, today, with a build pushed and no controller started yet."""
    async with controlled_world(tmp_path, clock=todays_clock()) as found:
        yield found


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found
