"""The controller through a failover of its store that loses what was written last."""

from pathlib import Path

import pytest

from tests.controlled_world import BUILD, SELDOM, ControlledWorld
from tests.redis_servers import redis_server

pytestmark = pytest.mark.jumping

CLAIMS = "bootstrap:claims:fuji-c-chain-state-sync"


async def test_a_failover_that_loses_the_last_claim(world: ControlledWorld, tmp_path: Path) -> None:
    """Where the new primary has not got the last claim, is its build tested once all the same, and
    is the claim brought back before anything is granted?
    """
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with redis_server(tmp_path / "one") as one, redis_server(tmp_path / "two") as two:
        world.deploy("early", network="network-1337")
        world.start(store=one.url, **SELDOM)
        await world.until(lambda: world.phase("early") == "Bootstrapping")
        two.admin.replicaof("127.0.0.1", one.port)
        one.admin.incr("replicated")
        assert one.admin.execute_command("WAIT", 1, 20_000) == 1
        two.admin.replicaof("NO", "ONE")
        world.deploy("first")
        await world.until(lambda: world.phase("first") == "Bootstrapping")
        claim = one.admin.hget(CLAIMS, BUILD.digest())
        assert claim is not None
        assert not two.admin.exists(CLAIMS)
        two.admin.save()
        two.stop()
        one.stop(kill=True)
        two.port = one.port  # the address leads to it from now on
        two.start()
        world.deploy("second")
        await world.passes("first")
        await world.until(lambda: "first" in world.message("second"))
        assert two.admin.hget(CLAIMS, BUILD.digest()) == claim
        assert world.outcomes("second") == []
        assert world.has_said("store had forgotten, refilled from records")
