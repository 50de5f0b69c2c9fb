"""States of pods for every cause: how containers end, evictions, restarts of the machine, volumes.

Included: what a pod's status says, and what becomes of the pod. Excluded: Kubernetes Events
(test_simulator_workloads_events.py) and logs (test_simulator_apiserver_logs.py).
"""

import json
from collections.abc import AsyncIterator
from math import inf
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.podstatus import LAST_BYTES, LAST_LINES, last_words
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import World
from tests.fuji_world import (
    ENDLESS,
    REPOSITORY,
    RUN,
    condition_of,
    deploy,
    ended,
    pod_name,
    start,
    state_of,
    status_of,
)
from tests.jumping_loop import LoopClock
from tests.recorded_log import lines
from tests.scenes import FOLDER, scene

pytestmark = pytest.mark.jumping

MINUTE = 60.0
FAILS = "-msg=no such flag"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as world:
        yield world


def build(**plan: Any) -> SimulatedBuild:
    return SimulatedBuild(plan=Plan(**{"bootstrap_seconds": inf} | plan))


# --- How containers end --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "code", "reason"),
    [
        ({"oom_after": MINUTE}, 137, "OOMKilled"),
        ({"crash_after": MINUTE, "crash_code": 1}, 1, "Error"),
        ({"crash_after": MINUTE, "crash_code": 2}, 2, "Error"),
        ({"exit_zero_after": MINUTE}, 0, "Completed"),
    ],
)
async def test_reasons_of_ends(world: World, plan: Any, code: int, reason: str) -> None:
    """Does the kubelet say how a node ended, by its code and by what the kernel did?"""
    deploy(world, build(**plan))
    end = await world.until(lambda: ended(world))
    assert (end["exitCode"], end["reason"]) == (code, reason)
    assert "signal" not in end  # containerd tells none
    assert end["containerID"].startswith("containerd://")


async def test_what_is_kept_of_a_bad_block(world: World) -> None:
    """Does the pod's status have as much of the log as a real kubelet kept, without the cause?"""
    kept = json.loads((FOLDER / "bad-block-pod-status.json").read_text())
    was = kept["status"]["containerStatuses"][0]["lastState"]["terminated"]
    deploy(world, build(crash_after=MINUTE), env={"AVAGO_LOG_FORMAT": "json"})
    now = await world.until(lambda: ended(world))
    assert len(now["message"].encode()) == len(was["message"].encode()) == LAST_BYTES
    assert (now["exitCode"], now["reason"]) == (was["exitCode"], was["reason"])
    told = [line.said for line in lines(now["message"])]
    assert set(told) <= {line.said for line in lines(scene("bad-block").log)}
    assert told[-1] == lines(was["message"])[-1].said
    assert "fatal" not in now["message"]


async def test_a_kill_that_is_not_the_kernels(world: World) -> None:
    """Is a SIGKILL for another reason told as an error with the same code?"""
    pod = await start(world)
    world.workloads.kill("bootstrap", pod, "node", reason="")
    end = await world.until(lambda: ended(world))
    assert (end["exitCode"], end["reason"]) == (137, "Error")


async def test_an_init_container_that_is_done(world: World) -> None:
    """Is an init container that ended with 0 told as completed, with its own message?"""
    await start(world)
    end = ended(world, "prepare-data")
    assert (end["exitCode"], end["reason"]) == (0, "Completed")
    assert RUN in end["message"]


async def test_the_state_before_is_the_last_state(world: World) -> None:
    """Does each new state of a container keep how the process before it ended?"""
    deploy(world, build(crash_after=MINUTE, crash_code=7))
    status = await world.until(
        lambda: status_of(world).get("restartCount") == 2 and status_of(world)
    )
    assert status["lastState"]["terminated"]["exitCode"] == 7
    number = status["lastState"]["terminated"]["containerID"].rpartition("-")[2]
    assert number == "2"


async def test_a_container_without_a_probe_is_ready_as_it_runs(world: World) -> None:
    """Is a log shipper beside the node ready at once, and the node only when its probe passes?"""
    await start(world)

    def ship(obj: Any) -> None:
        shipper = {"name": "shipper", "image": "busybox:1.36"}
        obj["spec"]["template"]["spec"]["containers"].append(shipper)

    world.change("fuji", ship)
    status = await world.until(
        lambda: "running" in state_of(world, "shipper") and status_of(world, "shipper")
    )
    assert status["ready"]
    assert not status_of(world)["ready"]


# --- The log as termination message ----------------------------------------------------------


async def test_the_log_says_why_a_node_failed(world: World) -> None:
    """Does the message of a failed node have the end of its log, where the policy asks for it?"""
    deploy(world, build(refuses=f"couldn't configure flags: {FAILS}"))
    end = await world.until(lambda: ended(world))
    assert end["message"].splitlines()[-1] == f"couldn't configure flags: {FAILS}"


