"""A world in which targets are tested as k8s/ writes them: their objects on the simulator, their
init script run by bash, and the controller in process. While a script runs the clock goes as the
machine's does, hence the short times; else it jumps, so their modules are marked `jumping`.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from loguru import logger

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import OpenRun, Outcome, Record, decode_record
from controller.process.app import App
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.apiserver.resources import RESOURCES, Object
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.apiserver.storage import copied
from controller.simulator.node import Pace, Plan, SimulatedNode
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Speed
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.bash_init import BashInit, ScriptRun, Tree
from tests.jumping_loop import LoopClock
from tests.kube_samples.certificates import server_tls

T = TypeVar("T")

KUBECTL = shutil.which("kubectl")
REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
BARE = f"{REPOSITORY}:{TAG}"  # what the manifests name

FAST = Speed(probe=0.05, restart_first=0.05, restart_cap=0.2, node=Pace(0.05, 0.2))
# A pin is put back soon; how soon is the tests of the rules' matter. All else is as in production.
RULES = Rules(revert_delays=(0.2, 0.4))
DURATIONS = {
    "poll_interval": "200ms",
    "probe_interval": "100ms",
    "resync_interval": "1s",
    "settle": "0s",
}
SOAK = "300ms"
LIMIT = 200.0  # seconds; far more than any step takes, and less than pytest gives a test

FIRST = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=0.3))
SECOND = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=0.3))
# Bootstraps until the test says `finish`.
ENDLESS = SimulatedBuild("1.14.2", "c3" * 20, Plan(bootstrap_seconds=inf))

_PLURALS = {r.kind: r.plural for r in reversed(RESOURCES)}


def pinned(build: SimulatedBuild) -> str:
    """The image that a run of this build has."""
    return f"{BARE}@{build.digest()}"


def images(deployment: Object) -> set[str]:
    """Of the node and of the init container."""
    spec = deployment["spec"]["template"]["spec"]
    return {c["image"] for c in (*spec["containers"], *spec["initContainers"])}


def set_images(deployment: Object, image: str) -> None:
    spec = deployment["spec"]["template"]["spec"]
    for container in (*spec["containers"], *spec["initContainers"]):
        container["image"] = image


@dataclass
class TargetWorld:
    """said: every line of the log, with what is bound to it. A Deployment is named by its name, and
    its volume is the claim of that name.
    """

    world: World
    folder: Path
    said: list[str] = field(default_factory=list)
    init: BashInit = field(init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _controllers: set[asyncio.Task[None]] = field(default_factory=set)

    # What people do

    def create(self, objects: Iterable[Object], **annotations: str) -> None:
        """Makes built objects as they are, but for annotations of ours on the Deployments."""
        for obj in map(copied, objects):
            metadata = obj["metadata"]
            if obj["kind"] == "Deployment":
                found = metadata.setdefault("annotations", {})
                found.update({names.PREFIX + key: value for key, value in annotations.items()})
            self.world.api.objects.create(_PLURALS[obj["kind"]], obj, PERSON)

    async def kubectl(self, *arguments: str, given: str | None = None) -> tuple[int, str]:
        """Exit code, and output of both kinds. given: its input."""
        if KUBECTL is None:
            pytest.skip("needs kubectl")
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            f"--kubeconfig={self.world.kubeconfig(self.folder / 'kubeconfig')}",
            f"--cache-dir={self.folder / 'cache'}",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(None if given is None else given.encode())
        assert process.returncode is not None
        return process.returncode, output.decode()

    # The controller

    @contextlib.asynccontextmanager
    async def controller(
        self, environ: dict[str, str] | None = None, **flags: object
    ) -> AsyncIterator[App]:
        """The whole controller, from its start to its stop in good order."""
        chosen: dict[str, object] = {
            "kubeconfig": str(self.world.kubeconfig(self.folder / "controller-kubeconfig")),
            "registry": [f"docker.io={self.world.registry.url}"],
            "listen": "127.0.0.1:0",
            **DURATIONS,
            **flags,
        }
        around = Surroundings(LoopClock(), Random(3), environ or {}, RULES)
        app = App(load_settings(chosen, {}), around)
        running = asyncio.create_task(app.run(), name="controller")
        running.add_done_callback(lambda _: self._changed.set())
        self._controllers.add(running)
        try:
            yield app
        finally:
            self._controllers.discard(running)
            app.stop()
            await running

    # What is

    def deployment(self, name: str) -> Object:
        return self.world.deployment(name)

    def record(self, name: str) -> Record | None:
        text = (self.deployment(name)["metadata"].get("annotations") or {}).get(names.RECORD)
        return decode_record(text, NAMESPACE, name) if text else None

    def run(self, name: str) -> OpenRun | None:
        """The open one."""
        record = self.record(name)
        return record.run if record else None

    def outcomes(self, name: str) -> tuple[Outcome, ...]:
        record = self.record(name)
        return record.outcomes if record else ()

    def run_id(self, name: str) -> str:
        """On the pod template; empty for none."""
        metadata = self.deployment(name)["spec"]["template"]["metadata"]
        return str((metadata.get("annotations") or {}).get(names.RUN_ID, ""))

    def tree(self, name: str) -> Tree:
        return self.init.tree(self.world.volume(name))

    def executions(self, **wanted: Any) -> list[ScriptRun]:
        """Those of the init script whose attributes are these."""
        return [
            e
            for e in self.init.executions
            if all(getattr(e, key) == value for key, value in wanted.items())
        ]

    # Waiting

    async def until(self, predicate: Callable[[], T | None], within: float = LIMIT) -> T:
        """Waits for something true about API server, registry, log and init containers, and returns
        it. A controller that has ended by itself ends the waiting, too.
        """
        ends = [
            self.world.api.storage.subscribe(lambda _: self._changed.set()),
            self.world.registry.subscribe(self._changed.set),
        ]
        try:
            async with asyncio.timeout(within):
                while not (value := predicate()):
                    for controller in self._controllers:
                        assert not controller.done(), controller
                    await self._changed.wait()
                    self._changed.clear()
            return value
        except TimeoutError as exc:
            raise TimeoutError("\n".join(["not in time; last said:", *self.said[-40:]])) from exc
        finally:
            for end in ends:
                end()

    def own_node(self, name: str) -> SimulatedNode | None:
        """The node in the pod of the open run's own id and image; None while it does not run."""
        run, pod = self.run(name), self.world.pod_of(name)
        if run is None or pod is None:
            return None
        carried = (pod["metadata"].get("annotations") or {}).get(names.RUN_ID)
        image = pod["spec"]["containers"][0]["image"]
        own = (carried, image) == (run.id, run.image)
        return self.world.node_of(name) if own else None

    async def bootstrapping(self, name: str) -> OpenRun:
        """The run, once its node runs; with data on the volume as a node leaves it."""

        def runs() -> OpenRun | None:
            run = self.run(name)
            return run if run and run.started and self.own_node(name) else None

        run = await self.until(runs)
        self.init.node_works(self.world.volume(name), run.id)
        return run

    async def finish(self, name: str) -> Outcome:
        """Lets the node of the open run bootstrap, and waits for the run's end."""
        before = len(self.outcomes(name))
        (await self.until(lambda: self.own_node(name))).finish()
        await self.until(lambda: len(self.outcomes(name)) > before)
        return self.outcomes(name)[before]

    def hear(self, line: str = "") -> None:
        """Whoever waits looks again."""
        if line:
            self.said.append(line)
        self._changed.set()


@contextlib.asynccontextmanager
async def target_world(folder: Path) -> AsyncIterator[TargetWorld]:
    """folder: an empty one for volumes, kubeconfig and caches."""
    volumes = folder / "volumes"
    volumes.mkdir()
    heard: list[Callable[[], None]] = []
    init = BashInit(volumes, lambda: heard[0]())
    settings = ServerSettings(tls=server_tls())
    async with World(
        LoopClock(), Random(7), speed=FAST, init_container=init, settings=settings
    ) as world:
        found = TargetWorld(world, folder)
        found.init = init
        heard.append(found.hear)
        sink = logger.add(
            lambda m: found.hear(f"{m.record['message']} {m.record['extra']}"), level="DEBUG"
        )
        try:
            yield found
        finally:
            logger.remove(sink)
