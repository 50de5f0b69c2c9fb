"""When a Deployment rests, whatever is claimed."""

from dataclasses import replace

import pytest

from controller.domain.decide.at_rest import rests
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import ClaimSeen, Leave, Observation
from controller.domain.decide.observing import contested, with_claims
from tests.machine_objects import deployment, with_annotations
from tests.machine_world import World


def at_rest() -> tuple[World, str]:
    """After its build has passed, and all that follows was written."""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    world.settle(key)
    return world, key


def unasked(world: World, key: str) -> Observation:
    """As it is seen before the store is asked for claims."""
    return with_claims(world.observe(key), None, {})


@pytest.mark.parametrize("owner", ["", "bootstrap/fuji", "bootstrap/other"])
def test_what_was_tested_here_rests_whoever_claims_it(owner: str) -> None:
    """Would the store's answer, whatever it is, change nothing?"""
    world, key = at_rest()
    o = unasked(world, key)
    assert rests(o)
    run = world.record(key).last_run
    standing = {build: ClaimSeen(of, build, run, owner) for of, build in contested(o) if owner}
    decision = decide(with_claims(o, None, standing))
    assert (decision.write, decision.effects) == (None, ())


@pytest.mark.parametrize("leave", [Leave(True), Leave(False, "not yet")])
def test_a_new_build_ends_the_rest(leave: Leave) -> None:
    """Is the store asked as soon as something could begin, also before it may?"""
    world, key = at_rest()
    world.tags["latest"] = "b"
    assert not rests(replace(unasked(world, key), leave=leave))


def test_a_wish_ends_the_rest() -> None:
    """Is the store asked where a person wants the build tested again?"""
    world, key = at_rest()
    world.change(key, with_annotations(world.deployments[key], retest_requested_at="1"))
    assert not rests(unasked(world, key))
