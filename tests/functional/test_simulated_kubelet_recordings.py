"""The simulated kubelet beside the recorded one: the states that a pod goes through, the documents
that tell them, and what is said in Events.

`DIFFERENCES` has what is otherwise on purpose; what is not in it is the same.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from controller.simulator.apiserver.storage import copied
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.fuji_world import ENDLESS, REPOSITORY, RUN, pod_name, state_of, status_of
from tests.jumping_loop import LoopClock
from tests.kubelet_retold import container
from tests.kubelet_tracks import Object, Recording, recordings

pytestmark = pytest.mark.jumping

# What is not compared, a key of a document or a reason of an Event, to the reason.
DIFFERENCES = {
    "allocatedResources": "resources are counted by nobody here, nor changed in a pod's place",
    "resources": "likewise",
    "user": "users and groups are not played",
    "volumeMounts": "they say nothing that the spec does not say",
    "Unhealthy": "each probe that fails would be a write, for the days of a bootstrap",
    "FailedScheduling": "in two of the scenes there was no machine at first",
}
EPOCH = "1970-01-01T00:00:00Z"
_MARKS = re.compile(
    r"sha256:\w{64}|[\w-]+-\w+-\w{5}(?=_|\b)|\w{8}-(?:\w{4}-){3}\w{12}"
    rf"|_(?:rec\d|{NAMESPACE})(?=\()|(?<=avalanchego:)[\w-]+(?=@)|/avalanchego/build/\w+"
)


@dataclass(frozen=True)
class Played:
    """A recorded scene, and how it is played here."""

    scene: str
    build: SimulatedBuild
    until: Callable[[World], Any]  # something true when as much has been seen
    change: Callable[[Object], object] = lambda _: None  # of the Deployment before it is made
    act: Callable[[World], Awaitable[None]] | None = None  # when the node runs

    def __str__(self) -> str:
        return self.scene


def built(**plan: Any) -> SimulatedBuild:
    return replace(ENDLESS, plan=replace(ENDLESS.plan, **plan))


def restarts(count: int, name: str = "node") -> Callable[[World], bool]:
    """Has it been restarted so often, and waits again?"""
    return lambda world: (
        status_of(world, name).get("restartCount", 0) >= count
        and state_of(world, name).get("waiting", {}).get("reason") == "CrashLoopBackOff"
    )


def waits(reason: str, name: str = "node") -> Callable[[World], bool]:
    return lambda world: state_of(world, name).get("waiting", {}).get("reason") == reason


def no_secret(deployment: Object) -> None:
    reference = {"secretKeyRef": {"name": "nosuch", "key": "key"}}
    node = deployment["spec"]["template"]["spec"]["containers"][0]
    node["env"].append({"name": "SECRET", "valueFrom": reference})


async def machine_restarts(world: World) -> None:
    world.workloads.reboot(NAMESPACE, pod_name(world))


async def tmp_is_full(world: World) -> None:
    message = 'Usage of EmptyDir volume "tmp" exceeds the limit "8Mi". '
    world.workloads.evict(NAMESPACE, pod_name(world), message)


def other_sidecar(deployment: Object) -> None:
    spec = deployment["spec"]["template"]["spec"]
    mesh = {
        "name": "mesh",
        "image": spec["containers"][0]["image"],
        "command": ["/bin/sleep", "1000000"],
        "restartPolicy": "Always",
    }
    spec["initContainers"].insert(0, mesh)


def is_up_again(world: World) -> bool:
    return bool(status_of(world).get("restartCount")) and "running" in state_of(world)


def another_runs(world: World) -> bool:
    return len(world.pods_of("fuji")) == 2 and "running" in state_of(world)


CRASH = built(crash_after=1.0)
SCENES = [
    Played("pass", SimulatedBuild(plan=Plan(bootstrap_seconds=13.0)), lambda w: w.is_ready("fuji")),
    Played("crash", CRASH, restarts(4)),
    Played("zero", built(exit_zero_after=1.0), restarts(4)),
    Played("oom", built(oom_after=3.0), restarts(4)),
    Played("noexec", replace(ENDLESS, no_program=True), restarts(3)),
    Played("configerror", ENDLESS, waits("CreateContainerConfigError"), no_secret),
    Played("moved", ENDLESS, is_up_again, act=machine_restarts),
    Played("reboot", ENDLESS, is_up_again, act=machine_restarts),
    Played("sidecar", ENDLESS, is_up_again, other_sidecar, machine_restarts),
    Played("tmpfull", ENDLESS, another_runs, act=tmp_is_full),
]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as made:
        yield made


async def seen(world: World, played: Played) -> list[Object]:
    """The pods of the scene, at each of their writes."""
    found: list[Object] = []
    world.api.storage.subscribe(
        lambda change: found.append(copied(change.object)) if change.plural == "pods" else None
    )
    world.push(REPOSITORY, "latest", played.build)
    target = TargetManifest(
        "fuji", image=f"{REPOSITORY}:latest@{played.build.digest()}", run_id=RUN
    )
    deployment = target.deployment()
    played.change(deployment)
    world.api.objects.create("persistentvolumeclaims", target.claim(), PERSON)
    world.api.objects.create("deployments", deployment, PERSON)
    if played.act is not None:
        await world.until(lambda: "running" in state_of(world))
        await played.act(world)
    await world.until(lambda: played.until(world))
    return found


def recorded(played: Played) -> list[Object]:
    """The first pod of its run, at each of its writes."""
    return [seen.object for seen in Recording(played.scene).of_run[0].pods]


def shape(status: Object) -> set[str]:
    """Every key of it and what its value is; conditions and containers under their names."""
    found: set[str] = set()

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                if key not in DIFFERENCES:
                    walk(part, f"{path}.{key}")
        elif isinstance(value, list):
            for part in value:
                walk(part, f"{path}[{part.get('type') or part.get('name') or ''}]")
        else:
            found.add(f"{path}: {type(value).__name__}")

    walk(status, "")
    return found


def shapes(pods: list[Object]) -> set[str]:
    """Of pods that are on a machine."""
    statuses = (pod.get("status") or {} for pod in pods)
    return set().union(*(shape(status) for status in statuses if "containerStatuses" in status))


def plain(text: str) -> str:
    """A sentence without names, digests and times."""
    return _MARKS.sub("…", text)


def states(pods: list[Object], name: str) -> list[tuple[object, ...]]:
    """What the container went through, each as often as it came."""
    found: list[tuple[object, ...]] = []
    for pod in pods:
        status = container(pod.get("status") or {}, name)
        for kind, state in (status.get("state") or {}).items():
            ended = status["lastState"].get("terminated", {})
            ends = tuple(
                (end.get("reason"), end.get("exitCode"), end.get("startedAt") == EPOCH)
                for end in (state if kind == "terminated" else {}, ended)
            )
            waited = (state.get("reason"), plain(state.get("message", ""))) * (kind == "waiting")
            each = (status["restartCount"], kind, status["started"], ends, waited)
            if each not in found[-1:]:
                found.append(each)
    return found


def conditions(pods: list[Object]) -> set[tuple[object, ...]]:
    return {
        (c["type"], c["status"], c.get("reason"), c.get("message"), c.get("observedGeneration"))
        for pod in pods
        if "containerStatuses" in pod["status"]
        for c in pod["status"]["conditions"]
    }


def _words(event: Object) -> str:
    """Without the machine that it is on, and how long it took."""
    if event["reason"] == "Scheduled":
        return ""
    return plain(event["message"].partition('" in ')[0].rstrip('"'))


def said(events: list[Object]) -> set[tuple[str, ...]]:
    """Of a pod."""
    return {
        (
            event["type"],
            event["reason"],
            event["involvedObject"].get("fieldPath", ""),
            _words(event),
        )
        for event in events
        if event["involvedObject"]["kind"] == "Pod" and event["reason"] not in DIFFERENCES
    }


@pytest.mark.parametrize("played", SCENES, ids=str)
async def test_the_documents_have_the_same_keys(world: World, played: Played) -> None:
    """Has a status all that a recorded one has, each of the same type, and nothing that no
    recorded one has?
    """
    ours = shapes(await seen(world, played))
    assert sorted(shapes(recorded(played)) - ours) == []
    every = [seen.object for scene in recordings() for seen in scene.pods]
    assert sorted(ours - shapes(every)) == []


@pytest.mark.parametrize(
    ("played", "name"),
    [
        *((played, name) for played in SCENES for name in ("node", "prepare-data")),
        *((played, "mesh") for played in SCENES if played.scene == "sidecar"),
    ],
    ids=str,
)
async def test_a_container_goes_through_the_same_states(
    world: World, played: Played, name: str
) -> None:
    """In the same order, with the same ends, words and counts? A recording may lack some: a watch
    tells the last of several that come at once.
    """
    ours = states(await seen(world, played), name)
    last = ours[-1][0]
    rest = iter(ours)
    theirs = [state for state in states(recorded(played), name) if state[0] <= last]  # type: ignore[operator]
    assert [state for state in theirs if state not in rest] == []


@pytest.mark.parametrize("played", SCENES, ids=str)
async def test_the_conditions_are_the_same(world: World, played: Played) -> None:
    """Each with its reason and its sentence?"""
    ours, theirs = conditions(await seen(world, played)), conditions(recorded(played))
    assert sorted(map(str, theirs - ours)) == []


# But for the one whose Events were not recorded to its end.
@pytest.mark.parametrize("played", SCENES[:-1], ids=str)
async def test_the_same_is_said_of_it(world: World, played: Played) -> None:
    """Are there the recorded Events of the pods, with their words, and no others?"""
    await seen(world, played)
    theirs = [event.object for track in Recording(played.scene).of_run for event in track.events]
    ours = said(world.api.storage.objects("events", NAMESPACE))
    assert sorted(ours ^ said(theirs)) == []
