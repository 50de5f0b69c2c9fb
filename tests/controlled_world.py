"""The simulated world with the controller in it, in this process: for tests of the whole.

Their modules are marked `jumping`: all durations are the product's own, those of a real kubelet and
of a real node, and nothing is waited for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from loguru import logger

from controller.base.clock import Clock
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import Record, decode_record
from controller.kube.lease import LeaseTimes
from controller.process.app import App
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Speed
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.jumping_loop import BEGIN, LoopClock
from tests.kube_samples.certificates import server_tls

T = TypeVar("T")

REPOSITORY = "avaplatform/avalanchego"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LIMIT = 2 * DAY  # of the loop's time: more than anything here takes
BUILD = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=20 * MINUTE))
# For scenes that last for many hours: settings that a user may choose, and fewer requests for it.
SELDOM = {"poll_interval": "10m", "probe_interval": "5m", "resync_interval": "1h"}
# Renewed seldom too, for nobody else wants it.
LEASE = LeaseTimes(duration=2 * HOUR, deadline=HOUR, retry=20 * MINUTE)


class ControlledWorld:
    """said: every log line, message and bound values."""

    def __init__(
        self, world: World, folder: Path, rules: Rules | None = None, clock: Clock | None = None
    ) -> None:
        self.world = world
        self._clock = clock or LoopClock()
        self.said: list[str] = []
        self.kubeconfig = world.kubeconfig(folder / "kubeconfig")
        self._rules = rules or Rules()
        self._ears: set[asyncio.Event] = set()
        self._app: App | None = None
        self._life: asyncio.Task[None] | None = None

    def start(self, *, token: str = "", clock: Clock | None = None, **flags: object) -> None:
        """Starts a controller; flags by key win over the world's addresses. clock: the controller's
        own, if it is not to be the world's.
        """
        world, environ = self.world, {"POD_NAME": "controller-0"}
        if token:
            world.api.kubeconfig(self.kubeconfig, namespace=NAMESPACE, token=token)
        given: dict[str, object] = {
            "kubeconfig": str(self.kubeconfig),
            "registry": [f"docker.io={world.registry.url}"],
            "listen": "127.0.0.1:0",
            **flags,
        }
        clock = clock or self._clock
        surroundings = Surroundings(clock, Random(5), environ, self._rules, LEASE)
        self._app = App(load_settings(given, environ), surroundings)
        self._life = asyncio.create_task(self._app.run(), name="controller")

    @property
    def app(self) -> App:
        """The controller that was started last."""
        assert self._app is not None
        return self._app

    async def stop(self) -> None:
        app, life, self._life = self._app, self._life, None
        if app is not None and life is not None:
            app.stop()
            await life

    async def until(self, condition: Callable[[], T], within: float = LIMIT) -> T:
        """Waits for something true about the cluster, the registry or the log. within: seconds."""
        changed = asyncio.Event()
        ends = [
            self.world.api.storage.subscribe(lambda _: changed.set()),
            self.world.registry.subscribe(changed.set),
        ]
        self._ears.add(changed)
        try:
            async with asyncio.timeout(within):
                while not (value := condition()):
                    await changed.wait()
                    changed.clear()
                return value
        except TimeoutError as error:
            raise AssertionError(f"not within {within:g} s: {self._what_is()}") from error
        finally:
            self._ears.discard(changed)
            for end in ends:
                end()

    def hear(self, message: Any) -> None:
        """A sink for loguru."""
        record = message.record
        self.said.append(f"{record['message']} {record['extra']}")
        for ear in self._ears:
            ear.set()

    def _what_is(self) -> str:
        found = [d["metadata"] for d in self.world.api.storage.objects("deployments")]
        lines = [
            f"{m['name']}: {(m.get('labels') or {}).get(names.PHASE)}:"
            f" {(m.get('annotations') or {}).get(names.MESSAGE)}"
            for m in found
        ]
        return "; ".join([*lines, *self.said[-6:]])

    async def a_while(self, heads: int = 8) -> None:
        """Until a controller that was going to do something has had every occasion for it."""
        counts = self.world.registry.counts
        before = counts.heads
        await self.until(lambda: counts.heads >= before + heads)

    def deploy(
        self,
        name: str,
        change: Callable[[Object], object] = lambda _: None,
        *,
        service: Callable[[Object], object] | None = lambda _: None,
        **manifest: Any,
    ) -> None:
        """change: of the Deployment before it is made; service: of its Service, None for none."""
        target = TargetManifest(name, **manifest)
        objects = self.world.api.objects
        if self.world.api.storage.peek("persistentvolumeclaims", target.namespace, name) is None:
            objects.create("persistentvolumeclaims", target.claim(), PERSON)
        if service is not None:
            made = target.service()
            service(made)
            objects.create("services", made, PERSON)
        deployment = target.deployment()
        change(deployment)
        objects.create("deployments", deployment, PERSON)

    def metadata(self, name: str, namespace: str = NAMESPACE) -> Object:
        found = self.world.api.storage.peek("deployments", namespace, name)
        return dict(found["metadata"]) if found else {}

    def cluster_id(self) -> str:
        """By which a store is known to be this cluster's."""
        found = self.world.api.storage.peek("namespaces", "", NAMESPACE)
        assert found is not None
        return str(found["metadata"]["uid"])

    def phase(self, name: str, namespace: str = NAMESPACE) -> str:
        return str((self.metadata(name, namespace).get("labels") or {}).get(names.PHASE, ""))

    def annotation(self, name: str, annotation: str, namespace: str = NAMESPACE) -> str:
        found = self.metadata(name, namespace).get("annotations") or {}
        return str(found.get(annotation, ""))

    def message(self, name: str, namespace: str = NAMESPACE) -> str:
        return self.annotation(name, names.MESSAGE, namespace)

    def record(self, name: str, namespace: str = NAMESPACE) -> Record | None:
        text = self.annotation(name, names.RECORD, namespace)
        return decode_record(text, namespace, name) if text else None

    def outcomes(self, name: str, namespace: str = NAMESPACE) -> list[str]:
        record = self.record(name, namespace)
        return [str(outcome.phase) for outcome in record.outcomes] if record else []

    def events(self, name: str, namespace: str = NAMESPACE) -> list[tuple[str, str]]:
        """(reason, note) of the controller's Kubernetes Events about a Deployment, by age."""
        found = self.world.api.storage.objects("events", namespace)
        return [
            (event["reason"], event["message"])
            for event in sorted(found, key=lambda event: int(event["metadata"]["resourceVersion"]))
            if event.get("reportingComponent") == names.COMPONENT
            and event["involvedObject"]["name"] == name
        ]

    def notes(self, name: str, namespace: str = NAMESPACE) -> str:
        return "\n".join(note for _, note in self.events(name, namespace))

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.said)

    async def passes(self, name: str, namespace: str = NAMESPACE) -> None:
        await self.until(lambda: "Passed" in self.outcomes(name, namespace))


def todays_clock() -> LoopClock:
    """It begins at the machine's date, which is the date of commands that look at this world."""
    return LoopClock((datetime.now(UTC) - BEGIN).total_seconds())


@asynccontextmanager
async def controlled_world(
    folder: Path,
    rules: Rules | None = None,
    settings: ServerSettings | None = None,
    speed: Speed = REAL_SPEED,
    clock: LoopClock | None = None,
) -> AsyncIterator[ControlledWorld]:
    """The world, with BUILD pushed and no controller started yet."""
    async with AsyncExitStack() as stack:
        clock = clock or LoopClock()
        settings = replace(settings or ServerSettings(), tls=server_tls())
        world = World(clock, Random(7), speed=speed, settings=settings)
        await stack.enter_async_context(world)
        world.push(REPOSITORY, "latest", BUILD)
        controlled = ControlledWorld(world, folder, rules, clock)

        stack.callback(logger.remove, logger.add(controlled.hear, level="DEBUG"))
        stack.push_async_callback(controlled.stop)
        yield controlled
