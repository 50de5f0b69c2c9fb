"""Kubernetes Events of the simulated controllers, scheduler and kubelet: what is said, how it is
counted, and how it is read.
"""

from collections.abc import AsyncIterator
from math import inf
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.objects import Objects
from controller.simulator.apiserver.storage import Storage
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.cluster import Cluster
from controller.simulator.workloads.eventrecorder import LIFE, EventRecorder
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import World
from tests.fakes import FakeClock
from tests.fuji_world import REPOSITORY, RUN, deploy, events_of, pod_name, start
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

CRASHES = SimulatedBuild(plan=Plan(bootstrap_seconds=inf, crash_after=60.0))
CORE, NEW = "/api/v1", "/apis/events.k8s.io/v1"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as world:
        yield world


def said(world: World, reason: str, kind: str = "Pod") -> list[tuple[str, str, str]]:
    """(component, type, message) of each Event with that reason."""
    return [
        (event["reportingComponent"], event["type"], event["message"])
        for event in events_of(world, reason, kind)
    ]


# --- What is said --------------------------------------------------------------------------------


async def test_a_pod_that_starts(world: World) -> None:
    """Are making, binding, pulling and starting told, each by whom it is done?"""
    name = await start(world)
    assert said(world, "SuccessfulCreate", "ReplicaSet") == [
        ("replicaset-controller", "Normal", f"Created pod: {name}")
    ]
    assert said(world, "Scheduled") == [
        (
            "default-scheduler",
            "Normal",
            f"Successfully assigned bootstrap/{name} to simulated-node",
        )
    ]
    pulled = events_of(world, "Pulled")
    assert {event["involvedObject"]["fieldPath"] for event in pulled} == {
        "spec.initContainers{prepare-data}",
        "spec.containers{node}",
    }
    assert said(world, "Started") == [("kubelet", "Normal", "Container started")] * 2


