"""What a run survives on the whole simulator: trouble that a new process, a new pod or some
patience ends, and what only looks like trouble. Each must come to none, and the run pass.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import Outcome, decode_record, encode_record
from controller.domain.target import SyncMode
from controller.simulator.faults import Answer, Refuse
from controller.simulator.node import Plan
from controller.simulator.world import NAMESPACE
from tests.causes_world import (
    QUICK,
    begin,
    bootstrapping,
    causes_world,
    ends,
    hears,
    outcome,
    pod,
    running,
    told,
)
from tests.controlled_world import DAY, MINUTE, ControlledWorld
from tests.fuji_world import status_of
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

RULES = Rules()
MARGIN = 10 * MINUTE  # two looks, at an end that comes just before a patience is over
ENDLESS = Plan(bootstrap_seconds=inf)
SLOW = 3 * RULES.stall_fetching  # longer than anything may stand still


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with causes_world(tmp_path) as found:
        yield found


async def passes(world: ControlledWorld) -> Outcome:
    """The run ends by passing, and none has failed; returns how."""
    found = await ends(world)
    assert (found.phase, found.reason) == ("Passed", "Soaked"), found.message
    await hears(world, "Soaked")
    assert world.outcomes("fuji") == ["Passed"]
    assert ": Failed (" not in world.notes("fuji")
    assert found.checked is not None
    assert set(found.checked.held) == {"readiness", "health", "C tip"}
    first, last = found.checked.heights["C"]
    assert last > first
    return found


async def finish(world: ControlledWorld, restarts: int = 0) -> Outcome:
    """The node that runs has bootstrapped; the run passes."""
    (await running(world, restarts)).finish()
    return await passes(world)


async def post_eviction(world: ControlledWorld) -> None:
    """What `kubectl drain` does to the pod."""
    name = pod(world)
    path = f"{world.world.api.url}/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    async with aiohttp.ClientSession() as session, session.post(path, json=body) as answer:
        assert answer.status == 201


# --- The node by itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(replace(QUICK, low_stake=True), id="low stake"),
        pytest.param(replace(QUICK, bootstrap_seconds=SLOW), id="slow"),
        pytest.param(replace(QUICK, metrics=False), id="no metrics"),
    ],
)
async def test_what_only_looks_like_trouble_passes(world: ControlledWorld, plan: Plan) -> None:
    """Does a node that reaches few validators, is slow but moving, or tells little, pass?"""
    begin(world, plan)
    await passes(world)


async def test_five_restarts_are_survived(world: ControlledWorld) -> None:
    """Does a node that crashes five times and then works pass, each restart told with its line?"""
    begin(world, replace(QUICK, crash_after=MINUTE, crash_times=5, crash_line="no such message"))
    await passes(world)
    notes = told(world, "NodeRestarted")
    assert any(
        "5 in a row" in note and "C: shutting down chain: no such message" in note for note in notes
    )


async def test_one_end_for_want_of_memory_is_survived(world: ControlledWorld) -> None:
    """Is a node that ran out of memory once told of once, as that, and passes?"""
    begin(world, replace(QUICK, oom_after=10 * MINUTE, oom_times=1))
    await passes(world)
    (note,) = told(world, "NodeRestarted")
    assert "exit code 137 (out of memory)" in note


async def test_one_end_with_exit_code_0_is_survived(world: ControlledWorld) -> None:
    """Does a node that ended once with 0, though nobody told it to, pass when it is back?"""
    begin(world, ENDLESS)
    (await bootstrapping(world)).kill(0)
    await finish(world, restarts=1)
    (note,) = told(world, "NodeRestarted")
    assert "exit code 0" in note


async def test_a_node_that_somebody_tells_to_stop_is_not_at_fault(world: ControlledWorld) -> None:
    """Is a node that ends with 0 by a signal, in its pod and again and again, as by a probe of its
    kubelet's, told as that, and does it pass when it is back?
    """
    begin(world, ENDLESS)
    await bootstrapping(world)
    for restarts in range(4):
        (await running(world, restarts)).terminate()
    await finish(world, restarts=4)
    notes = told(world, "NodeRestarted")
    assert any("exit code 0" in note and "it was told to stop" in note for note in notes)


async def test_flapping_health_is_survived(world: ControlledWorld) -> None:
    """Does a check that fails time and again, once for nearly as long as is patience and all times
    together longer, keep a run from passing only as long as it does?
    """
    begin(world, QUICK)
    node = await bootstrapping(world)
    await world.until(lambda: world.phase("fuji") == "Soaking")
    for time, lasts in enumerate((RULES.unhealthy_patience - MARGIN, 2 * MARGIN, 2 * MARGIN), 1):
        node.fail("router", "messages are dropped")
        await LoopClock().sleep(lasts)
        assert len(told(world, "Unhealthy")) == time
        node.mend("router")
        await hears(world, "UnhealthyEnded", time)
        assert outcome(world) is None
    await passes(world)
    assert "messages are dropped" in told(world, "Unhealthy")[0]


# --- Its pod and its machine ---------------------------------------------------------------------


async def test_an_eviction_on_day_20_is_survived(world: ControlledWorld) -> None:
    """Does a run of twenty days go on in another pod, on its data, with its days, and pass; and are
    people told once?
    """
    begin(world, ENDLESS, mode=SyncMode.FULL)
    await bootstrapping(world)
    await world.stop()

    def long_ago(deployment: Any) -> None:
        annotations = deployment["metadata"]["annotations"]
        record = decode_record(annotations[names.RECORD], NAMESPACE, "fuji")
        assert record.run is not None
        run = msgspec.structs.replace(record.run, observed=20 * DAY)
        record = msgspec.structs.replace(record, run=run)
        annotations[names.RECORD] = encode_record(record, RULES)

    world.world.change("fuji", long_ago)
    world.start()
    before = pod(world)
    world.world.workloads.evict(NAMESPACE, before)
    await hears(world, "PodReplaced")
    assert pod(world) != before
    found = await finish(world)
    assert found.observed > 20 * DAY
    assert found.resumes == 1
    (note,) = told(world, "PodReplaced")
    assert "Evicted: The node was low on resource: ephemeral-storage" in note
    assert told(world, "NodeRestarted") == []


async def test_drained_nodes_that_exit_0_are_survived(world: ControlledWorld) -> None:
    """Is a node that a drain tells to end, and that ends with 0, never counted as one that ended by
    itself, however often it happens?
    """
    begin(world, replace(ENDLESS, shutdown_seconds=MINUTE))
    await bootstrapping(world)
    for times in range(1, 4):
        await running(world)
        await post_eviction(world)
        await hears(world, "PodReplaced", times)
    found = await finish(world)
    assert found.resumes == 3
    assert told(world, "NodeRestarted") == []


@pytest.mark.parametrize("graceful", [False, True], ids=["power fails", "in good order"])
async def test_restarts_of_the_machine_are_survived(world: ControlledWorld, graceful: bool) -> None:
    """Does a run go on in its pod, on its data, however often the machine restarts under it, and is
    that never held against the node?
    """
    begin(world, ENDLESS)
    await bootstrapping(world)
    before = pod(world)
    for times in range(1, 8):
        world.world.reboot("fuji", graceful=graceful)
        await running(world, restarts=times)
    found = await finish(world, restarts=7)
    assert pod(world) == before
    assert found.resumes == 7
    assert told(world, "PodReplaced") == []
    assert told(world, "NodeRestarted") == []


async def test_a_volume_that_attaches_late_is_survived(world: ControlledWorld) -> None:
    """Is a pod that waits for its volume told of, and that it waits no more, and does it pass?"""
    world.world.detach("fuji")
    begin(world, QUICK)
    await hears(world, "Unschedulable")
    world.world.attach("fuji")
    await passes(world)
    (began,), (ended,) = told(world, "Unschedulable"), await hears(world, "UnschedulableEnded")
    assert "its containers have not begun (volumes" in began
    assert "the run fails (Unschedulable) if it lasts for 12h" in began
    assert "over after" in ended


async def test_a_machine_without_room_for_a_while_is_survived(world: ControlledWorld) -> None:
    """Does an evicted pod that no machine takes for nearly as long as is patience go on when one
    does?
    """
    begin(world, ENDLESS)
    await bootstrapping(world)
    world.world.cordon()
    world.world.workloads.evict(NAMESPACE, pod(world))
    await hears(world, "Unschedulable")
    await LoopClock().sleep(RULES.unschedulable_patience - RULES.condition_told - MARGIN)
    world.world.cordon(False)
    found = await finish(world)
    assert found.resumes == 1
    assert "nodes are available" in told(world, "Unschedulable")[0]
    assert len(await hears(world, "UnschedulableEnded")) == 1


async def test_a_volume_that_is_mended_is_survived(world: ControlledWorld) -> None:
    """Does a run begin after all when its init container can use the volume again?"""
    volume = world.world.volume("fuji")
    volume.fault = "/data is not writable: the volume is read-only"
    begin(world, QUICK)
    await world.until(lambda: _init_restarts(world) >= 3)
    volume.fault = ""
    await passes(world)


def _init_restarts(world: ControlledWorld) -> int:
    return int(status_of(world.world, "prepare-data").get("restartCount", 0))


# --- The registry --------------------------------------------------------------------------------


async def test_a_registry_that_is_late_for_kubelets_is_survived(world: ControlledWorld) -> None:
    """Is an image that comes a little before the end of patience told of in the registry's words,
    and that it has come, and does the run pass?
    """
    world.world.images.broken = lambda _: "toomanyrequests: You have reached your pull rate limit"
    begin(world, QUICK)
    await hears(world, "ImagePull")
    await LoopClock().sleep(RULES.image_pull_patience - RULES.condition_told - MARGIN)
    world.world.images.broken = lambda _: None
    await passes(world)
    (began,), (ended,) = told(world, "ImagePull"), await hears(world, "ImagePullEnded")
    assert "toomanyrequests: You have reached your pull rate limit" in began
    assert "the run fails (ImagePull) if it lasts for 6h" in began
    assert "over after" in ended


@pytest.mark.parametrize("trouble", [Answer(503), Refuse()], ids=["503", "resets"])
async def test_a_registry_that_is_late_for_us_is_survived(
    world: ControlledWorld, trouble: object
) -> None:
    """Does a registry that we cannot ask delay a run, say so, and nothing more?"""
    faults = world.world.registry.faults
    rule = faults.add(trouble, path="/v2/", count=None)
    begin(world, QUICK)
    await hears(world, "RegistryTrouble")
    assert world.phase("fuji") == "Idle"
    assert outcome(world) is None
    faults.remove(rule)
    await passes(world)


async def test_a_registry_that_goes_away_in_mid_run_is_survived(world: ControlledWorld) -> None:
    """Does a run that is open not mind that its tag cannot be asked for?"""
    begin(world, ENDLESS)
    node = await bootstrapping(world)
    rule = world.world.registry.faults.add(Answer(503), path="/v2/", count=None)
    await rule.happened(3)
    node.finish()
    await passes(world)


async def test_a_label_of_a_base_image_is_survived(world: ControlledWorld) -> None:
    """Is a commit that only a label tells, and no tag of the build bears out, no wrong version?"""
    inherited = {"org.opencontainers.image.revision": "c3" * 20}
    begin(world, QUICK, build={"labels": inherited})
    found = await passes(world)
    assert found.commit.startswith("a1")


async def test_a_record_that_somebody_forged(world: ControlledWorld) -> None:
    """Does a run go on and pass though a Deployment without replicas says that it tests the build
    since longer ago?
    """
    begin(world, ENDLESS)
    await bootstrapping(world)
    record = world.record("fuji")
    assert record is not None
    assert record.run is not None
    early = f"20200101t000000z-{record.run.id[-8:]}"
    run = msgspec.structs.replace(record.run, id=early)
    forged = msgspec.structs.replace(record, name="forged", run=run, last_run=early, steps=())

    def forge(deployment: Any) -> None:
        deployment["spec"]["replicas"] = 0
        annotations = deployment["metadata"].setdefault("annotations", {})
        annotations[names.RECORD] = encode_record(forged, RULES)

    world.deploy("forged", forge)
    await world.until(lambda: world.outcomes("forged") == ["Aborted"])
    assert world.outcomes("fuji") == []
    await finish(world)
