"""Runs from a tag to their verdict."""

import pytest

from controller.domain import names
from controller.domain.names import RUN_ID
from controller.simulator.manifests import MONITOR_IMAGE
from tests.cluster.builds import FIRST, SECOND, pinned
from tests.cluster.stage import SIDECAR, Stage

pytestmark = pytest.mark.parametrize("way", ["controller", "monitor"])


async def test_a_build_goes_from_tag_to_passed(stage: Stage) -> None:
    """Is a build that bootstraps and stays healthy Passed, and the next one tested after it?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.passes("fuji", FIRST)
    stage.push(SECOND)
    await stage.passes("fuji", SECOND)
    assert stage.outcomes("fuji") == [("Passed", "Soaked")] * 2


async def test_a_pin_changes_what_it_must_and_nothing_else(stage: Stage) -> None:
    """Does a pin change the images of node and init container, and leave sidecar, replicas, env
    and all else of the pod as they were?
    """
    stage.push(FIRST)
    await stage.deploy("fuji")
    await stage.until(lambda: stage.view.get("deployments", "fuji"))
    before = stage.deployment("fuji")["spec"]
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    images = stage.images("fuji")
    assert (images.pop("prepare-data"), images.pop("node")) == (pinned(FIRST), pinned(FIRST))
    assert images.pop("log-shipper") == SIDECAR["image"]
    assert set(images.values()) <= {MONITOR_IMAGE}
    after = stage.deployment("fuji")["spec"]
    assert after["template"]["metadata"].pop("annotations") == {RUN_ID: run.id}
    pod = after["template"]["spec"]
    for container in (*pod["initContainers"], *pod["containers"]):
        if container["name"] in ("prepare-data", "node"):
            container["image"] = "avaplatform/avalanchego:latest"
    assert after == before


async def test_a_pin_is_told_on_the_deployment(stage: Stage) -> None:
    """Do label, message and record tell of the run that has just been pinned?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    record = stage.record("fuji")
    assert record is not None
    assert (record.phase, run.image) == ("Starting", pinned(FIRST))
    assert (record.uid, record.last_run) == (stage.deployment("fuji")["metadata"]["uid"], run.id)
    assert run.target == "fuji-c-chain-state-sync"
    assert stage.phase("fuji") == "Starting"
    assert run.id in stage.message("fuji")
    pod = await stage.pod("fuji")
    assert stage.view.get("pods", pod)


async def test_a_node_that_keeps_crashing_fails(stage: Stage) -> None:
    """Is a node that restarts again and again Failed for it, with its last exit code?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    pod, _ = await stage.bootstraps("fuji")
    await stage.crashes(pod, restarts=7, code=42)
    outcome = await stage.ends("fuji", FIRST, "Failed")
    assert outcome.reason == "CrashLoop"
    assert "exit code 42" in outcome.message


async def test_a_few_restarts_are_no_failure(stage: Stage) -> None:
    """Does a node that restarted a few times and then bootstrapped pass?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    pod, _ = await stage.bootstraps("fuji")
    await stage.crashes(pod, restarts=4)
    node = await stage.starts(pod, restarts=5)
    node.finish()
    await stage.ends("fuji", FIRST, "Passed")


async def test_an_image_that_does_not_come_is_waited_for(stage: Stage) -> None:
    """Is a pull that fails no failure while patience lasts, and the run goes on when it comes?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.pins("fuji", FIRST)
    pod = await stage.pod("fuji")
    await stage.cannot_pull(pod)
    await stage.a_while()
    assert stage.phase("fuji") == "Starting"
    await stage.starts(pod)
    await stage.until(lambda: stage.phase("fuji") == "Bootstrapping")


async def test_a_run_that_takes_too_long_fails(stage: Stage) -> None:
    """Is a node that does not bootstrap within the Deployment's timeout Failed?"""
    stage.push(FIRST)
    await stage.deploy("fuji", annotations={names.TIMEOUT: "4s"})
    stage.controller()
    await stage.bootstraps("fuji")
    outcome = await stage.ends("fuji", FIRST, "Failed")
    assert outcome.reason == "Timeout"
    assert outcome.observed >= 4.0


