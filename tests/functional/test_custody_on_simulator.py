"""A controller beside a monitor: the Lease of the Deployment's name decides, and both are named.

The monitor is another holder of that Lease here; its own engine is the matter of other tests.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import aiohttp
import pytest

from controller.kube.api.client import KubeClient
from controller.kube.lease import LeaseClaim, LeaseLock
from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.world import NAMESPACE
from tests.commands import command
from tests.controlled_world import LEASE, SELDOM, ControlledWorld, controlled_world
from tests.jumping_loop import LoopClock
from tests.kube_samples.credentials import GivenCredentials
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

MONITOR: Object = {
    "name": "monitor",
    "image": "ghcr.io/example/bootstrap-controller:1",
    "args": ["monitor"],
    "restartPolicy": "Always",
}
HOLDER = "fuji-7d9f8b6c5-x2x4z"


class Rights:
    """Everything, but Leases in `closed` where it is named."""

    def __init__(self) -> None:
        self.closed: str | None = None

    def __call__(self, access: Access) -> bool:
        return access.resource != "leases" or access.namespace != self.closed


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def world(tmp_path: Path, rights: Rights) -> AsyncIterator[ControlledWorld]:
    """`fuji` has a monitor, `other`, another target, has none."""
    settings = ServerSettings(
        namespaces=("default", "bootstrap"), tokens={"token": "controller"}, rights=rights
    )
    async with controlled_world(tmp_path, settings=settings) as world:
        world.deploy("fuji", add_monitor)
        world.deploy("other", network="network-1337")
        yield world


def add_monitor(deployment: Object) -> None:
    deployment["spec"]["template"]["spec"]["initContainers"].insert(0, MONITOR)


def remove_monitor(deployment: Object) -> None:
    inits = deployment["spec"]["template"]["spec"]["initContainers"]
    inits[:] = [each for each in inits if each["name"] != "monitor"]


@asynccontextmanager
async def monitor(world: ControlledWorld, holder: str = HOLDER) -> AsyncIterator[LeaseLock]:
    """Holds the Lease of `fuji` while the block runs, and does not give it back."""
    clock = LoopClock()
    credentials = GivenCredentials(world.world.api.url, "token")
    async with KubeClient(credentials, clock) as client:
        claim = LeaseClaim(NAMESPACE, holder, "fuji")
        lock = LeaseLock(client, claim, clock, Random(2), LEASE)
        assert await lock.attempt()
        task = asyncio.create_task(lock.run())
        try:
            yield lock
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def start(world: ControlledWorld, **flags: object) -> None:
    world.start(token="token", **SELDOM, **flags)


def holder_of(world: ControlledWorld, name: str) -> str | None:
    lease = world.world.api.storage.peek("leases", NAMESPACE, name)
    return None if lease is None else str(lease["spec"]["holderIdentity"])


async def test_a_controller_leaves_it_to_the_monitor_that_holds_its_lease(
    world: ControlledWorld,
) -> None:
    """Is nothing written there, who it is said once, and all else tested as ever?"""
    async with monitor(world):
        start(world)
        await world.passes("other")
        assert world.metadata("fuji")["annotations"] == {
            key: value
            for key, value in world.metadata("fuji")["annotations"].items()
            if "bootstrap.avax.network" not in key
        }
        assert world.events("fuji") == []
    said = [line for line in world.said if "deployment is left alone" in line]
    assert len(said) == 1
    assert f"{HOLDER} holds its Lease bootstrap/fuji" in said[0]
    assert holder_of(world, "other") is None


async def test_a_controller_takes_over_from_a_monitor_that_has_died(
    world: ControlledWorld,
) -> None:
    """Is a run begun when the monitor's Lease has run out, and not before?"""
    async with monitor(world):
        start(world)
        await world.until(lambda: world.has_said("deployment is left alone"))
        renewed = LoopClock().monotonic()
    await world.until(lambda: world.record("fuji") is not None)
    assert LoopClock().monotonic() - renewed >= LEASE.duration - LEASE.retry
    assert world.has_said("deployment is looked after here from now on")
    assert holder_of(world, "fuji") == "controller-0"
    await world.stop()
    assert holder_of(world, "fuji") == ""


