"""The simulated world: everything together over real HTTP, in a real cluster's time."""

import asyncio
import json
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest

from controller.domain.defaults import Rules
from controller.domain.manifest.network_and_mode import read_network_and_mode
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import read_request
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.pods.run_pods import InitWord
from controller.domain.target import SyncMode
from controller.simulator.faults import Answer
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import NodeSettings, Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.environment import environment_of
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import World
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

REPOSITORY = "avaplatform/avalanchego"
MINUTE, HOUR = 60.0, 3600.0
RUN = "20261123t060000z-11111111"
LATER = "20261123t070000z-22222222"
WAITS = SimulatedBuild(commit="a" * 40, plan=Plan(bootstrap_seconds=inf))
NEXT = SimulatedBuild(commit="b" * 40, plan=Plan(bootstrap_seconds=inf))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as world:
        yield world


def pinned(build: SimulatedBuild) -> str:
    return f"{REPOSITORY}:latest@{build.digest()}"


async def start(
    world: World, build: SimulatedBuild = WAITS, run: str = RUN, **manifest: Any
) -> None:
    """Deploys `fuji`, pinned to a build, and waits until its node runs."""
    world.push(REPOSITORY, "latest", build)
    world.deploy("fuji", image=pinned(build), run_id=run, **manifest)
    await world.until(lambda: world.node_of("fuji"))


def word(pod: Any) -> InitWord:
    terminated = pod["status"]["initContainerStatuses"][0]["state"]["terminated"]
    return msgspec.json.decode(terminated["message"], type=InitWord)


def node_status(world: World) -> Any:
    pod = world.pod_of("fuji")
    statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or [{}]
    return statuses[0]


async def test_an_unpinned_pod_waits_and_its_pin_replaces_it(world: World) -> None:
    """Does a pod without a run id wait untouched, until a pin makes another that starts fresh?"""
    world.push(REPOSITORY, "latest", WAITS)
    world.deploy("fuji")
    waiting = await world.until(lambda: _init_running(world))
    assert world.volume("fuji").touched == []
    world.pin("fuji", pinned(WAITS), RUN)
    node = await world.until(lambda: world.node_of("fuji"))
    pod = world.pod_of("fuji")
    assert pod is not None
    assert pod["metadata"]["uid"] != waiting["metadata"]["uid"]
    assert word(pod) == InitWord(RUN, "fresh", 0, WAITS.binary)
    assert node.state.settings.data_dir == f"/data/runs/{RUN}"
    assert set(world.volume("fuji").runs) == {RUN}


def _init_running(world: World) -> Any:
    pod = world.pod_of("fuji")
    statuses = ((pod or {}).get("status") or {}).get("initContainerStatuses") or [{"state": {}}]
    return pod if "running" in statuses[0]["state"] else None


async def test_readiness_is_pushed_into_the_pod_when_bootstrapped(world: World) -> None:
    """Does the Ready condition follow the node's own readiness?"""
    await start(world)
    await world.until(lambda: node_status(world).get("started"))
    assert not world.is_ready("fuji")
    node = world.node_of("fuji")
    assert node is not None
    node.finish()
    await world.until(lambda: world.is_ready("fuji"))
    await world.until(lambda: world.deployment("fuji")["status"].get("readyReplicas") == 1)


async def test_readiness_is_lost_again_when_the_node_does_not_answer(world: World) -> None:
    """Does the Ready condition fall when the probe fails, and come back with it?"""
    await start(world, SimulatedBuild(plan=Plan(bootstrap_seconds=0)))
    await world.until(lambda: world.is_ready("fuji"))
    node = world.node_of("fuji")
    assert node is not None
    rule = node.faults.add(Answer(500), path="/ext/health/readiness", count=None)
    await world.until(lambda: not world.is_ready("fuji"))
    node.faults.remove(rule)
    await world.until(lambda: world.is_ready("fuji"))


async def test_a_bootstrap_takes_its_time_and_ends(world: World) -> None:
    """Does a node bootstrap by itself in its own time, and is that seen within a minute: by the
    node's next look at itself, and the kubelet's next at the node?
    """
    await start(world, SimulatedBuild(plan=Plan(bootstrap_seconds=HOUR)))
    await world.until(lambda: world.is_ready("fuji"))
    assert HOUR <= LoopClock().monotonic() <= HOUR + MINUTE


