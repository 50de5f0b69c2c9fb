"""Logs of containers as the API server serves them: whose, how much, and why there is none."""

import re
from collections.abc import AsyncIterator
from math import inf
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.followed_log import Rest
from controller.simulator.apiserver.logs import LogCut, LogOptions
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.registry.catalogue import Catalogue
from controller.simulator.workloads import RegistryImages, Speed
from controller.simulator.workloads.containerworker import ContainerWorker
from controller.simulator.workloads.logs import served_log
from controller.simulator.workloads.podstatus import ContainerRecord, waiting
from controller.simulator.workloads.processes import IdleProcess
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import World
from tests.fakes import FakeClock
from tests.fuji_world import REPOSITORY, RUN, deploy, pod_name, start, state_of, status_of
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

CRASHES = SimulatedBuild(plan=Plan(bootstrap_seconds=inf, crash_after=60.0, crash_times=1))
PODS = "/api/v1/namespaces/bootstrap/pods"
TEXT = "first\nsecond\nthird é\n"


async def get(url: str, pod: str, **query: str) -> tuple[int, Any]:
    """Status, and the text or the failure's message."""
    path = f"{url}{PODS}/{pod}/log"
    async with aiohttp.ClientSession() as session, session.get(path, params=query) as answer:
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "text/plain"
            return 200, (await answer.read()).decode(errors="replace")
        body = await answer.json()
        assert body["kind"] == "Status"
        return answer.status, body["message"]


# --- What is cut, on a server alone --------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[SimulatedApiServer]:
    """With two pods, of one container and of two, whose log is TEXT."""
    settings = ServerSettings(logs=lambda _namespace, _pod, _container: TEXT)
    server = SimulatedApiServer(LoopClock(), Random(1), settings)
    for name, containers in (("one", ["node"]), ("two", ["node", "shipper"])):
        spec: Any = {"containers": [{"name": each, "image": "a/b:1"} for each in containers]}
        spec["initContainers"] = [{"name": "prepare", "image": "a/b:1"}]
        metadata = {"name": name, "namespace": "bootstrap"}
        server.objects.create("pods", {"metadata": metadata, "spec": spec})
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, TEXT),
        ({"tailLines": "2"}, "second\nthird é\n"),
        ({"tailLines": "0"}, ""),
        ({"tailLines": "99"}, TEXT),
        ({"limitBytes": "8"}, "first\nse"),
        ({"tailLines": "2", "limitBytes": "8"}, "second\nt"),
        ({"tailLines": "1", "limitBytes": "7"}, "third \ufffd"),
    ],
)
async def test_tail_and_limit(server: SimulatedApiServer, query: Any, text: str) -> None:
    """Are the last lines given, and of these the first bytes, wherever that cuts?"""
    assert await get(server.url, "one", **query) == (200, text)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"tailLines": "some"}, 400, 'parsing "some"'),
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
    ],
)
async def test_numbers_out_of_range(
    server: SimulatedApiServer, query: Any, status: int, message: str
) -> None:
    """Is a number that makes no sense refused, and named?"""
    found, said = await get(server.url, "one", **query)
    assert found == status
    assert message in said


async def test_which_container_is_meant(server: SimulatedApiServer) -> None:
    """Must a pod of several containers be asked for one of them, and none of another name?"""
    assert await get(server.url, "two", container="prepare") == (200, TEXT)
    assert await get(server.url, "two", container="none") == (
        400,
        "container none is not valid for pod two",
    )
    assert await get(server.url, "two") == (
        400,
        "a container name must be specified for pod two, choose one of: [node shipper] or one of"
        " the init containers: [prepare]",
    )
    assert await get(server.url, "three") == (404, 'pods "three" not found')


async def test_no_container_before_it(server: SimulatedApiServer) -> None:
    """Is the log before the first one refused, in the kubelet's words?"""
    assert await get(server.url, "one", previous="true") == (
        400,
        'previous terminated container "node" in pod "one" not found',
    )


def test_times() -> None:
    """Has each line the time that it tells itself, or that of the line before, in nine digits, and
    do they count as bytes?
    """
    pod = {"metadata": {"creationTimestamp": "2026-12-31T23:59:00Z"}}
    text = "early\n[12-31|23:59:30.250] INFO a\nat x.go\n[01-01|00:00:01.000] INFO b\n"
    lines = LogCut(LogOptions(timestamps=True), pod).first(text).decode().splitlines()
    assert lines == [
        "2026-12-31T23:59:00.000000000Z early",
        "2026-12-31T23:59:30.250000000Z [12-31|23:59:30.250] INFO a",
        "2026-12-31T23:59:30.250000000Z at x.go",
        "2027-01-01T00:00:01.000000000Z [01-01|00:00:01.000] INFO b",
    ]
    few = LogCut(LogOptions(timestamps=True, tail_lines=1, limit_bytes=10), pod).first(text)
    assert few == b"2027-01-01"


# --- What is followed ---------------------------------------------------------------------------

LATER = ["fourth\n", "", "fifth\nsixth\n"]  # what each look at the file finds


async def followed(server: SimulatedApiServer, later: list[str], **query: str) -> bytes:
    """All that comes until the container ends, which it does after `later`."""
    left = list(later)

    def look() -> Rest:
        return Rest(left.pop(0) if left else "", ended=not left)

    server.served.followed = lambda *_: look
    query |= {"follow": "true"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{PODS}/one/log", params=query) as answer,
    ):
        assert answer.headers["Content-Type"] == "text/plain"
        return await answer.read()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, TEXT + "fourth\nfifth\nsixth\n"),
        ({"tailLines": "1"}, "third é\nfourth\nfifth\nsixth\n"),
        ({"tailLines": "0"}, "fourth\nfifth\nsixth\n"),
        ({"tailLines": "0", "limitBytes": "8"}, "fourth\nf"),
        ({"limitBytes": "3"}, "fir"),
    ],
)
async def test_following(server: SimulatedApiServer, query: Any, text: str) -> None:
    """Does what is written come after what is there, uncut but for the limit of bytes, and does the
    answer end with the container?
    """
    assert await followed(server, LATER, **query) == text.encode()


