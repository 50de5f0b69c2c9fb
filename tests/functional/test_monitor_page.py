"""A monitor with `--page` serves the page of its one Deployment."""

import json
import re
from pathlib import Path

import pytest

from controller.cli.exit_codes import BAD_USAGE
from tests.commands import command
from tests.controlled_world import SELDOM
from tests.monitored_world import monitored_world
from tests.page_desk import get

pytestmark = pytest.mark.jumping


async def test_a_monitor_shows_its_own_deployment(tmp_path: Path) -> None:
    """Is its Deployment on the page, with its run, and no other of the namespace?"""
    async with monitored_world(tmp_path, page="127.0.0.1:0", **SELDOM) as world:
        world.deploy("other")
        world.deploy_monitored("fuji")
        await world.until(lambda: (found := world.record("fuji")) and found.run)
        (line,) = (line for line in world.said if line.startswith("page is served"))
        port = re.search(r"'port': (\d+)", line)
        assert port is not None
        url = f"http://127.0.0.1:{port[1]}"
        _, told, _ = await get(f"{url}/api/v1/deployments")
        assert [d["deployment"] for d in json.loads(told)["items"]] == ["bootstrap/fuji"]
        status, page, _ = await get(url)
        assert (status, "Starting" in page or "Bootstrapping" in page) == (200, True)


async def test_the_flag_is_the_monitors_too() -> None:
    """Is it read by the command, and a fault of it told as one of its own?"""
    done = await command("monitor", "--page", "8081")
    assert done.code == BAD_USAGE
    assert "--page (BOOTSTRAP_PAGE) is '8081': write host:port" in done.err