async def test_the_pod_proxy_reaches_the_node(world: World) -> None:
    """Is the node asked through the API server, and refused where nobody listens?"""
    await start(world)
    node, pod = world.node_of("fuji"), world.pod_of("fuji")
    assert node is not None
    assert pod is not None
    await node.bound.wait()
    base = f"{world.api.url}/api/v1/namespaces/bootstrap/pods/{pod['metadata']['name']}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}:9650/proxy/ext/health/readiness") as reply:
            assert reply.status == 503
            assert "checks" in await reply.json()
        async with session.get(f"{base}:9999/proxy/ext/health/readiness") as reply:
            assert (await reply.json())["reason"] == "ServiceUnavailable"
        async with session.get(f"{base}/log?container=node") as reply:
            assert "initializing node" in await reply.text()


async def test_a_node_that_binds_loopback_is_out_of_reach(world: World) -> None:
    """Does a node without AVAGO_HTTP_HOST answer nobody outside its pod?"""
    await start(world, env={"AVAGO_HTTP_HOST": "127.0.0.1"})
    node, pod = world.node_of("fuji"), world.pod_of("fuji")
    assert node is not None
    assert pod is not None
    await node.bound.wait()
    assert world.workloads.local_address(pod, 9650) is None


async def test_crashes_are_restarted_with_backoff_and_resume(world: World) -> None:
    """Does a crashing node go through CrashLoopBackOff, telling its exit code, keeping its data?"""
    plan = Plan(bootstrap_seconds=inf, crash_after=MINUTE, crash_code=2, crash_times=3)
    await start(world, SimulatedBuild(plan=plan))
    seen = await world.until(
        lambda: "waiting" in node_status(world).get("state", {}) and node_status(world)
    )
    assert seen["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert seen["lastState"]["terminated"]["exitCode"] == 2
    assert seen["lastState"]["terminated"]["reason"] == "Error"
    await world.until(
        lambda: node_status(world)["restartCount"] == 3 and "running" in node_status(world)["state"]
    )
    progress = world.volume("fuji").runs[RUN].progress
    assert (progress.starts, progress.crashes) == (4, 3)
    pod = world.pod_of("fuji")
    assert pod is not None
    assert word(pod).data == "fresh"  # init containers do not run again [61]


async def test_a_drained_pod_is_replaced_and_resumes(world: World) -> None:
    """Does the replacement of a deleted pod resume the same run?"""
    await start(world)
    before = world.pod_of("fuji")
    assert before is not None
    world.workloads.drain("bootstrap", before["metadata"]["name"])
    await world.until(lambda: _resumed(world))
    assert world.volume("fuji").runs[RUN].progress.clean is False  # the second process runs
    assert world.volume("fuji").runs[RUN].resumes == 1


def _resumed(world: World) -> bool:
    pod = world.pod_of("fuji")
    return world.node_of("fuji") is not None and pod is not None and word(pod).data == "resumed"


async def test_sigterm_ends_a_node_cleanly(world: World) -> None:
    """Does scaling to none let the node end with 0, and leave no pod?"""
    await start(world)
    codes: list[int] = []

    def note(change: Any) -> None:
        statuses = (change.object.get("status") or {}).get("containerStatuses", ())
        states = [status["state"] for status in statuses]
        codes.extend(s["terminated"]["exitCode"] for s in states if "terminated" in s)

    world.api.storage.subscribe(note)
    world.scale("fuji", 0)
    await world.until(lambda: not world.pods_of("fuji"))
    assert codes
    assert set(codes) == {0}
    assert world.volume("fuji").runs[RUN].progress.clean


async def test_eviction_leaves_a_failed_pod_and_a_replacement(world: World) -> None:
    """Does an evicted pod stay as Failed while its replacement resumes?"""
    await start(world, access_mode="ReadWriteOnce")
    before = world.pod_of("fuji")
    assert before is not None
    world.workloads.evict("bootstrap", before["metadata"]["name"])
    await world.until(lambda: _resumed(world))
    failed = [p for p in world.pods_of("fuji") if p["status"]["phase"] == "Failed"]
    assert [p["status"]["reason"] for p in failed] == ["Evicted"]


async def test_out_of_memory_is_137(world: World) -> None:
    """Is a container that the kernel kills told as OOMKilled with 137, and restarted?"""
    await start(world)
    pod = world.pod_of("fuji")
    assert pod is not None
    world.workloads.kill("bootstrap", pod["metadata"]["name"], "node")
    seen = await world.until(
        lambda: node_status(world)["restartCount"] == 1 and node_status(world)["lastState"]
    )
    assert seen["terminated"]["exitCode"] == 137
    assert seen["terminated"]["reason"] == "OOMKilled"


async def test_another_binary_is_told_foreign_and_touches_nothing(world: World) -> None:
    """Does another image on the same run's data end with 3 and leave all as it was?"""
    await start(world)
    world.push(REPOSITORY, "next", NEXT)
    touched = list(world.volume("fuji").touched)
    world.pin("fuji", pinned(NEXT), RUN)
    foreign = await world.until(lambda: _foreign(world))
    assert foreign["exitCode"] == 3
    said = msgspec.json.decode(foreign["message"], type=InitWord)
    assert (said.data, said.binary) == ("foreign", NEXT.binary)
    assert world.volume("fuji").touched == touched
    assert world.node_of("fuji") is None


def _foreign(world: World) -> Any:
    pod = world.pod_of("fuji")
    for status in ((pod or {}).get("status") or {}).get("initContainerStatuses", ()):
        for state in (status["state"], status["lastState"]):
            if "foreign" in state.get("terminated", {}).get("message", ""):
                return state["terminated"]
    return None


async def test_a_new_run_removes_the_older_directory(world: World) -> None:
    """Is the data of the run before removed by the next one's init container?"""
    await start(world)
    world.push(REPOSITORY, "next", NEXT)
    world.pin("fuji", pinned(NEXT), LATER)
    await world.until(lambda: set(world.volume("fuji").runs) == {LATER} and world.node_of("fuji"))


async def test_an_older_run_waits_for_the_newer_ones_data(world: World) -> None:
    """Does a pod of an older run, put back by somebody, wait and touch nothing?"""
    await start(world, run=LATER)
    touched = list(world.volume("fuji").touched)
    world.pin("fuji", pinned(WAITS), RUN)
    await world.until(lambda: _init_running(world))
    assert world.node_of("fuji") is None
    assert world.volume("fuji").touched == touched


async def test_recreate_never_has_two_pods_at_once(world: World) -> None:
    """With a node that takes its time to end, is the next pod made only when it is gone?"""
    slow = SimulatedBuild(plan=Plan(bootstrap_seconds=inf, shutdown_seconds=MINUTE))
    await start(world, slow)
    world.push(REPOSITORY, "next", NEXT)
    most = 0

    def count(_: object) -> None:
        nonlocal most
        most = max(most, len(world.pods_of("fuji")))

    world.api.storage.subscribe(count)
    world.pin("fuji", pinned(NEXT), LATER)
    await world.until(lambda: LATER in world.volume("fuji").runs and world.node_of("fuji"))
    assert most == 1


async def test_a_tag_that_cannot_be_pulled(world: World) -> None:
    """Is a missing image ErrImagePull, then ImagePullBackOff, and pulled once it is there?"""
    world.deploy("fuji", image=f"{REPOSITORY}:missing", run_id=RUN)
    reasons: set[str] = set()

    def note() -> bool:
        pod = world.pod_of("fuji")
        for status in ((pod or {}).get("status") or {}).get("initContainerStatuses", ()):
            reasons.add(status["state"].get("waiting", {}).get("reason", ""))
        return {"ErrImagePull", "ImagePullBackOff"} <= reasons

    await world.until(note)
    world.push(REPOSITORY, "missing", WAITS)
    await world.until(lambda: world.node_of("fuji"))


async def test_an_image_without_an_idea_of_avalanchego_just_runs(world: World) -> None:
    """Do other containers of the pod run on beside the node?"""
    world.push(REPOSITORY, "latest", WAITS)
    manifest = TargetManifest("fuji", image=pinned(WAITS), run_id=RUN)
    deployment = manifest.deployment()
    shipper = {"name": "log-shipper", "image": "busybox:1.36"}
    deployment["spec"]["template"]["spec"]["containers"].append(shipper)
    world.api.objects.create("persistentvolumeclaims", manifest.claim())
    world.api.objects.create("deployments", deployment)
    await world.until(lambda: world.node_of("fuji"))
    pod = await world.until(lambda: _all_started(world))
    assert [c["name"] for c in pod["status"]["containerStatuses"]] == ["node", "log-shipper"]


def _all_started(world: World) -> Any:
    pod = world.pod_of("fuji")
    statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or [{"started": False}]
    return pod if all(status["started"] for status in statuses) else None


async def test_without_its_claim_a_pod_is_not_scheduled(world: World) -> None:
    """Does a pod wait for its claim, and start when there is one?"""
    world.push(REPOSITORY, "latest", WAITS)
    manifest = TargetManifest("fuji", image=pinned(WAITS), run_id=RUN)
    world.api.objects.create("deployments", manifest.deployment())
    pod = await world.until(lambda: _unscheduled(world))
    assert "not found" in pod["status"]["conditions"][0]["message"]
    world.api.objects.create("persistentvolumeclaims", manifest.claim())
    await world.until(lambda: world.node_of("fuji"))


def _unscheduled(world: World) -> Any:
    pod = world.pod_of("fuji")
    conditions = ((pod or {}).get("status") or {}).get("conditions") or ()
    return pod if any(c.get("reason") == "Unschedulable" for c in conditions) else None


async def test_deleting_a_deployment_deletes_what_it_owns_and_not_the_data(world: World) -> None:
    """Do ReplicaSet and pods go with the Deployment, while the volume stays?"""
    await start(world)
    world.delete("fuji")
    await world.until(lambda: not world.pods_of("fuji"))
    assert world.api.storage.objects("replicasets") == []
    assert set(world.volume("fuji").runs) == {RUN}


async def test_without_a_kubelet_pods_stay_pending() -> None:
    """With kubelet=False, is a pod made and then left alone, and gone at once when deleted?"""
    async with World(LoopClock(), Random(7), kubelet=False) as world:
        world.deploy("fuji")
        pod = await world.until(lambda: world.pod_of("fuji"))
        assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        assert "nodeName" not in pod["spec"]
        world.scale("fuji", 0)
        await world.until(lambda: not world.pods_of("fuji"))


async def test_the_replicaset_and_its_pods_look_like_the_recorded_ones(world: World) -> None:
    """Are names, labels and owners as in the recordings 41 and 43?"""
    await start(world)
    pod = world.pod_of("fuji")
    assert pod is not None
    (replicaset,) = world.api.storage.objects("replicasets", "bootstrap")
    digest = pod["metadata"]["labels"]["pod-template-hash"]
    assert replicaset["metadata"]["name"] == f"fuji-{digest}"
    assert pod["metadata"]["generateName"] == f"fuji-{digest}-"
    assert pod["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": replicaset["metadata"]["name"],
            "uid": replicaset["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    deployment = world.deployment("fuji")
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
    assert (
        deployment["metadata"]["generation"] == 1
    )  # the controller's own annotation is not counted
    assert deployment["spec"]["template"]["metadata"]["labels"].get("pod-template-hash") is None


async def test_status_decodes_into_the_domains_objects(world: World) -> None:
    """Can the domain read pods and Deployments of this world?"""
    await start(world)
    pod = await world.until(lambda: _all_started(world))
    decoded = msgspec.json.decode(json.dumps(pod), type=Pod)
    status = decoded.status_of("node")
    assert status is not None
    assert status.state.running is not None
    assert status.image_id == f"docker.io/{REPOSITORY}@{WAITS.digest()}"
    assert decoded.metadata.annotation("bootstrap.avax.network/run-id") == RUN


@pytest.mark.parametrize("mode", list(SyncMode))
@pytest.mark.parametrize("network", ["mainnet", "fuji", "network-1337"])
def test_manifests_fulfil_the_contract(network: str, mode: SyncMode) -> None:
    """Does the domain accept every manifest, and read the same target from it as the node?"""
    manifest = TargetManifest("fuji", network=network, mode=mode)
    raw = manifest.deployment()
    deployment = msgspec.json.decode(json.dumps(raw), type=Deployment)
    service = msgspec.json.decode(json.dumps(manifest.service()), type=Service)
    asked = read_request(deployment, Rules())
    assert (asked.target.network, asked.target.mode) == (network, mode)
    assert node_port(deployment, service) == 9650
    container = raw["spec"]["template"]["spec"]["containers"][0]
    pod = {"metadata": {"name": "p", "namespace": "bootstrap", "uid": "u"}, "spec": {}}
    settings = NodeSettings.read(environment_of(container, pod))
    assert (settings.network, settings.mode) == (network, mode)
    node = deployment.spec.template.spec.container("node")
    assert node is not None
    assert read_network_and_mode(node) == (network, mode)


async def test_until_gives_up_with_a_description(world: World) -> None:
    """Does a wait in vain end, and say how the world stands?"""
    world.deploy("fuji", image=f"{REPOSITORY}:missing")
    with pytest.raises(TimeoutError, match="deployments fuji"):
        await world.until(lambda: False, within=0.2)


async def test_until_hears_of_requests_to_the_registry(world: World) -> None:
    """Does a wait for a request to the registry end with that request?"""

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            await session.head(f"{world.registry.url}/v2/{REPOSITORY}/manifests/latest")

    asking = asyncio.create_task(ask())
    await world.until(lambda: world.registry.counts.heads == 1)
    await asking


async def test_kubeconfig(world: World, tmp_path: Path) -> None:
    """Does the kubeconfig lead to the API server and our namespace?"""
    config = json.loads(world.kubeconfig(tmp_path / "config").read_text())
    assert config["clusters"][0]["cluster"]["server"] == world.api.url
    assert config["contexts"][0]["context"]["namespace"] == "bootstrap"


async def test_nothing_is_left_behind() -> None:
    """Are all tasks gone when a world with running pods ends?"""
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as world:
        await start(world)
    assert asyncio.all_tasks() == {asyncio.current_task()}
