"""The log of a controller says at its start which API server it works at, and as whom."""

from pathlib import Path

import pytest

from tests.controlled_world import controlled_world

pytestmark = pytest.mark.jumping


async def test_the_log_names_the_server_at_the_start(tmp_path: Path) -> None:
    """Before anything is written there?"""
    async with controlled_world(tmp_path) as world:
        peer = world.world.api.url.removeprefix("http://")
        world.start()
        await world.until(lambda: any("controller leads" in said for said in world.said))
        said = [each for each in world.said if "API server is chosen" in each]
    assert len(said) == 1
    assert peer in said[0]
    assert "context simulated" in said[0]
