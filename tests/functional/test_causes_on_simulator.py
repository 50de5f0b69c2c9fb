"""Causes of failure as a simulated node plays them, from pod states, exit codes, logs, health and
metrics, to the verdict of the whole controller; and what must come to none.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.domain import names
from controller.domain.failure import class_of
from controller.domain.record import Outcome, decode_record
from controller.domain.rules import Rules
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan, Unhealthy
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from store import open_store
from tests.controlled_world import REPOSITORY, SPEED, ControlledWorld, controlled_world
from tests.servers import redis_server

# Patience of a second or so, where a real controller has hours.
RULES = Rules(
    condition_told=0.3,
    unhealthy_patience=1.0,
    tip_age=2.0,
    tip_patience=1.0,
    no_peers_patience=1.0,
    unschedulable_patience=1.0,
    stall_fetching=1.0,
    stall_executing=1.0,
    stall_syncing=1.0,
)
# Restarts slow enough for the last words of each end to be read, as any real kubelet's are [62].
SLOWER = replace(SPEED, restart_first=0.3, restart_cap=0.3)
QUICK = Plan(bootstrap_seconds=0.1)
LONG = Plan(bootstrap_seconds=600.0)

CAUSES = [
    (replace(LONG, crash_after=0.2), "FatalExit"),
    (replace(LONG, exit_zero_after=0.2), "ExitedZero"),
    (replace(LONG, disk_full_after=0.2), "DiskFull"),
    (replace(LONG, refuses="couldn't configure flags: unknown flag: --foo"), "BadConfig"),
    (replace(LONG, stall_after=0.2), "Stalled"),
    (replace(LONG, no_peers=True), "NoPeers"),
    (replace(QUICK, heights_frozen=True), "TipNotAdvancing"),
    (
        replace(QUICK, unhealthy=(Unhealthy("database", "closed", begin=0.15),)),
        "UnhealthyAfterBootstrap",
    ),
]
SURVIVED = [
    replace(QUICK, bootstrap_seconds=1.0, crash_after=0.1, crash_times=5),
    replace(QUICK, low_stake=True),
    replace(QUICK, unhealthy=(Unhealthy("router", "flaps", end=0.5, every=4.0),)),
    replace(QUICK, bootstrap_seconds=3.0),
    replace(QUICK, metrics=False),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path, rules=RULES, speed=SLOWER) as found:
        yield found


def outcome(world: ControlledWorld) -> Outcome | None:
    meta = world.world.deployment("fuji")["metadata"]
    text = (meta.get("annotations") or {}).get(names.RECORD)
    return decode_record(text, NAMESPACE, "fuji").outcome() if text else None


async def ends(world: ControlledWorld, plan: Plan) -> Outcome:
    world.world.push(REPOSITORY, "latest", SimulatedBuild("1.14.0", "a1" * 20, plan))
    world.deploy("fuji", network="fuji", annotations={names.SOAK: "1s"})
    world.start()
    return await world.until(lambda: outcome(world))


@pytest.mark.parametrize(("plan", "reason"), CAUSES, ids=[reason for _, reason in CAUSES])
async def test_a_node_that_fails_so_is_called_so(
    world: ControlledWorld, plan: Plan, reason: str
) -> None:
    """Is each cause called by its reason and class, in one sentence?"""
    found = await ends(world, plan)
    assert (found.phase, found.reason) == ("Failed", reason)
    assert f"({class_of(reason)})" in found.message


async def test_a_machine_that_takes_no_pod_is_no_fault_of_the_build(world: ControlledWorld) -> None:
    """Is a pod that nobody schedules Unschedulable, with the scheduler's words?"""
    world.world.workloads.kubelet.cordoned = True
    found = await ends(world, QUICK)
    assert (found.phase, found.reason) == ("Failed", "Unschedulable")
    assert "nodes are available" in found.message


@pytest.mark.parametrize("plan", SURVIVED, ids=["restarts", "stake", "flaps", "slow", "metrics"])
async def test_what_a_node_survives_passes(world: ControlledWorld, plan: Plan) -> None:
    """Does a node that recovers, flaps, or tells little, pass in the end?"""
    found = await ends(world, plan)
    assert (found.phase, found.reason) == ("Passed", "Soaked")
    assert found.checked is not None
    assert set(found.checked.held) == {"readiness", "health", "C tip"}
    first, last = found.checked.heights["C"]
    assert last > first


def test_the_manifest_of_the_tests_listens_outside_its_pod() -> None:
    """Is the loopback no reason for anything here?"""
    node = TargetManifest("fuji", network="fuji").deployment()
    env = node["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "AVAGO_HTTP_HOST", "value": "0.0.0.0"} in env


async def test_the_evidence_of_a_failure_is_handed_over(
    world: ControlledWorld, tmp_path: Path
) -> None:
    """Does the store hold, after a failure, the node's last words, its pods' states and what could
    not be read?
    """
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        world.world.push(
            REPOSITORY,
            "latest",
            SimulatedBuild("1.14.0", "a1" * 20, replace(LONG, crash_after=0.2)),
        )
        world.deploy("fuji", network="fuji")
        world.start(store=redis.url)
        found = await world.until(lambda: outcome(world))
        await world.until(lambda: world.has_said("evidence kept"))
        await world.stop()
        store = await open_store(redis.url)
        try:
            parts = await store.evidence(found.target, found.run)
        finally:
            await store.close()
    assert {"summary.json", "node-previous.log", "pods.json", "unread.txt"} <= set(parts)
    assert b"failed to verify block" in parts["node-previous.log"] + parts["node.log"]
    assert b'"class": "client"' in parts["summary.json"]