async def test_a_controller_gives_the_lease_back_when_there_is_no_monitor_any_more(
    world: ControlledWorld,
) -> None:
    """Is a Deployment whose manifest lost its monitor looked after without a Lease?"""
    start(world)
    await world.until(lambda: holder_of(world, "fuji") == "controller-0")
    world.world.change("fuji", remove_monitor)
    await world.until(lambda: holder_of(world, "fuji") == "")
    await world.passes("fuji")
    assert holder_of(world, "fuji") == ""


async def test_a_controller_without_rights_on_the_lease_stands_aside(
    world: ControlledWorld, rights: Rights
) -> None:
    """Does a controller that leads by a Lease elsewhere leave alone what it may not claim, say
    which right is missing, and test all else?
    """
    rights.closed = NAMESPACE
    world.world.api.kubeconfig(world.kubeconfig, namespace="default", token="token")
    listen = f"127.0.0.1:{free_port()}"
    world.start(all_namespaces=True, listen=listen, **SELDOM)  # with the Lease of `default`
    await world.passes("other")
    async with aiohttp.ClientSession() as session, session.get(f"http://{listen}/readyz") as ready:
        assert ready.status == 200
        assert "Lease bootstrap/fuji cannot be had: not allowed to get leases" in await ready.text()
    assert world.record("fuji") is None
    assert world.has_said("a Deployment that has a monitor is left alone while its Lease cannot")
    assert world.has_said("not allowed to get leases.coordination.k8s.io fuji in namespace")


async def test_a_dry_run_looks_at_it_and_claims_nothing(world: ControlledWorld) -> None:
    """Does a dry run say what it would do beside a monitor, and leave its Lease alone?"""
    start(world, dry_run=True)
    await world.until(lambda: any("bootstrap/fuji" in s and "would_write" in s for s in world.said))
    assert holder_of(world, "fuji") is None


async def explained(world: ControlledWorld, name: str = "fuji") -> list[str]:
    world.world.api.kubeconfig(world.kubeconfig, namespace=NAMESPACE, token="token")
    words = ("explain", name, "--kubeconfig", str(world.kubeconfig), "--output", "json")
    done = await command(*words)
    assert done.code == 0, done.err
    found: list[str] = done.json()["told"]["looks after"]
    return found


async def test_explain_says_who_looks_after_it(world: ControlledWorld, rights: Rights) -> None:
    """Is the holder of its Lease named, be it a controller, something else, or nobody, and why
    nothing can be said? And is a Deployment without a monitor not asked about?
    """
    assert await explained(world, "other") == []
    assert await explained(world) == [
        "nobody: Lease bootstrap/fuji is held by nobody, so its pod's monitor does not run, nor"
        " does a controller take its place"
    ]
    async with monitor(world):
        (told,) = await explained(world)
        assert told.startswith(
            f"{HOLDER} (another controller, or a monitor whose pod is gone) holds"
        )
        assert "Lease bootstrap/fuji, renewed " in told
    rights.closed = NAMESPACE
    (told,) = await explained(world)
    assert told.startswith(
        "cannot be told: Lease bootstrap/fuji cannot be read (not allowed to get"
    )


async def test_explain_tells_monitor_from_controller(world: ControlledWorld) -> None:
    """Is a holder that is a pod of the Deployment called its monitor, and the controller so?"""
    start(world)
    await world.until(lambda: world.record("fuji") is not None)
    (told,) = await explained(world)
    assert told.startswith("controller controller-0 holds Lease bootstrap/fuji")
    await world.stop()
    pod = world.world.pod_of("fuji")
    assert pod is not None
    async with monitor(world, pod["metadata"]["name"]):
        (told,) = await explained(world)
    assert told.startswith(f"monitor {pod['metadata']['name']} holds Lease bootstrap/fuji")
