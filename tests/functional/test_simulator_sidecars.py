"""Native sidecars in the simulated kubelet: when they begin, that they are restarted, how they end;
and programs of others in containers.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.resources import Object
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Call
from controller.simulator.workloads.processes import Exit, IdleProcess, Process
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.fuji_world import (
    ENDLESS,
    REPOSITORY,
    RUN,
    condition_of,
    pod_name,
    state_of,
    status_of,
)
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

IMAGE = "bootstrap-controller:0.1.0"
GRACE = 60


class Told(IdleProcess):
    """Notes when it is sent SIGTERM; ends `slow` seconds after it, or never if that is infinite."""

    def __init__(self, call: Call, slow: float, told: "Programs") -> None:
        super().__init__(call.clock)
        self._call, self._slow, self._told = call, slow, told

    async def run(self) -> Exit:
        ended = await super().run()
        if ended.code != 137 and self._slow:
            await self._call.clock.sleep(self._slow)
        self._told.note("ended", self._call)
        return ended

    def terminate(self) -> None:
        self._told.note("SIGTERM", self._call)
        if self._slow < inf:
            super().terminate()


@dataclass
class Programs:
    """Plays the containers of these names. slow: seconds from SIGTERM to the end, 0 where none."""

    names: frozenset[str] = frozenset({"first", "second"})
    slow: dict[str, float] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    told: list[tuple[float, str, str]] = field(default_factory=list)

    def __call__(self, call: Call) -> Process | None:
        if call.container not in self.names:
            return None
        self.calls.append(call)
        return Told(call, self.slow.get(call.container, 0.0), self)

    def note(self, what: str, call: Call) -> None:
        self.told.append((call.clock.monotonic(), what, call.container))

    def sequence(self, begin: float) -> list[tuple[float, str, str]]:
        """Seconds since `begin`, what, and whom."""
        return [(round(at - begin, 1), what, whom) for at, what, whom in self.told if at >= begin]


@dataclass
class Stage:
    world: World
    programs: Programs
    clock: LoopClock

    def deploy(
        self,
        build: SimulatedBuild = ENDLESS,
        run: str = RUN,
        *,
        host: str = "0.0.0.0",
        **template: Any,
    ) -> None:
        """`fuji` with two sidecars, before and behind prepare-data."""
        self.world.push(REPOSITORY, "latest", build)
        image = f"{REPOSITORY}:latest@{build.digest()}"
        target = TargetManifest(
            "fuji", image=image, run_id=run, grace=GRACE, env={"AVAGO_HTTP_HOST": host}
        )
        deployment = target.deployment()
        spec = deployment["spec"]["template"]["spec"]
        spec["initContainers"].insert(0, sidecar("first"))
        spec["initContainers"].append(sidecar("second"))
        spec |= template
        self.world.api.objects.create("persistentvolumeclaims", target.claim(), PERSON)
        self.world.api.objects.create("deployments", deployment, PERSON)

    async def runs(self) -> None:
        await self.world.until(lambda: "running" in state_of(self.world))

    async def end(self) -> list[tuple[float, str, str]]:
        """Deletes the pod; what its containers were told, in seconds from then on."""
        name, begin = pod_name(self.world), self.clock.monotonic()
        self.world.api.objects.delete("pods", NAMESPACE, name)
        storage = self.world.api.storage
        await self.world.until(lambda: storage.peek("pods", NAMESPACE, name) is None)
        return self.programs.sequence(begin)


def sidecar(name: str, **fields: Any) -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "command": ["bootstrap-controller", "monitor"],
        "args": ["--poll-interval=1m"],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "RUN_ID", "valueFrom": {"fieldRef": {"fieldPath": _RUN}}},
        ],
        "restartPolicy": "Always",
        **fields,
    }


_RUN = "metadata.annotations['bootstrap.avax.network/run-id']"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    programs, clock = Programs(), LoopClock()
    async with World(clock, Random(7), speed=REAL_SPEED, programs=programs) as world:
        yield Stage(world, programs, clock)


# --- While it lives ------------------------------------------------------------------------------


async def test_a_sidecar_holds_up_nobody(stage: Stage) -> None:
    """Does the next init container begin as soon as a sidecar runs, and the sidecar behind one that
    waits not begin?
    """
    stage.deploy(run="")
    await stage.world.until(lambda: "running" in state_of(stage.world, "prepare-data"))
    assert [call.container for call in stage.programs.calls] == ["first"]
    first = status_of(stage.world, "first")
    assert (first["ready"], first["started"]) == (True, True)
    pod = stage.world.pod_of("fuji")
    assert pod is not None
    assert pod["status"]["phase"] == "Pending"
    assert condition_of(pod, "Initialized")["message"] == (
        "containers with incomplete status: [prepare-data second]"
    )


@pytest.mark.parametrize("kill", [True, False])
async def test_it_is_restarted_whatever_it_ends_with(stage: Stage, kill: bool) -> None:
    """Is it restarted at once, with a count of its own, and the others not touched?"""
    stage.deploy(SimulatedBuild(plan=Plan(bootstrap_seconds=1.0)))
    await stage.world.until(lambda: stage.world.is_ready("fuji"))
    worker = _worker(stage, "first")
    assert worker.process is not None
    (worker.process.kill if kill else worker.process.terminate)()
    await stage.world.until(lambda: status_of(stage.world, "first").get("restartCount"))
    assert status_of(stage.world, "first")["lastState"]["terminated"]["exitCode"] == (
        137 if kill else 143
    )
    await stage.world.until(lambda: stage.world.is_ready("fuji"))
    restarts = [status_of(stage.world, name)["restartCount"] for name in ("node", "second")]
    assert restarts == [0, 0]


async def test_the_pod_is_not_ready_without_it(stage: Stage) -> None:
    """Is it missed among the ready ones while it waits for its restart, in a pod that still is
    Running and initialized?
    """
    stage.deploy(SimulatedBuild(plan=Plan(bootstrap_seconds=1.0)))
    await stage.world.until(lambda: stage.world.is_ready("fuji"))
    for _ in range(2):
        await stage.world.until(lambda: "running" in state_of(stage.world, "first"))
        stage.world.workloads.kill(NAMESPACE, pod_name(stage.world), "first")
        await stage.world.until(lambda: "running" not in state_of(stage.world, "first"))
    await stage.world.until(lambda: "waiting" in state_of(stage.world, "first"))
    pod = stage.world.pod_of("fuji")
    assert pod is not None
    assert condition_of(pod, "Ready")["message"] == "containers with unready status: [first]"
    assert condition_of(pod, "Initialized")["status"] == "True"
    assert pod["status"]["phase"] == "Running"


# --- At the end of its pod -----------------------------------------------------------------------


async def test_sidecars_end_last(stage: Stage) -> None:
    """Are they told so only when the node has ended, in the reverse of their order?"""
    stage.programs.slow = {"second": 5.0}
    stage.deploy(SimulatedBuild(plan=Plan(bootstrap_seconds=inf, shutdown_seconds=3.0)))
    await stage.runs()
    begun = stage.clock.monotonic()
    told = await stage.end()
    assert [(what, whom) for _, what, whom in told] == [
        ("SIGTERM", "second"),
        ("ended", "second"),
        ("SIGTERM", "first"),
        ("ended", "first"),
    ]
    assert told[0][0] >= 3.0
    assert told[2][0] == told[0][0] + 5.0
    assert stage.clock.monotonic() - begun < GRACE


async def test_a_node_that_does_not_end(stage: Stage) -> None:
    """Are sidecars told so when the grace is over, and have they two seconds then?"""
    stage.programs.slow = {"first": inf}
    stage.deploy(SimulatedBuild(plan=Plan(bootstrap_seconds=inf, deaf=True)))
    await stage.runs()
    assert await stage.end() == [
        (GRACE, "SIGTERM", "first"),
        (GRACE, "SIGTERM", "second"),
        (GRACE, "ended", "second"),
        (GRACE + 2, "ended", "first"),
    ]


async def test_the_end_while_data_is_prepared(stage: Stage) -> None:
    """Has a sidecar to wait for an init container that waits? No: both are told at once."""
    stage.deploy(run="")
    await stage.world.until(lambda: "running" in state_of(stage.world, "prepare-data"))
    assert await stage.end() == [(0.0, "SIGTERM", "first"), (0.0, "ended", "first")]


async def test_none_is_restarted_at_the_end(stage: Stage) -> None:
    """Is a sidecar that ends by itself while the node still does left so?"""
    stage.deploy(SimulatedBuild(plan=Plan(bootstrap_seconds=inf, deaf=True)))
    await stage.runs()
    begun = len(stage.programs.calls)
    worker = _worker(stage, "second")
    name = pod_name(stage.world)
    stage.world.api.objects.delete("pods", NAMESPACE, name)
    await stage.clock.sleep(1.0)
    assert worker.process is not None
    worker.process.kill()
    storage = stage.world.api.storage
    await stage.world.until(lambda: storage.peek("pods", NAMESPACE, name) is None)
    assert [c.container for c in stage.programs.calls if c.pod["metadata"]["name"] == name] == [
        "first",
        "second",
    ]
    assert begun == 2


# --- What runs in it -----------------------------------------------------------------------------


async def test_a_program_knows_its_pod(stage: Stage) -> None:
    """Is it told its words, its environment with the downward API, and its account?"""
    stage.deploy(serviceAccountName="monitor")
    await stage.runs()
    call = stage.programs.calls[0]
    assert call.words == ("bootstrap-controller", "monitor", "--poll-interval=1m")
    assert call.environment == {"POD_NAME": pod_name(stage.world), "RUN_ID": RUN}
    assert call.account == "monitor"


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
async def test_localhost_is_the_pods(stage: Stage, host: str) -> None:
    """Does a program reach the node of its pod, one that listens on 127.0.0.1 only as well, which
    nobody outside does?
    """
    stage.deploy(host=host)
    await stage.runs()
    await stage.clock.sleep(1.0)  # it listens
    call = stage.programs.calls[-1]
    assert call.localhost(9999) is None
    local = call.localhost(9650)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{local}/ext/health") as answer,
    ):
        assert answer.status == 503
    pod = stage.world.pod_of("fuji")
    assert pod is not None
    outside = stage.world.workloads.local_address(pod, 9650)
    assert (outside is None) == (host == "127.0.0.1")


def _worker(stage: Stage, container: str) -> Any:
    worker = stage.world.workloads.kubelet.worker(NAMESPACE, pod_name(stage.world))
    assert worker is not None
    return worker.worker(container)