async def test_times_of_what_is_followed(server: SimulatedApiServer) -> None:
    """Has a later line without a time that of the line before it, in another look at the file?"""
    later = ["[01-02|10:00:00.500] INFO a\n", "at x.go\n"]
    query = {"timestamps": "true", "tailLines": "0"}
    lines = (await followed(server, later, **query)).decode().splitlines()
    assert [line.partition("T")[2].partition(" ")[0] for line in lines] == [
        "10:00:00.500000000Z"
    ] * 2


# --- Whose log it is, on a whole world -----------------------------------------------------------


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(LoopClock(), Random(7), speed=REAL_SPEED) as world:
        yield world


async def test_the_log_of_what_runs(world: World) -> None:
    """Are the node and the init container that has ended each read?"""
    pod = await start(world)
    status, text = await get(world.api.url, pod, container="node")
    assert status == 200
    assert "initializing node" in text
    assert (await get(world.api.url, pod, container="prepare-data"))[0] == 200
    status, text = await get(world.api.url, pod, container="node", timestamps="true")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \[", text)


async def test_before_a_restart_there_is_no_previous_one(world: World) -> None:
    """Is the log before the first process refused?"""
    pod = await start(world)
    assert await get(world.api.url, pod, previous="true") == (
        400,
        f'previous terminated container "node" in pod "{pod}" not found',
    )


async def test_after_a_restart(world: World) -> None:
    """Is the log of the process before told apart from the one that runs?"""
    deploy(world, CRASHES)
    await world.until(lambda: status_of(world).get("restartCount") == 1 and state_of(world))
    await world.until(lambda: "running" in state_of(world))
    pod = pod_name(world)
    _, now = await get(world.api.url, pod)
    _, before = await get(world.api.url, pod, previous="true")
    assert "failed to verify block" in before
    assert "failed to verify block" not in now
    assert "initializing node" in now


async def test_following_what_runs(world: World) -> None:
    """Does a reader get each line once, to the last one of the process, and none of the next?"""
    deploy(world, CRASHES)
    await world.until(lambda: "running" in state_of(world))
    pod = pod_name(world)
    status, text = await get(world.api.url, pod, follow="true")
    assert status == 200
    await world.until(lambda: status_of(world).get("restartCount") == 1)
    _, before = await get(world.api.url, pod, previous="true")
    assert text == before
    assert "failed to verify block" in text
    assert await get(world.api.url, pod, previous="true", follow="true") == (200, before)


async def test_while_it_waits_for_a_restart(world: World) -> None:
    """Is the log of the last process given for a container in CrashLoopBackOff, both as the present
    and as the previous one?
    """
    crashes = SimulatedBuild(plan=Plan(bootstrap_seconds=inf, crash_after=60.0, crash_times=9))
    deploy(world, crashes)
    await world.until(lambda: _waits_for(world) == "CrashLoopBackOff")
    pod = pod_name(world)
    status, text = await get(world.api.url, pod)
    assert status == 200
    assert "failed to verify block" in text
    assert await get(world.api.url, pod, previous="true") == (200, text)


async def test_before_the_first_start(world: World) -> None:
    """Is a container that waits for its pod's others refused with its reason?"""
    world.detach("fuji")
    deploy(world)
    await world.until(lambda: state_of(world))
    pod = pod_name(world)
    assert await get(world.api.url, pod, container="node") == (
        400,
        f'container "node" in pod "{pod}" is waiting to start: PodInitializing',
    )


async def test_before_the_image_is_there(world: World) -> None:
    """Is it said that the image did not come?"""
    world.deploy("fuji", image=f"{REPOSITORY}:missing", run_id=RUN)
    await world.until(lambda: _waits_for(world, "prepare-data") == "ErrImagePull")
    pod = pod_name(world)
    assert await get(world.api.url, pod, container="prepare-data") == (
        400,
        f'container "prepare-data" in pod "{pod}" is waiting to start: image can\'t be pulled',
    )


def _waits_for(world: World, container: str = "node") -> str:
    return str(state_of(world, container).get("waiting", {}).get("reason", ""))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ErrImagePull", "image can't be pulled"),
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("ContainerCreating", "ContainerCreating"),
        ("InvalidImageName", "InvalidImageName"),
    ],
)
async def test_words_for_waiting(reason: str, words: str) -> None:
    """Is each reason to wait said in the kubelet's words?"""
    record = ContainerRecord("node", "a/b:1", state=waiting(reason))
    images = RegistryImages(Catalogue(FakeClock()))
    worker = ContainerWorker(
        record, lambda _: IdleProcess(FakeClock()), images, FakeClock(), Speed()
    )
    with pytest.raises(StatusError, match=f"waiting to start: {words}$"):
        served_log(worker, "p", previous=False)


async def test_a_pod_without_a_machine_has_an_empty_log(world: World) -> None:
    """Is there nothing, and no failure, before a pod is on a machine?"""
    world.cordon()
    deploy(world)
    await world.until(lambda: world.pod_of("fuji"))
    assert await get(world.api.url, pod_name(world)) == (200, "")