async def test_by_default_the_log_is_not_looked_at(world: World) -> None:
    """Does the policy `File` leave the message of a node empty, which writes none?"""
    deploy(world, build(refuses=FAILS))

    def take_policy(obj: Any) -> None:
        del obj["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"]

    world.change("fuji", take_policy)
    pod = await world.until(lambda: _of_policy(world, "File") and ended(world))
    assert "message" not in pod


def _of_policy(world: World, policy: str) -> bool:
    pod = world.pod_of("fuji")
    return bool(pod) and pod["spec"]["containers"][0]["terminationMessagePolicy"] == policy


async def test_a_good_end_has_no_message_from_the_log(world: World) -> None:
    """Is the log left alone when a process ended with 0?"""
    deploy(world, build(exit_zero_after=MINUTE))
    end = await world.until(lambda: ended(world))
    assert "message" not in end


def test_last_words_are_few() -> None:
    """Are they 80 lines at most, and of these the last 2048 bytes, cut anywhere?"""
    short = "".join(f"{number}\n" for number in range(200))
    assert last_words(short).splitlines() == [str(number) for number in range(120, 200)]
    assert len(last_words(short).splitlines()) == LAST_LINES
    long = "".join(f"{number:0100d}\n" for number in range(200))
    assert last_words(long) == long[-LAST_BYTES:]
    assert last_words("é" * LAST_BYTES + "a") == "\ufffd" + "é" * (LAST_BYTES // 2 - 1) + "a"
    assert last_words("") == ""


# --- Another architecture --------------------------------------------------------------------


async def test_a_build_for_another_machine(world: World) -> None:
    """Does its init container crash at once, time and again, with the runtime's line as its log?"""
    deploy(world, SimulatedBuild(wrong_architecture=True))
    status = await world.until(
        lambda: "waiting" in state_of(world, "prepare-data") and status_of(world, "prepare-data")
    )
    assert status["state"]["waiting"]["reason"] in {"CrashLoopBackOff", "PodInitializing"}
    end = await world.until(lambda: ended(world, "prepare-data"))
    assert (end["exitCode"], end["reason"]) == (1, "Error")
    log = world.workloads.log("bootstrap", pod_name(world), "prepare-data")
    assert log == "exec /bin/bash: exec format error\n"
    assert world.volume("fuji").touched == []


async def test_a_node_for_another_machine(world: World) -> None:
    """Does the node's container end so too, where no init container runs the image?"""
    deploy(world, SimulatedBuild(wrong_architecture=True))

    def without_init(obj: Any) -> None:
        obj["spec"]["template"]["spec"].pop("initContainers")

    world.change("fuji", without_init)
    end = await world.until(lambda: ended(world))
    assert (end["exitCode"], end["reason"]) == (1, "Error")
    assert end["message"] == "exec /avalanchego/build/avalanchego: exec format error\n"


# --- Evictions -------------------------------------------------------------------------------


async def test_an_evicted_pod_says_why_and_stays(world: World) -> None:
    """Is it Failed and Evicted with its containers ended, a target of disruption, and replaced?"""
    name = await start(world)
    world.workloads.evict("bootstrap", name, "The node was low on resource: memory.")
    await world.until(lambda: _replaced(world, name))
    (pod,) = (p for p in world.pods_of("fuji") if p["metadata"]["name"] == name)
    status = pod["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"] == "The node was low on resource: memory."
    assert status_of(world, pod=pod)["state"]["terminated"]["exitCode"] == 137
    disrupted = condition_of(pod, "DisruptionTarget")
    assert (disrupted["status"], disrupted["reason"]) == ("True", "TerminationByKubelet")
    assert disrupted["message"] == status["message"]
    assert condition_of(pod, "Ready")["reason"] == "PodFailed"
    assert pod_name(world) != name


def _replaced(world: World, name: str) -> bool:
    """Whether the node runs in another pod."""
    return bool(world.pod_of("fuji")) and pod_name(world) != name and "running" in state_of(world)


async def test_failed_only_when_nothing_runs(world: World) -> None:
    """Is a pod never told as Failed while one of its containers runs?"""
    name = await start(world)
    seen: list[tuple[str, bool]] = []

    def note(change: Any) -> None:
        if change.plural == "pods" and change.object["metadata"]["name"] == name:
            runs = "running" in status_of(world, pod=change.object)["state"]
            seen.append((change.object["status"]["phase"], runs))

    world.api.storage.subscribe(note)
    world.workloads.evict("bootstrap", name)
    await world.until(lambda: ("Failed", False) in seen)
    assert ("Failed", True) not in seen


async def test_a_failed_pod_does_not_hold_its_claim(world: World) -> None:
    """Does a ReadWriteOncePod volume go to the replacement of an evicted pod, which stays?"""
    name = await start(world, access_mode="ReadWriteOncePod")
    world.workloads.evict("bootstrap", name)
    await world.until(lambda: _replaced(world, name))
    assert world.volume("fuji").runs[RUN].resumes == 1
    assert len(world.pods_of("fuji")) == 2


async def test_a_claim_that_becomes_free_goes_to_whoever_waits(world: World) -> None:
    """Is a pod that waits for the claim of another taken when that one has been evicted?"""
    world.push(REPOSITORY, "latest", ENDLESS)
    manifest = TargetManifest("fuji", run_id=RUN)
    world.api.objects.create("persistentvolumeclaims", manifest.claim())
    template = manifest.deployment()["spec"]["template"]
    for name in ("first", "second"):
        metadata = template["metadata"] | {"name": name, "namespace": "bootstrap"}
        world.api.objects.create("pods", {"metadata": metadata, "spec": template["spec"]})
    await world.until(lambda: world.workloads.node("bootstrap", "first"))
    assert world.workloads.node("bootstrap", "second") is None
    world.workloads.evict("bootstrap", "first")
    await world.until(lambda: world.workloads.node("bootstrap", "second"))


async def test_a_drained_pod_is_marked_and_ends_in_good_order(world: World) -> None:
    """Does an eviction through the API mark the pod, let the node end with 0, and replace it?"""
    name = await start(world)
    marks: list[Any] = []
    codes: set[int] = set()

    def note(change: Any) -> None:
        if change.plural == "pods" and change.object["metadata"]["name"] == name:
            marks.append(condition_of(change.object, "DisruptionTarget"))
            end = status_of(world, pod=change.object)["state"].get("terminated")
            codes.update([end["exitCode"]] if end else [])

    world.api.storage.subscribe(note)
    world.workloads.drain("bootstrap", name)
    await world.until(lambda: _replaced(world, name))
    assert codes == {0}
    assert all(marks), "what another component says in a condition stays"
    assert {(m["reason"], m["message"]) for m in marks} == {
        ("EvictionByEvictionAPI", "Eviction API: evicting")
    }


async def test_eviction_over_http(world: World) -> None:
    """Is a posted Eviction answered with success, and the pod deleted with its own grace?"""
    name = await start(world)
    path = f"{world.api.url}/api/v1/namespaces/bootstrap/pods/{name}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    async with aiohttp.ClientSession() as session:
        async with session.post(path, json=body) as answer:
            assert answer.status == 201
            assert (await answer.json())["status"] == "Success"
        async with session.get(path) as answer:
            assert answer.status == 405
        async with session.post(path.replace(name, "none"), json=body) as answer:
            assert answer.status == 404
    await world.until(lambda: world.pod_of("fuji") and pod_name(world) != name)


# --- The machine restarts --------------------------------------------------------------------


async def test_after_a_power_failure_the_same_pod_begins_again(world: World) -> None:
    """Does the pod stay, with a new address, its init container again and then the node, and does
    the status tell that nobody knows how the node ended?
    """
    await start(world)
    before = world.pod_of("fuji")
    assert before is not None
    world.reboot("fuji")
    await world.until(
        lambda: status_of(world)["restartCount"] == 1 and "running" in state_of(world)
    )
    after = world.pod_of("fuji")
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] != before["status"]["podIP"]
    end = status_of(world)["lastState"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (255, "Unknown")
    assert status_of(world, "prepare-data")["restartCount"] == 1
    assert world.volume("fuji").runs[RUN].resumes == 1
    assert not world.volume("fuji").runs[RUN].progress.clean


async def test_a_graceful_restart_lets_the_node_end(world: World) -> None:
    """Does the node end with 0 when systemd tells it to?"""
    await start(world)
    world.reboot("fuji", graceful=True)
    await world.until(lambda: status_of(world)["restartCount"] == 1)
    end = status_of(world)["lastState"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (0, "Completed")


async def test_without_its_volume_a_restarted_pod_has_no_address(world: World) -> None:
    """Does a pod whose volume does not come back stay on its machine, without a sandbox?"""
    await start(world)
    world.detach("fuji")
    world.reboot("fuji")
    await world.until(lambda: "podIP" not in (world.pod_of("fuji") or {})["status"])
    assert state_of(world)["terminated"]["reason"] == "Unknown"
    world.attach("fuji")
    await world.until(lambda: "running" in state_of(world))


async def test_a_restarted_pod_keeps_its_volume(world: World) -> None:
    """Is a new volume for the next pod only, and not for the same one after a restart?"""
    await start(world)
    old = world.volume("fuji")
    world.replace_volume("fuji")
    world.reboot("fuji")
    await world.until(lambda: status_of(world)["restartCount"] == 1)
    assert old.runs[RUN].resumes == 1
    assert world.volume("fuji").runs == {}


async def test_a_pod_can_be_deleted_while_its_machine_restarts(world: World) -> None:
    """Is a deletion not forgotten over a restart that is under way?"""
    slow = SimulatedBuild(plan=Plan(bootstrap_seconds=inf, shutdown_seconds=MINUTE))
    await start(world, slow)
    world.reboot("fuji", graceful=True)
    world.scale("fuji", 0)
    await world.until(lambda: not world.pods_of("fuji"))


async def test_a_reboot_needs_a_pod(world: World) -> None:
    """Is it said when there is no pod whose machine could restart?"""
    with pytest.raises(LookupError, match="bootstrap/fuji"):
        world.reboot("fuji")


# --- Machines and volumes that are not there -----------------------------------------------------


async def test_a_cordoned_machine_takes_no_pod(world: World) -> None:
    """Does a pod stay unscheduled while its machine is cordoned, and start afterwards?"""
    world.cordon()
    deploy(world)
    pod = await world.until(lambda: _unscheduled(world))
    assert condition_of(pod, "PodScheduled")["message"].endswith("were unschedulable.")
    node = world.api.objects.get("nodes", "", "simulated-node")
    assert node["spec"]["unschedulable"] is True
    world.cordon(False)
    await world.until(lambda: "running" in state_of(world))


def _unscheduled(world: World) -> Any:
    pod = world.pod_of("fuji")
    condition = condition_of(pod, "PodScheduled") if pod else None
    return pod if condition and condition["reason"] == "Unschedulable" else None


async def test_a_pod_that_runs_stays_on_a_cordoned_machine(world: World) -> None:
    """Does cordoning leave alone what runs?"""
    name = await start(world)
    world.cordon()
    assert pod_name(world) == name
    assert "running" in state_of(world)


async def test_without_its_volume_a_pod_is_never_set_up(world: World) -> None:
    """Does a pod on the machine start nothing while its volume does not attach?"""
    world.detach("fuji")
    deploy(world)
    await world.until(lambda: _on_machine(world))
    pod = world.pod_of("fuji")
    assert pod is not None
    assert pod["status"]["phase"] == "Pending"
    assert "podIP" not in pod["status"]
    for container in ("prepare-data", "node"):
        assert state_of(world, container) == {"waiting": {"reason": "PodInitializing"}}
        assert "containerID" not in status_of(world, container)
    world.attach("fuji")
    await world.until(lambda: "running" in state_of(world))


def _on_machine(world: World) -> bool:
    pod = world.pod_of("fuji")
    return bool(pod) and pod["spec"].get("nodeName") == "simulated-node" and bool(status_of(world))


async def test_without_init_containers_it_is_container_creating(world: World) -> None:
    """Does a pod without init containers wait under the name that people know?"""
    world.detach("fuji")
    deploy(world)
    world.change("fuji", lambda obj: obj["spec"]["template"]["spec"].pop("initContainers") and None)
    await world.until(lambda: state_of(world) == {"waiting": {"reason": "ContainerCreating"}})


async def test_a_pod_that_waits_for_its_volume_can_be_deleted(world: World) -> None:
    """Is a pod gone at once that had nothing to end?"""
    world.detach("fuji")
    deploy(world)
    await world.until(lambda: _on_machine(world))
    world.scale("fuji", 0)
    await world.until(lambda: not world.pods_of("fuji"))


async def test_a_volume_that_is_lost_is_empty_for_the_next_pod(world: World) -> None:
    """Does the running node keep its volume, and its successor begin on an empty one?"""
    name = await start(world)
    old = world.volume("fuji")
    world.replace_volume("fuji")
    node = world.node_of("fuji")
    assert node is not None
    assert old.runs[RUN].in_use
    assert world.volume("fuji").runs == {}
    world.workloads.drain("bootstrap", name)
    await world.until(lambda: world.volume("fuji").runs and "running" in state_of(world))
    assert '"data":"fresh"' in ended(world, "prepare-data")["message"]


# --- What a pod asks for ---------------------------------------------------------------------


async def test_requests_are_kept(world: World) -> None:
    """Do the requests of the manifest reach the pod, and decide its quality of service?"""
    await start(world, ENDLESS, requests={"cpu": "8", "memory": "16Gi"})
    pod = world.pod_of("fuji")
    assert pod is not None
    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "8", "memory": "16Gi"}}
    assert pod["status"]["qosClass"] == "Burstable"