async def test_a_restart_in_the_soak_begins_it_anew(stage: Stage) -> None:
    """Must a node that restarted while it soaked be healthy for the whole soak again, even if it
    was back before anybody asked it?
    """
    soak = 4.0
    stage.push(FIRST)
    await stage.deploy("fuji", annotations={names.SOAK: f"{soak:g}s"})
    stage.controller()
    pod, node = await stage.bootstraps("fuji")
    node.finish()
    await stage.until(lambda: stage.phase("fuji") == "Soaking")
    looks = stage.nodes.looks[pod]
    await stage.until(lambda: stage.nodes.looks[pod] >= looks + 6)
    restarted = stage.clock.monotonic()
    await stage.says_it_runs(pod, restarts=1)
    await stage.ends("fuji", FIRST, "Passed")
    assert stage.clock.monotonic() - restarted >= soak


async def test_an_unhealthy_node_does_not_soak(stage: Stage) -> None:
    """Does a bootstrapped node whose health check fails wait, and pass when it is healthy?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    _, node = await stage.bootstraps("fuji")
    node.fail("C", "height is not moving")
    node.finish()
    await stage.until(lambda: stage.phase("fuji") == "Soaking")
    await stage.a_while()
    assert stage.phase("fuji") == "Soaking"
    node.mend("C")
    await stage.ends("fuji", FIRST, "Passed")


async def test_a_terminating_pod_does_not_make_it_pass(stage: Stage) -> None:
    """Is a pod on its way out, however ready, no reason to pass, and its replacement one?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    old, node = await stage.bootstraps("fuji")
    finalizer = ["bootstrap-test.example.com/stay"]
    await stage.api.patch("pods", old, {"metadata": {"finalizers": finalizer}})
    await stage.api.delete("pods", old)
    await stage.until(lambda: "deletionTimestamp" in stage.view.get("pods", old)["metadata"])
    node.finish()
    await stage.a_while()
    assert stage.phase("fuji") == "Bootstrapping"
    new = await stage.pod("fuji", after=old)
    node = await stage.starts(new, data="resumed")
    node.finish()
    outcome = await stage.ends("fuji", FIRST, "Passed")
    assert outcome.resumes == 1
    await stage.api.patch("pods", old, {"metadata": {"finalizers": None}})


async def test_a_pod_of_another_run_does_not_make_it_pass(stage: Stage) -> None:
    """Is a ready pod that carries another run's id no reason to pass?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    pod = await stage.pod("fuji")
    other = {"metadata": {"annotations": {RUN_ID: "20261123t060000z-11111111"}}}
    await stage.api.patch("pods", pod, other)
    await stage.until(lambda: _run_id(stage, pod) != run.id)
    node = await stage.starts(pod)
    node.finish()
    await stage.a_while()
    assert stage.phase("fuji") == "Starting"
    await stage.api.patch("pods", pod, {"metadata": {"annotations": {RUN_ID: run.id}}})
    await stage.until(lambda: _run_id(stage, pod) == run.id)
    node = await stage.starts(pod)
    node.finish()
    await stage.ends("fuji", FIRST, "Passed")


async def test_data_of_another_run_does_not_make_it_pass(stage: Stage) -> None:
    """Does a ready node not pass whose init container speaks of another run's data?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.pins("fuji", FIRST)
    pod = await stage.pod("fuji")
    node = await stage.starts(pod, run="20261123t060000z-11111111")
    node.finish()
    await stage.a_while()
    assert stage.phase("fuji") == "Starting"


def _run_id(stage: Stage, pod: str) -> str:
    found = stage.view.get("pods", pod)
    assert found is not None
    return str(found["metadata"]["annotations"][RUN_ID])
