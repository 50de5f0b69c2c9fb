"""The simulated controllers and the init container's stand-in, without sockets or real time.

What the kubelet does over real HTTP is in test_simulator_world.py.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import pytest

from controller.simulator.apiserver.objects import Objects
from controller.simulator.apiserver.storage import Storage
from controller.simulator.manifests import TargetManifest
from controller.simulator.registry import SimulatedBuild
from controller.simulator.registry.catalogue import Catalogue
from controller.simulator.workloads import (
    REAL_SPEED,
    InitCall,
    InitExit,
    PreparesData,
    PullError,
    RegistryImages,
    RunDirectory,
    Volume,
    Workloads,
)
from controller.simulator.workloads.cluster import Cluster
from controller.simulator.workloads.deployments import template_hash
from controller.simulator.workloads.environment import environment_of
from tests.fakes import FakeClock

OLDER, RUN, NEWER = (
    "20261122t060000z-00000000",
    "20261123t060000z-11111111",
    "20261124t060000z-22222222",
)
FUTURE = "20261124t060001z-00000000"
BINARY, OTHER = "b" * 64, "d" * 64


@dataclass
class Lab:
    """A cluster without a kubelet: pods are made and removed, and never run."""

    cluster: Cluster
    catalogue: Catalogue

    def deploy(self, **manifest: Any) -> None:
        self.cluster.objects.create("deployments", TargetManifest("fuji", **manifest).deployment())

    def change(self, change: Any) -> None:
        self.cluster.objects.update("deployments", "bootstrap", "fuji", change)

    def set_image(self, image: str) -> None:
        def change(obj: Any) -> None:
            obj["spec"]["template"]["spec"]["containers"][0]["image"] = image

        self.change(change)

    def all(self, plural: str) -> list[Any]:
        return self.cluster.storage.objects(plural, "bootstrap")

    @property
    def deployment(self) -> Any:
        return self.cluster.objects.get("deployments", "bootstrap", "fuji")

    def replicas(self) -> dict[str, int]:
        """Image of the node to the replicas wanted, of each ReplicaSet."""
        return {
            rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["spec"]["replicas"]
            for rs in self.all("replicasets")
        }

    def write_status(self, pod: Any, **status: Any) -> None:
        self.cluster.change("pods", pod, lambda p: p["status"].update(status), subresource="status")

    def bind(self, pod: Any) -> None:
        """Puts the pod on a node, so that it is terminated and not just removed."""
        self.cluster.change("pods", pod, lambda p: p["spec"].update(nodeName="somewhere"))


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    clock, random = FakeClock(), Random(3)
    storage = Storage(clock, random)
    objects = Objects(storage, random)
    objects.create("namespaces", {"metadata": {"name": "bootstrap"}})
    cluster, catalogue = Cluster(storage, objects), Catalogue(clock)
    async with Workloads(cluster, RegistryImages(catalogue), clock, kubelet=False):
        yield Lab(cluster, catalogue)


async def test_a_new_template_is_a_new_replicaset(lab: Lab) -> None:
    """Does another image make another ReplicaSet, with the old one at none and a new revision?"""
    lab.deploy(image="a/b:1")
    await FakeClock.settle()
    lab.set_image("a/b:2")
    await FakeClock.settle()
    assert lab.replicas() == {"a/b:1": 0, "a/b:2": 1}
    assert lab.deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert len(lab.all("pods")) == 1


async def test_an_image_that_comes_back_finds_its_replicaset(lab: Lab) -> None:
    """Is the old ReplicaSet used again, with the newest revision?"""
    lab.deploy(image="a/b:1")
    for image in ("a/b:2", "a/b:1"):
        await FakeClock.settle()
        lab.set_image(image)
    await FakeClock.settle()
    assert lab.replicas() == {"a/b:1": 1, "a/b:2": 0}
    assert lab.deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


async def test_annotations_of_the_deployment_make_no_pod(lab: Lab) -> None:
    """Does an annotation reach the ReplicaSet as a copy, and leave pod and template alone?"""
    lab.deploy()
    await FakeClock.settle()
    (before,) = lab.all("pods")
    lab.change(lambda obj: obj["metadata"].setdefault("annotations", {}).update(note="1"))
    await FakeClock.settle()
    (after,) = lab.all("pods")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    (replicaset,) = lab.all("replicasets")
    assert replicaset["metadata"]["annotations"]["note"] == "1"
    assert lab.deployment["status"]["observedGeneration"] == 2


async def test_recreate_waits_for_terminating_pods(lab: Lab) -> None:
    """Is the new pod made only when the old one is gone, however long it takes to end?"""
    lab.deploy(image="a/b:1")
    await FakeClock.settle()
    (old,) = lab.all("pods")
    lab.bind(old)
    lab.set_image("a/b:2")
    await FakeClock.settle()
    (still,) = lab.all("pods")
    assert "deletionTimestamp" in still["metadata"]
    assert list(lab.replicas()) == ["a/b:1"]
    lab.cluster.delete("pods", old, gracePeriodSeconds=0)
    await FakeClock.settle()
    (new,) = lab.all("pods")
    assert new["spec"]["containers"][0]["image"] == "a/b:2"


async def test_rolling_update_has_both_pods_until_the_new_one_is_ready(lab: Lab) -> None:
    """Does RollingUpdate with one replica run old and new at once [58]?"""
    lab.deploy(image="a/b:1", strategy="RollingUpdate")
    await FakeClock.settle()
    lab.set_image("a/b:2")
    await FakeClock.settle()
    assert len(lab.all("pods")) == 2
    new = next(p for p in lab.all("pods") if p["spec"]["containers"][0]["image"] == "a/b:2")
    lab.write_status(new, phase="Running", conditions=[{"type": "Ready", "status": "True"}])
    await FakeClock.settle()
    assert lab.replicas() == {"a/b:1": 0, "a/b:2": 1}


async def test_a_deleted_pod_is_replaced_while_it_still_terminates(lab: Lab) -> None:
    """Does the ReplicaSet not wait for a pod that somebody else deletes [59]?"""
    lab.deploy()
    await FakeClock.settle()
    (old,) = lab.all("pods")
    lab.bind(old)
    lab.cluster.delete("pods", old)
    await FakeClock.settle()
    assert len(lab.all("pods")) == 2


async def test_a_failed_pod_is_kept_and_replaced(lab: Lab) -> None:
    """Does a pod that is over count no more, and stay?"""
    lab.deploy()
    await FakeClock.settle()
    lab.write_status(lab.all("pods")[0], phase="Failed", reason="Evicted")
    await FakeClock.settle()
    assert sorted(pod["status"]["phase"] for pod in lab.all("pods")) == ["Failed", "Pending"]


async def test_a_paused_deployment_rolls_nothing_out(lab: Lab) -> None:
    """Does `paused` keep a new template from its pods, but not scaling?"""
    lab.deploy(image="a/b:1")
    await FakeClock.settle()
    lab.change(lambda obj: obj["spec"].update(paused=True))
    lab.set_image("a/b:2")
    await FakeClock.settle()
    assert lab.replicas() == {"a/b:1": 1}


async def test_the_history_of_replicasets_is_limited(lab: Lab) -> None:
    """Do old ReplicaSets go when there are more than `revisionHistoryLimit`?"""
    lab.deploy(image="a/b:0")
    lab.change(lambda obj: obj["spec"].update(revisionHistoryLimit=2))
    for number in range(1, 6):
        lab.set_image(f"a/b:{number}")
        await FakeClock.settle()
    assert sorted(lab.replicas()) == ["a/b:3", "a/b:4", "a/b:5"]


async def test_foreground_deletion_keeps_the_owner_to_the_last(lab: Lab) -> None:
    """Is the Deployment gone only after its pods, when deleted in the foreground?"""
    lab.deploy()
    await FakeClock.settle()
    (pod,) = lab.all("pods")
    lab.bind(pod)
    lab.cluster.delete("deployments", lab.deployment, propagationPolicy="Foreground")
    await FakeClock.settle()
    assert "deletionTimestamp" in lab.deployment["metadata"]
    lab.cluster.delete("pods", pod, gracePeriodSeconds=0)
    await FakeClock.settle()
    assert [*lab.all("deployments"), *lab.all("replicasets"), *lab.all("pods")] == []


async def test_orphans_stay(lab: Lab) -> None:
    """Does `--cascade=orphan` leave the pods?"""
    lab.deploy()
    await FakeClock.settle()
    lab.cluster.delete("deployments", lab.deployment, propagationPolicy="Orphan")
    await FakeClock.settle()
    assert len(lab.all("pods")) == 1


async def test_conditions_change_their_time_only_with_their_status(lab: Lab) -> None:
    """Does Available turn True with readiness, with the reasons of recording 43?"""
    lab.deploy()
    await FakeClock.settle()
    assert _conditions(lab) == [
        ("Available", "False", "MinimumReplicasUnavailable"),
        ("Progressing", "True", "ReplicaSetUpdated"),
    ]
    (pod,) = lab.all("pods")
    lab.write_status(pod, phase="Running", conditions=[{"type": "Ready", "status": "True"}])
    await FakeClock.settle()
    assert _conditions(lab) == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "True", "NewReplicaSetAvailable"),
    ]
    status = lab.deployment["status"]
    assert (status["updatedReplicas"], status["availableReplicas"]) == (1, 1)


def _conditions(lab: Lab) -> list[tuple[str, str, str]]:
    conditions = lab.deployment["status"]["conditions"]
    return [(c["type"], c["status"], c["reason"]) for c in conditions]


def test_equal_templates_have_equal_hashes() -> None:
    """Does the hash follow from the template alone, in letters that a name may have?"""
    one = TargetManifest("fuji").deployment()["spec"]["template"]
    two = TargetManifest("fuji", image="a/b:2").deployment()["spec"]["template"]
    assert template_hash(one) == template_hash(dict(reversed(one.items())))
    assert template_hash(one) != template_hash(two)
    assert template_hash(one).isalnum()


# --- The init container's stand-in ---------------------------------------------------------------


FIRST, SECOND = "fuji-7d9c8f5b6d-x2x4z", "mainnet-7d9c8f5b6d-x2x4z"  # pods of two Deployments


def call(volume: Volume, run: str = RUN, binary: str = BINARY, pod: str = FIRST) -> InitCall:
    environment = {"RUN_ID": run, "POD_NAME": pod, "POD_NAMESPACE": "bootstrap"}
    now = datetime(2026, 11, 23, 6, tzinfo=UTC)
    return InitCall(environment, volume, binary, lambda: now, lambda _: None)


async def prepare(
    volume: Volume, run: str = RUN, binary: str = BINARY, pod: str = FIRST
) -> InitExit:
    return await PreparesData().prepare(call(volume, run, binary, pod))


async def test_fresh_removes_only_older_runs() -> None:
    """Does a fresh start take the place of older runs, with its marker naming the binary?"""
    volume = Volume()
    volume.runs[OLDER] = RunDirectory(OTHER)
    done = await prepare(volume)
    assert done.code == 0
    assert orjson.loads(done.message) == {
        "run": RUN,
        "data": "fresh",
        "resumes": 0,
        "binary": BINARY,
    }
    assert set(volume.runs) == {RUN}
    assert volume.runs[RUN].binary == BINARY


async def test_the_same_binary_resumes_and_counts() -> None:
    """Is the run's own data taken up again, with its progress, as often as it happens?"""
    volume = Volume()
    await prepare(volume)
    volume.runs[RUN].progress.done = 5.0
    for times in (1, 2):
        done = await prepare(volume)
        word = orjson.loads(done.message)
        assert (word["data"], word["resumes"]) == ("resumed", times)
    assert volume.runs[RUN].progress.done == 5.0


