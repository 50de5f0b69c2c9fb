"""The controller through a failover of its store, on real servers."""

from pathlib import Path

import pytest

from tests.controlled_world import BUILD, HOUR, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.redis_servers import redis_server
from tests.switching_forwarder import SwitchingForwarder

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
CLAIMS = f"bootstrap:claims:{TARGET}"


async def test_a_failover_that_loses_the_last_claim(world: ControlledWorld, tmp_path: Path) -> None:
    """Where the new primary has not got the last claim, is its build tested once all the same, is
    the claim brought back, and are few tries refused by the old one?
    """
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with redis_server(tmp_path / "one") as one, redis_server(tmp_path / "two") as two:
        async with SwitchingForwarder(one.port).running() as door:
            world.start(store=door.url, **SELDOM)
            await world.until(lambda: one.admin.exists("bootstrap:meta"))
            two.admin.replicaof("127.0.0.1", one.port)
            one.admin.incr("replicated")
            assert one.admin.execute_command("WAIT", 1, 20_000) == 1
            two.admin.replicaof("NO", "ONE")
            world.deploy("first")
            await world.until(lambda: world.phase("first") == "Bootstrapping")
            claim = one.admin.hget(CLAIMS, BUILD.digest())
            assert claim is not None
            assert not two.admin.exists(CLAIMS)
            one.admin.replicaof("127.0.0.1", two.port)
            door.leads_to = two.port
            world.deploy("second")
            await world.passes("first")
            await world.until(lambda: two.admin.hget(CLAIMS, BUILD.digest()) == claim)
            before = len(world.said)
            await LoopClock().sleep(HOUR)
            assert sum("read-only replica" in line for line in world.said[before:]) == 0
            assert sum("read-only replica" in line for line in world.said) < 20
            assert "first" in world.message("second")
            assert world.outcomes("second") == []
            assert door.led[-1] == two.port
