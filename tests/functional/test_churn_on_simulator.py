"""The whole process while Deployments come and go: does anything that lives as long as it grow?"""

import pytest

from tests.controlled_world import BUILD, HOUR, MINUTE, REPOSITORY, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.lasting import grown, sizes

pytestmark = pytest.mark.jumping

KINDS = ("deployments", "services", "persistentvolumeclaims")


async def round_of(world: ControlledWorld, names: list[str]) -> None:
    """Each comes with a tag and a target of its own, one with a monitor that nobody runs, and goes
    for good when its run has begun, or its owner was told why it does not.
    """
    for name in names:
        world.world.push(REPOSITORY, name, BUILD)
        world.deploy(
            name,
            image=f"{REPOSITORY}:{name}",
            annotations={"bootstrap.avax.network/series": name},
            network="no network" if name.startswith("bad") else "fuji",
        )
    for name in names:
        await world.until(lambda name=name: world.phase(name) in ("Bootstrapping", "Blocked"))
    for name in names:
        for kind in KINDS:
            world.world.api.objects.delete(kind, "bootstrap", name)
    await LoopClock().sleep(HOUR)


async def test_nothing_in_the_process_grows(world: ControlledWorld) -> None:
    """Deployments have come and gone, good and bad ones: does any collection of client, caches,
    registry, engine, sinks or metrics hold more than after the first of them?
    """
    world.start(store="memory://", **SELDOM)
    await LoopClock().sleep(2 * MINUTE)
    await round_of(world, ["bad-1", "one", "two"])
    before = sizes(world.app)
    for number in range(2, 4):
        await round_of(world, [f"bad-{number}", f"one-{number}", f"two-{number}"])
    assert len(before) > 60
    assert grown(before, sizes(world.app)) == {}
