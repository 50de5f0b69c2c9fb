"""A Deployment that is being deleted, and stays until its finalizers let it go."""

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.run import Phase
from tests.fakes import EPOCH
from tests.machine_engine import at_once
from tests.machine_objects import SOUND, deployment, pinned, with_annotations, with_images
from tests.machine_world import World


def being_deleted(world: World, key: str) -> None:
    found = world.deployments[key]
    meta = with_fields(found.metadata, deletion_timestamp=EPOCH)
    world.change(key, with_fields(found, metadata=meta))


def looks(world: World, key: str, answer: object, minutes: float) -> None:
    for _ in range(int(minutes * 2)):
        if world.record(key).run is None:
            return
        world.probe(key, answer)  # type: ignore[arg-type]
        world.settle(key)


def test_nothing_is_started_on_it() -> None:
    """Is a build that is due left to others, and its claim given back?"""
    world = World()
    key = world.add(deployment())
    claim = world.take_claim(key)
    being_deleted(world, key)
    decision = world.settle(key)
    assert (decision.phase, decision.reason) == (Phase.IDLE, "BeingDeleted")
    assert world.record(key).run is None
    assert at_once(world.store.claimed(claim.target, claim.build)) is None
    other = world.add(deployment("second", uid="uid-2"))
    assert world.start_run(other)


@pytest.mark.parametrize("asked", ["retest_requested_at", "test_build"])
def test_no_wish_starts_anything_on_it(asked: str) -> None:
    """Do levers start nothing either?"""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    world.tags["latest"] = "b"
    world.change(key, with_annotations(world.deployments[key], **{asked: "v2"}))
    being_deleted(world, key)
    assert world.settle(key).reason == "BeingDeleted"
    assert world.record(key).run is None


def test_one_that_nobody_has_looked_at_is_left_as_it_is() -> None:
    """Is nothing written to it that was not there?"""
    world = World()
    key = world.add(deployment())
    being_deleted(world, key)
    before = world.deployments[key]
    assert world.settle(key).reason == "BeingDeleted"
    assert world.deployments[key] == before


def test_a_run_that_its_memory_knows_is_not_brought_back() -> None:
    """Is an open run of a Deployment that was made again and deleted at once not pinned anew?"""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    world.change(key, deployment(uid="uid-9"))
    being_deleted(world, key)
    before = world.deployments[key]
    assert world.settle(key).reason == "BeingDeleted"
    assert world.deployments[key] == before


def test_its_run_is_not_failed() -> None:
    """Does neither a pod that ends, nor one that never comes, fail its run; and is no pin put back
    that nobody would roll out?
    """
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    being_deleted(world, key)
    (running,) = world.pods[key]
    leaving = with_fields(running.metadata, deletion_timestamp=EPOCH)
    world.pods[key] = (with_fields(running, metadata=leaving),)
    world.change(key, with_images(world.deployments[key], pinned("b")))
    images = world.image(key)
    looks(world, key, None, 13 * 60)
    record = world.record(key)
    assert record.run is not None
    assert record.run.reverts == 0
    assert world.image(key) == images
    assert record.tested == {}
    other = world.add(deployment("second", uid="uid-2"))
    assert world.settle(other).reason == "Duplicate"  # its pod may still run


def test_its_run_may_pass() -> None:
    """Does a node that is healthy to the end pass, though its Deployment is on its way out?"""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    being_deleted(world, key)
    looks(world, key, SOUND, 30)
    assert world.record(key).outcomes[-1].phase is Phase.PASSED


def test_a_finalizer_alone_keeps_nobody_waiting() -> None:
    """Is a run over whose Deployment only waits for a finalizer, once it has had no pod for as long
    as one may be gone; and is its target free for the next build of a sibling?
    """
    world = World()
    key = world.add(deployment())
    run = world.bootstrap(key)
    being_deleted(world, key)
    world.pods[key] = ()
    looks(world, key, None, 9)
    assert world.record(key).run is not None
    looks(world, key, None, 3)
    ended = world.record(key).outcomes[-1]
    assert (ended.run, ended.phase, ended.reason) == (run, Phase.ABORTED, "DeploymentGone")
    assert world.settle(key).reason == "BeingDeleted"
    world.tags["latest"] = "b"
    other = world.add(deployment("second", uid="uid-2"))
    assert world.start_run(other)
