"""Missing rights: named by verb and resource, and harmless to other namespaces."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.server import ServerSettings
from tests.controlled_world import SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

LOCKED = "locked"  # a namespace in which a right is missing


class Rights:
    """Everything but `missing`, (verb, resource), in the namespace `locked`."""

    def __init__(self) -> None:
        self.missing: set[tuple[str, str]] = set()

    def __call__(self, access: Access) -> bool:
        return access.namespace != LOCKED or (access.verb, access.resource) not in self.missing


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def world(tmp_path: Path, rights: Rights) -> AsyncIterator[ControlledWorld]:
    """Two namespaces, a Deployment in each, of different targets."""
    settings = ServerSettings(
        namespaces=("default", "bootstrap", LOCKED),
        tokens={"secret-token": "system:serviceaccount:bootstrap:controller"},
        rights=rights,
    )
    async with controlled_world(tmp_path, settings=settings) as world:
        world.deploy("good", network="network-1337")
        world.deploy("bad", namespace=LOCKED)
        yield world


def start(world: ControlledWorld) -> None:
    world.start(token="secret-token", namespace=["bootstrap", LOCKED], **SELDOM)


async def test_no_right_to_patch(world: ControlledWorld, rights: Rights) -> None:
    """Is the missing right to patch named in the log and in an Event on the Deployment, does the
    other namespace work, and this one as soon as the right is given?
    """
    rights.missing = {("patch", "deployments")}
    start(world)
    await world.passes("good")
    assert world.has_said("missing right: patch deployments.apps in namespace locked")
    sentence = "not allowed to patch deployments.apps bad in namespace locked"
    await world.until(lambda: sentence in world.notes("bad", LOCKED))
    assert [told for told, _ in world.events("bad", LOCKED)] == ["Forbidden"]
    assert world.phase("bad", LOCKED) == ""
    rights.missing = set()
    world.world.change("bad", lambda _: None, namespace=LOCKED)
    world.world.annotate("bad", namespace=LOCKED, suspend="false")  # whatever has it looked at
    await world.passes("bad", LOCKED)
    assert "ForbiddenEnded" in [told for told, _ in world.events("bad", LOCKED)]


async def test_no_right_to_post_events(world: ControlledWorld, rights: Rights) -> None:
    """Is a missing right to post Events named, and everything tested all the same?"""
    rights.missing = {("create", "events")}
    start(world)
    await world.passes("bad", LOCKED)
    await world.passes("good")
    sentence = "create events.events.k8s.io in namespace locked"
    assert world.has_said(f"missing right: {sentence}")
    assert world.has_said("Kubernetes Events cannot be posted")
    assert world.events("bad", LOCKED) == []
    assert world.events("good") != []


async def test_no_right_to_watch(world: ControlledWorld, rights: Rights) -> None:
    """Does a controller that may list and not watch say so, and work on what it has listed?"""
    rights.missing = {("watch", "deployments")}
    start(world)
    sentence = "watch deployments.apps in namespace locked"
    await world.until(lambda: world.has_said(f"missing right: {sentence}"))
    await world.until(lambda: world.has_said(f"not allowed to {sentence}"))
    await world.passes("good")


async def test_no_right_to_list(world: ControlledWorld, rights: Rights) -> None:
    """Does a controller that does not see all it was told to watch say why, and start nothing? (A
    build may have been tested where it cannot look.)
    """
    rights.missing = {("list", "pods")}
    start(world)
    sentence = "list pods in namespace locked"
    await world.until(lambda: world.has_said(f"missing right: {sentence}"))
    await world.until(lambda: world.has_said(f"not allowed to {sentence}"))
    assert world.phase("good") == world.phase("bad", LOCKED) == ""


async def test_no_right_to_the_lease(world: ControlledWorld, rights: Rights) -> None:
    """Does a controller that may not hold the Lease say so and start nothing?"""
    rights.missing = {("create", "leases"), ("get", "leases")}
    start(world)
    await world.until(lambda: world.has_said("missing right: get leases.coordination.k8s.io"))
    await world.until(lambda: world.has_said("lease attempt failed"))
    assert world.phase("good") == ""
