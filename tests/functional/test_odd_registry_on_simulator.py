"""Registries that answer otherwise than most, and the controller at work on them: builds are tested
all the same, and no more is asked than before.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from controller.simulator.registry import (
    LongHeaders,
    NoHead,
    Packed,
    SimulatedRegistry,
    WithoutDigest,
)
from tests.controlled_world import HOUR, SELDOM, ControlledWorld, controlled_world
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping


def plays(action: object) -> Callable[[SimulatedRegistry], None]:
    def play(registry: SimulatedRegistry) -> None:
        registry.faults.add(action, path="/manifests/", count=None)

    return play


def strangers_get(status: int) -> Callable[[SimulatedRegistry], None]:
    def play(registry: SimulatedRegistry) -> None:
        registry.rules.stranger_gets = status

    return play


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    "play",
    [
        plays(NoHead(405)),
        plays(NoHead(404)),
        plays(NoHead(403)),
        plays(WithoutDigest()),
        plays(Packed()),
        plays(LongHeaders()),
        strangers_get(404),
        strangers_get(403),
    ],
    ids=["HEAD 405", "HEAD 404", "HEAD 403", "no digest", "gzip", "long", "404", "403"],
)
async def test_build_is_tested(
    world: ControlledWorld, play: Callable[[SimulatedRegistry], None]
) -> None:
    """Does a build pass whose registry has such a habit?"""
    play(world.world.registry)
    world.deploy("node")
    world.start(**SELDOM)
    await world.passes("node")


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_tokens_that_end_early(world: ControlledWorld, status: int) -> None:
    """Is a token that is good no more, which a registry says with any status, replaced without a
    word, at one request for each?
    """
    registry = world.world.registry
    registry.rules.stale_gets = status
    world.deploy("node")
    world.start(**SELDOM)
    await world.passes("node")
    tokens, heads = registry.counts.tokens, registry.counts.heads
    for _ in range(6):
        registry.tokens.revoke_all()
        await LoopClock().sleep(HOUR)
    assert not [line for line in world.said if "reference is not resolved" in line]
    assert registry.counts.tokens - tokens <= registry.counts.heads - heads


@pytest.mark.parametrize("status", [401, 403])
async def test_login_that_is_refused(tmp_path: Path, status: int) -> None:
    """Is a login that is refused sent once in a day, and told on the Deployment with its file?"""
    login = tmp_path / "config.json"
    async with controlled_world(tmp_path) as world:
        registry = world.world.registry
        registry.rules.bad_login_gets = status
        host = registry.url.partition("://")[2]
        login.write_text(
            f'{{"auths":{{"{host}":{{"username":"node-team","password":"wrong-horse"}}}}}}'
        )
        world.deploy("node")
        world.start(registry_auth=str(login), **SELDOM)
        await world.until(lambda: "are not accepted" in world.message("node"))
        await LoopClock().sleep(24 * HOUR)

        assert registry.counts.tokens == 1
        assert str(login) in world.message("node")
        assert "it says 'incorrect username or password'" in world.message("node")
        assert "wrong-horse" not in "".join(world.said)