async def test_a_directory_without_its_marker_is_begun_anew() -> None:
    """Is a ruin not resumed?"""
    volume = Volume()
    volume.runs[RUN] = RunDirectory(BINARY, complete=False)
    volume.runs[RUN].progress.done = 5.0
    assert orjson.loads((await prepare(volume)).message)["data"] == "fresh"
    assert volume.runs[RUN].progress.done == 0.0


async def test_another_binary_is_foreign_and_removes_nothing() -> None:
    """Does another binary end with 3, leaving even the older runs?"""
    volume = Volume()
    volume.runs |= {OLDER: RunDirectory(BINARY), RUN: RunDirectory(BINARY)}
    done = await prepare(volume, binary=OTHER)
    assert done.code == 3
    assert orjson.loads(done.message)["data"] == "foreign"
    assert set(volume.runs) == {OLDER, RUN}
    assert volume.touched == []


async def test_it_waits_while_a_newer_run_owns_the_volume() -> None:
    """Does it wait for as long as a newer run's directory lies there, and then go on?"""
    volume = Volume()
    volume.runs[NEWER] = RunDirectory(BINARY)
    waiting = asyncio.create_task(prepare(volume))
    await FakeClock.settle()
    assert not waiting.done()
    assert volume.touched == []
    del volume.runs[NEWER]
    volume.tell("somebody removed it")
    assert orjson.loads((await waiting).message)["data"] == "fresh"