async def test_the_form_of_a_kubelets_event(world: World) -> None:
    """Has it source, times, count and the very object that it is about?"""
    name = await start(world)
    pod = world.pod_of("fuji")
    assert pod is not None
    event = next(
        each
        for each in events_of(world, "Started")
        if "node" in each["involvedObject"]["fieldPath"]
    )
    assert event["metadata"]["name"].startswith(f"{name}.")
    about = event["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("Pod", name, pod["metadata"]["uid"])
    assert event["source"] == {"component": "kubelet", "host": "simulated-node"}
    assert event["firstTimestamp"] == event["lastTimestamp"]
    assert (event["count"], event["eventTime"]) == (1, None)


async def test_the_form_of_a_schedulers_event(world: World) -> None:
    """Has it, made by the newer API, a time of its own and neither source nor count?"""
    await start(world)
    (event,) = events_of(world, "Scheduled")
    assert event["source"] == {}
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (None, None)
    assert event["eventTime"].endswith(".000000Z")
    assert event["action"] == "Binding"
    assert "count" not in event


async def test_a_crash_loop_is_counted(world: World) -> None:
    """Is BackOff one Event of a growing count, with the pod's full name?"""
    deploy(world, CRASHES)
    event = await world.until(
        lambda: next((e for e in events_of(world, "BackOff") if e["count"] >= 3), None)
    )
    pod = world.pod_of("fuji")
    assert pod is not None
    whole = f"{pod['metadata']['name']}_bootstrap({pod['metadata']['uid']})"
    assert event["message"] == f"Back-off restarting failed container node in pod {whole}"
    assert event["type"] == "Warning"
    assert event["lastTimestamp"] >= event["firstTimestamp"]
    assert len(events_of(world, "BackOff")) == 1


async def test_an_image_that_does_not_come(world: World) -> None:
    """Are the failure, its kind and the waiting told apart?"""
    world.deploy("fuji", image=f"{REPOSITORY}:missing", run_id=RUN)
    await world.until(lambda: ("kubelet", "Warning", "Error: ImagePullBackOff") in failures(world))
    messages = [message for _, _, message in failures(world)]
    assert messages[0].startswith(f'Failed to pull image "{REPOSITORY}:missing": ')
    assert messages[0].endswith("not found")
    assert messages[1] == "Error: ErrImagePull"
    assert said(world, "BackOff") == [
        ("kubelet", "Normal", f'Back-off pulling image "{REPOSITORY}:missing"')
    ]


def failures(world: World) -> list[tuple[str, str, str]]:
    return said(world, "Failed")


async def test_an_image_that_is_none(world: World) -> None:
    """Is a name that cannot be read told as such, and no pull?"""
    world.deploy("fuji", image=" x", run_id=RUN)
    await world.until(lambda: failures(world))
    assert failures(world) == [("kubelet", "Warning", "Error: InvalidImageName")]
    assert len(said(world, "InspectFailed")) == 1


async def test_a_pod_that_is_told_to_end(world: World) -> None:
    """Does the kubelet say which container it stops, and the ReplicaSet which pod it deleted?"""
    name = await start(world)
    world.scale("fuji", 0)
    await world.until(lambda: not world.pods_of("fuji"))
    assert said(world, "Killing") == [("kubelet", "Normal", "Stopping container node")]
    assert said(world, "SuccessfulDelete", "ReplicaSet") == [
        ("replicaset-controller", "Normal", f"Deleted pod: {name}")
    ]


async def test_an_eviction_is_told(world: World) -> None:
    """Is the kubelet's reason for an eviction said in an Event too?"""
    name = await start(world)
    world.workloads.evict("bootstrap", name, "The node was low on resource: memory.")
    assert said(world, "Evicted") == [
        ("kubelet", "Warning", "The node was low on resource: memory.")
    ]
    assert said(world, "Killing") == [("kubelet", "Normal", "Stopping container node")]


async def test_a_kill_by_the_kernel_is_not_told(world: World) -> None:
    """Is there no Event about a pod that ran out of memory, as there is none in a real cluster?"""
    name = await start(world)
    before = {e["reason"] for e in world.api.storage.objects("events", "bootstrap")}
    world.workloads.kill("bootstrap", name, "node")
    await world.until(lambda: _starts(world) == 3)
    assert {e["reason"] for e in world.api.storage.objects("events", "bootstrap")} == before


def _starts(world: World) -> int:
    return sum(event["count"] for event in events_of(world, "Started"))


async def test_a_pod_that_finds_no_machine(world: World) -> None:
    """Does the scheduler say why, once, and bind the pod later?"""
    world.cordon()
    deploy(world)
    await world.until(lambda: said(world, "FailedScheduling"))
    world.cordon(False)
    await world.until(lambda: said(world, "Scheduled"))
    assert said(world, "FailedScheduling") == [
        (
            "default-scheduler",
            "Warning",
            "0/1 nodes are available: 1 node(s) were unschedulable.",
        )
    ]


async def test_a_volume_that_does_not_attach(world: World) -> None:
    """Is each try told and counted, until it attaches?"""
    world.detach("fuji")
    deploy(world)
    event = await world.until(
        lambda: next((e for e in events_of(world, "FailedAttachVolume") if e["count"] > 1), None)
    )
    assert event["source"] == {"component": "attachdetach-controller"}
    assert event["message"].startswith("AttachVolume.Attach failed for volume")
    world.attach("fuji")
    await world.until(lambda: events_of(world, "Started"))


async def test_a_machine_that_restarts(world: World) -> None:
    """Does the kubelet say that it makes the sandbox anew?"""
    await start(world)
    world.reboot("fuji")
    await world.until(lambda: said(world, "SandboxChanged"))
    assert said(world, "SandboxChanged") == [
        ("kubelet", "Normal", "Pod sandbox changed, it will be killed and re-created.")
    ]


# --- How it is read ------------------------------------------------------------------------------


async def listed(world: World, path: str, **query: str) -> Any:
    url = f"{world.api.url}{path}/namespaces/bootstrap/events"
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
        return answer.status, await answer.json()


async def test_events_of_one_pod(world: World) -> None:
    """Does a field selector find those of one pod by its uid, and in pages?"""
    await start(world)
    pod = world.pod_of("fuji")
    assert pod is not None
    selector = f"involvedObject.uid={pod['metadata']['uid']}"
    _, found = await listed(world, CORE, fieldSelector=selector)
    reasons = sorted(event["reason"] for event in found["items"])
    twice = ["Created", "Pulled", "Pulling", "Started"]
    assert reasons == sorted([*twice, *twice, "Scheduled"])
    _, page = await listed(world, CORE, fieldSelector=selector, limit="2")
    assert len(page["items"]) == 2
    assert page["metadata"]["continue"]
    _, none = await listed(world, CORE, fieldSelector="involvedObject.uid=another")
    assert none["items"] == []
    both = f"involvedObject.kind=ReplicaSet,involvedObject.name={pod_name(world)}"
    _, none = await listed(world, CORE, fieldSelector=both)
    assert none["items"] == []


async def test_two_views_of_the_same(world: World) -> None:
    """Are the kubelet's Events in the newer view too, and what it posts there in the older one?"""
    await start(world)
    pod = world.pod_of("fuji")
    assert pod is not None
    uid = pod["metadata"]["uid"]
    _, new = await listed(world, NEW, fieldSelector=f"regarding.uid={uid},reason=Started")
    kubelets = new["items"][0]
    assert kubelets["note"] == "Container started"
    assert kubelets["deprecatedSource"]["component"] == "kubelet"
    assert kubelets["reportingController"] == "kubelet"
    assert kubelets["regarding"]["uid"] == uid
    _, old = await listed(world, CORE, fieldSelector="source=default-scheduler")
    assert [event["reason"] for event in old["items"]] == ["Scheduled"]


@pytest.mark.parametrize(("path", "field"), [(CORE, "regarding.uid"), (NEW, "involvedObject.uid")])
async def test_each_view_has_its_own_names(world: World, path: str, field: str) -> None:
    """Is a field of the other view refused, as the real server refuses it?"""
    status, body = await listed(world, path, fieldSelector=f"{field}=x")
    assert (status, body["message"]) == (400, f"field label not supported: {field}")


# --- The recorder --------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> Cluster:
    clock, random = FakeClock(), Random(3)
    storage = Storage(clock, random)
    objects = Objects(storage, random)
    for namespace in ("bootstrap", "other"):
        objects.create("namespaces", {"metadata": {"name": namespace}})
    return Cluster(storage, objects)


def subject(cluster: Cluster, name: str, namespace: str = "bootstrap") -> Any:
    metadata = {"name": name, "namespace": namespace}
    return cluster.objects.create("configmaps", {"metadata": metadata})


def counts(cluster: Cluster) -> list[tuple[str, int]]:
    events = cluster.storage.objects("events")
    return sorted((event["message"], event["count"]) for event in events)


def test_only_the_same_is_counted(cluster: Cluster) -> None:
    """Are two messages, two objects and two containers told apart, and the same counted?"""
    recorder = EventRecorder(cluster, "kubelet", "kubelet")
    one, two = subject(cluster, "one"), subject(cluster, "two")
    for about, message, path in (
        (one, "a", ""),
        (one, "a", ""),
        (one, "b", ""),
        (two, "a", ""),
        (one, "a", "spec.containers{node}"),
    ):
        recorder.say(about, "Normal", "Reason", message, field_path=path)
    assert counts(cluster) == [("a", 1), ("a", 1), ("a", 2), ("b", 1)]


def test_a_series(cluster: Cluster) -> None:
    """Does a repeat by the newer API go into `series`, which begins with two?"""
    recorder = EventRecorder(cluster, "default-scheduler", "kube-scheduler", series=True)
    about = subject(cluster, "one")
    for _ in range(3):
        recorder.say(about, "Warning", "FailedScheduling", "no", action="Scheduling")
    (event,) = cluster.storage.objects("events")
    assert event["series"]["count"] == 3


async def test_events_are_forgotten_after_an_hour(cluster: Cluster) -> None:
    """Is an Event gone an hour after it was last said, and what is said again a new one?"""
    clock = FakeClock()
    storage = Storage(clock, Random(3))
    cluster = Cluster(storage, Objects(storage, Random(3)))
    cluster.objects.create("namespaces", {"metadata": {"name": "bootstrap"}})
    recorder = EventRecorder(cluster, "kubelet", "kubelet")
    about = subject(cluster, "one")
    for message in ("often", "once"):
        recorder.say(about, "Normal", "Reason", message)
    await clock.advance(LIFE.total_seconds() - 1)
    recorder.say(about, "Normal", "Reason", "often")
    assert counts(cluster) == [("often", 2), ("once", 1)]
    await clock.advance(2)
    recorder.say(about, "Normal", "Reason", "often")
    assert counts(cluster) == [("often", 3)]
    recorder.say(about, "Normal", "Reason", "once")
    assert counts(cluster) == [("often", 3), ("once", 1)]


def test_a_deleted_event_is_made_again(cluster: Cluster) -> None:
    """Is something said again whose Event somebody has deleted?"""
    recorder = EventRecorder(cluster, "kubelet", "kubelet")
    about = subject(cluster, "one")
    recorder.say(about, "Normal", "Reason", "a")
    (event,) = cluster.storage.objects("events")
    cluster.delete("events", event)
    recorder.say(about, "Normal", "Reason", "a")
    assert counts(cluster) == [("a", 1)]


def test_components_do_not_get_in_each_others_way(cluster: Cluster) -> None:
    """Do two components, in the same second and about the same object, make two Events?"""
    about = subject(cluster, "one")
    for component in ("kubelet", "replicaset-controller"):
        EventRecorder(cluster, component, component).say(about, "Normal", "Reason", "a")
    assert counts(cluster) == [("a", 1), ("a", 1)]


def test_in_a_namespace_that_is_gone_nothing_is_said(cluster: Cluster) -> None:
    """Is an Event dropped that the API server refuses?"""
    about = subject(cluster, "one", "other")
    cluster.objects.delete("namespaces", "", "other")
    EventRecorder(cluster, "kubelet", "kubelet").say(about, "Normal", "Reason", "a")
    assert counts(cluster) == []
