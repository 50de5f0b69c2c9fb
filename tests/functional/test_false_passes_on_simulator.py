"""What looks like a pass and is none (I3), against the whole controller: nothing here passes while
it lasts, nothing fails for it, and the run passes once it is over.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from controller.simulator.faults import Answer
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.cluster import pod_is_leaving
from tests.controlled_world import DAY, HOUR, MINUTE, REPOSITORY
from tests.dozing_clock import DozingClock
from tests.false_pass_world import (
    HELD,
    NAME,
    OF_THE_CONTROLLER,
    SOAK,
    SOAK_LOOKS,
    TAG,
    Stage,
    height,
    passed_on,
    stage,
)
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

QUICK = Plan(bootstrap_seconds=MINUTE)


@pytest.fixture
async def on(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as found:
        yield found


async def test_the_old_pod_still_answers(on: Stage) -> None:
    """The build before has passed, and its pod will not end: healthy, at the tip, of this
    Deployment, and the only one. Does it pass the next build, whose pod has not come?
    """
    on.world.world.push(REPOSITORY, TAG, replace(HELD, plan=replace(QUICK, deaf=True)))
    on.deploys(grace=3 * HOUR)
    await on.passes()
    old = await on.node()
    on.world.world.push(REPOSITORY, TAG, SimulatedBuild("1.14.1", "b2" * 20, QUICK))
    await on.world.until(lambda: any(map(pod_is_leaving, on.world.world.pods_of(NAME))))
    await on.does_not_pass(old, "Starting", before=1)
    old.kill()
    await on.passes(before=1)


async def test_a_terminating_pod(on: Stage) -> None:
    """The run's own pod is made to end, and its node goes on: bootstrapped, healthy, at the tip.
    Does the run pass on it, while the pod that takes its place waits for the volume?
    """
    on.world.world.push(REPOSITORY, TAG, replace(HELD, plan=replace(HELD.plan, deaf=True)))
    node = await on.soaks(grace=HOUR)
    on.delete_pod(on.pod())
    await on.world.until(lambda: on.world.world.pod_of(NAME))
    node.freeze(frozen=False)
    await on.does_not_pass(node, "Soaking")
    node.kill()
    await on.passes()


async def test_a_second_pod_of_the_run(on: Stage) -> None:
    """Two pods of the Deployment carry the run's id and image, are behind its Service, and are both
    healthy and at the tip. Which of them has the run's data? Does it pass while nobody knows?
    """
    node = await on.soaks()
    other = await on.another_pod(owned=True)
    other.finish()
    node.freeze(frozen=False)
    await on.does_not_pass(node, "Soaking")
    on.delete_pod(f"{NAME}-another")
    await on.passes()


async def test_another_pod_behind_the_service(on: Stage) -> None:
    """A pod that is nobody's has the labels that the Service selects, and the run's id and image;
    it is healthy and at the tip while the run's own still bootstraps. Does the run pass on it?
    """
    node = await on.begins()
    other = await on.another_pod(owned=False)
    other.finish()
    await on.does_not_pass(other, "Bootstrapping")
    node.finish()
    await on.passes()
    assert other.port  # it did no harm, so it may stay


async def test_a_pod_of_another_image(on: Stage) -> None:
    """Somebody has set another image on the run's own pod, in place; its node is healthy and at the
    tip, its data the run's own. Is an image that is not the pin passed as the pin?
    """
    fresh = await on.begins()
    pinned = on.run().image
    on.delete_pod(on.pod())
    node = await on.node(besides=fresh)  # resumed: the binary is known to be the data's
    node.freeze()
    node.finish()
    await on.enters("Soaking")
    on.set_pod_image(on.pod(), f"{REPOSITORY}:{TAG}")
    node.freeze(frozen=False)
    await on.does_not_pass(node, "Soaking")
    on.set_pod_image(on.pod(), pinned)
    await on.passes()


async def test_a_pin_that_was_taken_back(on: Stage) -> None:
    """A GitOps tool puts the tag back, and again once the controller has put its pin back. The tag
    is another build by now, compiled from the same commit and so with the same binary: it resumes
    the data, is healthy and at the tip. Does the run pass in the minute that this lasts?
    """
    node = await on.begins(soak=20.0, flags={"probe_interval": "5s"})
    pinned = on.run().image
    rebuilt = replace(HELD, version="1.14.0-rebuilt", plan=QUICK)
    on.world.world.push(REPOSITORY, TAG, rebuilt)
    for reverts in range(2):
        on.set_image(f"{REPOSITORY}:{TAG}", "argocd-controller")
        other = await on.node(besides=node)
        assert other.state.plan == rebuilt.plan
        other.finish()
        if reverts:
            await on.does_not_pass(other, "Bootstrapping", decisions=9)
        assert on.run().reverts == reverts
        await on.world.until(lambda: on.run().reverts > reverts)  # noqa: B023 awaited at once
        node = await on.node(besides=other)
    assert on.run().image == pinned
    node.finish()
    await on.passes()


@pytest.mark.parametrize("prepares", [False, True], ids=["says so", "does so"])
async def test_data_of_another_run(on: Stage, prepares: bool) -> None:
    """The init container says that it prepared the data of another run, and in one case it did; the
    node is healthy and at the tip. Does the run pass, or even begin?
    """
    on.init.speaks, on.init.prepares = True, prepares
    on.deploys()
    node = await on.node()
    node.finish()
    await on.does_not_pass(node, "Starting")
    on.init.speaks = on.init.prepares = False
    on.delete_pod(on.pod())
    (await on.node(besides=node)).finish()
    await on.passes()


async def test_ready_for_one_probe(on: Stage) -> None:
    """The node is ready at every second probe, healthy at each, and at the tip. Do the ready ones
    add up to a soak?
    """
    node = await on.begins()
    unready = orjson.dumps(node.health.document("readiness"))
    for _ in range(100):
        on.world.world.api.faults.add(Answer(503, unready), path=OF_THE_CONTROLLER)
        on.world.world.api.faults.add(passed_on(), path=OF_THE_CONTROLLER)
    looks = on.looks()
    node.finish()
    await on.enters("Soaking")
    await on.does_not_pass(node, "Soaking")
    assert on.looks() < looks + 200
    on.world.world.api.faults.clear()
    await on.passes()


async def test_checks_that_stand(on: Stage) -> None:
    """One chain is locked since the node got ready: ready, healthy, and at the tip, by a document
    that no longer changes. Does it pass on old news?
    """
    node = await on.begins()
    node.finish()
    healthy = Answer(200, orjson.dumps(node.health.document("health")))
    stands = on.world.world.api.faults.add(healthy, path=r"/proxy/ext/health$", count=None)
    await on.enters("Soaking")
    await on.does_not_pass(node, "Soaking")
    assert stands.hits > SOAK_LOOKS
    on.world.world.api.faults.clear()
    await on.passes()


async def test_heights_are_frozen(on: Stage) -> None:
    """The node is bootstrapped, healthy, and its newest block minutes young; no new one comes. Does
    it pass before one does?
    """
    node = await on.soaks()
    await on.asks(SOAK_LOOKS)
    assert on.world.phase(NAME) == "Soaking"
    node.freeze(frozen=False)
    await on.passes()


async def test_a_restart_between_two_probes(on: Stage) -> None:
    """The node restarts and is back, ready, healthy and with new blocks, before anybody asks it
    again: no probe has seen it otherwise. Does the soak of the process before count for this one?
    """
    old = await on.soaks()
    frozen, back = height(old), asyncio.Event()
    await on.held_look(back).happened()
    old.kill()
    new = await on.node(besides=old)
    await on.blocks(new, 1)
    await on.world.until(lambda: on.run().seen.restarts == 1)
    looks = on.looks()
    back.set()
    checked = await on.passes()
    assert checked.heights["C"][0] > frozen
    assert 2 <= checked.looks <= on.looks() - looks
    assert checked.seconds >= SOAK


async def test_a_restart_that_is_told_late(on: Stage) -> None:
    """The same, and the watch tells of it only when the new process has been asked, ready and
    healthy, for longer than a soak: until then the controller takes it for the old one. Does the
    soak of the process before count once it is told?
    """
    frozen = replace(HELD, plan=replace(HELD.plan, heights_frozen=True))
    on.world.world.push(REPOSITORY, TAG, frozen)
    old = await on.soaks()
    late, back = on.late_watch(), asyncio.Event()
    await on.held_look(back).happened()
    old.kill()
    new = await on.node(besides=old)
    back.set()
    await on.asks(SOAK_LOOKS)
    looks = on.looks()
    on.told(late)
    await on.world.until(lambda: on.run().seen.restarts == 1)
    new.state.plan = HELD.plan
    checked = await on.passes()
    assert 2 <= checked.looks <= on.looks() - looks
    assert checked.seconds >= SOAK


async def test_a_restart_that_is_not_told_yet(on: Stage) -> None:
    """The same, and the new process has the new block that the soak lacked while the watch still
    shows the old one. Does the run pass on the looks at both?
    """
    old = await on.soaks()
    frozen, late, back = height(old), on.late_watch(), asyncio.Event()
    await on.held_look(back).happened()
    old.kill()
    new = await on.node(besides=old)
    await on.blocks(new, 1)
    back.set()
    await on.does_not_pass(new, "Soaking", decisions=SOAK_LOOKS)
    on.told(late)
    checked = await on.passes()
    assert checked.heights["C"][0] > frozen


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "another process"])
async def test_the_controller_is_away(on: Stage, restarted: bool) -> None:
    """The controller goes in mid-soak and comes back after longer than the soak; the node is ready,
    healthy and at the tip, before and after. Is the time that nobody saw part of the soak?
    """
    node = await on.soaks()
    frozen = height(node)
    await on.world.stop()
    if restarted:
        node.kill()
        node = await on.node(besides=node)
    node.freeze(frozen=False)
    await LoopClock().sleep(2 * SOAK)
    looks = on.looks()
    on.world.start()
    checked = await on.passes()
    assert checked.heights["C"][0] > frozen
    assert 2 <= checked.looks <= on.looks() - looks
    assert checked.seconds >= SOAK


async def test_a_silence_in_mid_soak(on: Stage) -> None:
    """The controller stands still for a little longer than a gap in observation may be (two minutes
    and three seconds); the node is ready, healthy and at the tip before it and after it. Is what
    lies between them part of the soak?
    """
    clock = DozingClock()
    node = await on.soaks(clock)
    frozen = height(node)
    node.freeze(frozen=False)
    await clock.doze(2 * MINUTE + 5)
    looks = on.looks()
    checked = await on.passes()
    assert checked.heights["C"][0] > frozen
    assert checked.looks <= 1 + on.looks() - looks


async def test_a_short_silence_in_mid_soak(on: Stage) -> None:
    """The same, for a little less than that. Does the soak go on?"""
    clock = DozingClock()
    node = await on.soaks(clock)
    frozen = height(node)
    node.freeze(frozen=False)
    await clock.doze(85)
    checked = await on.passes()
    assert checked.heights["C"][0] == frozen
    assert checked.seconds >= SOAK


@pytest.mark.parametrize("ahead", [DAY, -DAY], ids=["ahead", "behind"])
@pytest.mark.parametrize("network", ["fuji", "network-1337"])
async def test_our_clock_is_wrong(on: Stage, network: str, ahead: float) -> None:
    """The controller's clock is wrong by a day from its start on; the node is healthy, and at the
    tip of a network whose blocks are young (fuji) or of any age. Does it pass before the clock is
    right?
    """
    clock = LoopClock(ahead)
    node = await on.begins(clock, network=network)
    node.finish()
    await on.enters("Soaking")
    await on.does_not_pass(node, "Soaking")
    clock.ahead = 0.0
    await on.passes()


async def test_our_clock_and_the_chains_are_wrong(tmp_path: Path) -> None:
    """Our clock is a day ahead, and that of the node's machine and so the chain's with it: its
    blocks look young. The API server's is right. Does it pass before all agree?
    """
    clock = LoopClock(DAY)
    async with stage(tmp_path, machine=clock) as on:
        node = await on.begins(clock)
        node.finish()
        await on.enters("Soaking")
        await on.does_not_pass(node, "Soaking")
        clock.ahead = 0.0
        await on.passes()