@pytest.mark.parametrize("run", [OLDER, NEWER])
async def test_another_deployments_data_is_a_fault(run: str) -> None:
    """Is data that another Deployment left neither removed nor waited for?"""
    volume = Volume()
    await prepare(volume, pod=SECOND, run=run)
    done = await prepare(volume)
    assert done.code == 1
    assert "bootstrap/mainnet, this pod to bootstrap/fuji: two Deployments" in done.message
    assert set(volume.runs) == {run}


async def test_a_newer_run_of_the_future_is_a_fault() -> None:
    """Is a run that nobody will supersede for days not waited for?"""
    volume = Volume()
    volume.runs[FUTURE] = RunDirectory(BINARY)
    done = await prepare(volume)
    assert done.code == 1
    assert f"{FUTURE} is more than 1 day in the future" in done.message


async def test_a_run_of_the_future_removes_nothing() -> None:
    """Does a run of the future resume what it has, and begin nothing?"""
    volume = Volume()
    volume.runs[OLDER] = RunDirectory(BINARY)
    assert (await prepare(volume, run=FUTURE)).code == 1
    assert set(volume.runs) == {OLDER}
    volume.runs[FUTURE] = RunDirectory(BINARY)
    assert (await prepare(volume, run=FUTURE)).code == 0


async def test_without_a_run_id_it_waits_for_ever() -> None:
    """Does nothing end the wait of a pod without a run id, and is nothing touched?"""
    volume = Volume()
    volume.runs[OLDER] = RunDirectory(BINARY)
    waiting = asyncio.create_task(prepare(volume, run=""))
    await FakeClock.settle()
    volume.tell("something else")
    await FakeClock.settle()
    assert not waiting.done()
    assert set(volume.runs) == {OLDER}
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_what_is_no_run_id_is_a_fault_of_the_manifest() -> None:
    """Does a run id that somebody made up end with 2?"""
    assert (await prepare(Volume(), run="yesterday")).code == 2


# --- Small parts ---------------------------------------------------------------------------------


def test_environment_expands_what_came_before() -> None:
    """Are fields and $(NAME) filled in as a kubelet does, and a missing annotation left empty?"""
    field = {"fieldRef": {"fieldPath": "metadata.annotations['x/run']"}}
    other = {"fieldRef": {"fieldPath": "metadata.annotations['x/none']"}}
    container = {
        "env": [
            {"name": "EARLY", "value": "$(RUN)"},
            {"name": "RUN", "valueFrom": field},
            {"name": "NONE", "valueFrom": other},
            {"name": "DIR", "value": "/data/$(RUN)/$(NONE)/$(UNKNOWN)/$$(RUN)"},
        ]
    }
    metadata = {"name": "p", "namespace": "n", "uid": "u", "annotations": {"x/run": "1"}}
    assert environment_of(container, {"metadata": metadata, "spec": {}}) == {
        "EARLY": "$(RUN)",
        "RUN": "1",
        "NONE": "",
        "DIR": "/data/1//$(UNKNOWN)/$(RUN)",
    }


def test_restarts_back_off() -> None:
    """Is the first restart at once, and do the others wait twice as long each, up to the cap?"""
    assert [REAL_SPEED.restart_delay(n) for n in range(1, 8)] == [0, 10, 20, 40, 80, 160, 300]
    assert [REAL_SPEED.pull_delay(n) for n in range(1, 7)] == [10, 20, 40, 80, 160, 300]


async def test_what_changes_nothing_is_not_written(lab: Lab) -> None:
    """Does a controller that writes what is there already wake nobody?"""
    lab.deploy()
    before = lab.cluster.storage.version
    deployment = lab.deployment
    assert lab.cluster.change("deployments", deployment, lambda d: d["spec"].update(replicas=1))
    assert lab.cluster.storage.version == before
    assert lab.cluster.change("deployments", deployment, lambda d: d["spec"].update(replicas=0))
    assert lab.cluster.storage.version > before


def test_images_of_a_registry() -> None:
    """Are tags, indexes and platform digests resolved, and all else refused in the right way?"""
    catalogue, build = Catalogue(FakeClock()), SimulatedBuild()
    index = catalogue.push("avaplatform/avalanchego", "latest", build)
    images = RegistryImages(catalogue)
    name = "avaplatform/avalanchego"
    assert images.resolve(name).digest == index
    assert images.resolve(f"{name}:latest@{build.digest()}").digest == build.digest()
    assert images.resolve(f"docker.io/{name}:latest").build == build
    assert images.resolve("busybox:1.36").build is None
    for image, reason in ((f"{name}:none", "ErrImagePull"), (" x", "InvalidImageName")):
        with pytest.raises(PullError) as refused:
            images.resolve(image)
        assert refused.value.reason == reason
    images.broken = lambda _: "toomanyrequests: You have reached your pull rate limit"
    with pytest.raises(PullError, match="toomanyrequests"):
        images.resolve(name)
