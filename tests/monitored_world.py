"""A world in which the container `monitor` of a target's pod runs the real monitor, in process: the
composition root with the container's environment, its account's rights, and the node of its pod.

SIGTERM stops it in good order. SIGKILL cuts it off at once: whatever it still sends is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from aiohttp import web
from loguru import logger

from controller.base.errors import SettingsFault
from controller.domain.defaults import Rules
from controller.kube.rights import PLACING, WITNESSING, Right, leasing_one, reading_one, writing_one
from controller.process.app import App
from controller.process.scope import MONITOR_LEASE, own_pod_scope
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.apiserver.auth import ADMIN, Access, Gate
from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.roles import Rule
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.storage import Change
from controller.simulator.manifests import MONITOR
from controller.simulator.node.log import NodeLog
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Call
from controller.simulator.workloads.processes import Exit, Process
from controller.simulator.workloads.speed import REAL_SPEED
from controller.simulator.world import NAMESPACE, PERSON, World
from tests.controlled_world import BUILD, REPOSITORY, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.kube_samples.certificates import server_tls

_OPTIONAL = {
    (right.verb, f"{right.resource}/{right.subresource}" if right.subresource else right.resource)
    for right in (*WITNESSING, *PLACING)
}
KILLED, MISUSED, FAILED = 137, 2, 1  # exit codes


class MonitorProcess:
    """One life of the container."""

    def __init__(self, make: Callable[[], App], token: str, log: NodeLog) -> None:
        self.log = log
        self.token = token
        self.dead = False
        self._make = make
        self._app: App | None = None
        self._killed = asyncio.Event()
        self.corpse: asyncio.Task[int] | None = None

    async def run(self) -> Exit:
        life = self.corpse = asyncio.create_task(self._live(), name="monitor")
        killed = asyncio.create_task(self._killed.wait(), name="monitor is killed")
        try:
            await asyncio.wait({life, killed}, return_when=asyncio.FIRST_COMPLETED)
            return Exit(KILLED) if self.dead else Exit(life.result())
        finally:
            killed.cancel()

    def terminate(self) -> None:
        if self._app is not None:
            self._app.stop()

    def kill(self) -> None:
        self.dead = True
        self._killed.set()
        if self.corpse is not None:
            self.corpse.cancel()

    async def _live(self) -> int:
        """Exit code, as the command's."""
        try:
            self._app = self._make()
            await self._app.run()
        except SettingsFault as fault:
            self.log.raw(f"bootstrap-controller: {fault}")
            return MISUSED
        except Exception as error:  # noqa: BLE001 what the command would end with, too
            if not self.dead:
                logger.opt(exception=error).error("the monitor has failed")
            self.log.raw(repr(error))
            return FAILED
        return 0


@dataclass(frozen=True)
class Blow:
    """SIGKILL at the request of this number, counted from 1 (`Monitors.requests`): before it has an
    effect, or, of a write, right after it, so that its answer is lost.
    """

    number: int
    after: bool = False


class Monitors(Gate):
    """The programs of a world, and the gate of its API server: who is without a token is a person.

    lives: of all monitors, oldest first. requests: theirs, as `patch deployments`, without those
    about Leases. refused: by the rights of their Role, but for what is optional. blow: the next
    one, if any; struck: one fell. denied: verbs and resources
    that the Role lacks.
    """

    def __init__(self, folder: Path, rules: Rules, **flags: object) -> None:
        super().__init__(rights=self._may)
        self.lives: list[MonitorProcess] = []
        self.refused: list[Access] = []
        self.blow: Blow | None = None
        self.requests: list[str] = []
        self.struck = False
        self.denied: set[tuple[str, str]] = set()
        self._folder = folder
        self._rules = rules
        self._flags = flags
        self._world: World | None = None
        self._front = ""
        self._calls: dict[str, Call] = {}  # the newest of each pod
        self._by_token: dict[str, MonitorProcess] = {}
        self._after: tuple[MonitorProcess, str] | None = None

    # As `Programs`

    def __call__(self, call: Call) -> Process | None:
        if call.container != MONITOR:
            return None
        world = self._world
        assert world is not None
        token = f"{call.account}-{len(self.lives)}"
        path = self._folder / f"monitor-{len(self.lives)}"
        kubeconfig = world.api.kubeconfig(path, namespace=NAMESPACE, token=token)
        given: dict[str, object] = {
            "kubeconfig": str(kubeconfig),
            "registry": [f"docker.io={world.registry.url}"],
            "listen": "127.0.0.1:0",
            "node_url": f"{self._front}/{{namespace}}/{{pod}}/{{port}}",
            **self._flags,
        }
        environ = dict(call.environment)

        def make() -> App:
            around = Surroundings(call.clock, Random(5), environ, self._rules, MONITOR_LEASE)
            return App(load_settings(given, environ), around, own_pod_scope)

        process = MonitorProcess(make, token, NodeLog(call.clock))
        self._calls[call.pod["metadata"]["name"]] = call
        self._by_token[token] = process
        self.lives.append(process)
        return process

    # As `Gate`

    def user(self, authorization: str) -> str:
        token = authorization.removeprefix("Bearer ")
        if not token:
            return ADMIN
        process = self._by_token.get(token)
        if process is None or process.dead:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        return token

    def check(self, access: Access, resource: Resource | None) -> None:
        process = self._by_token.get(access.user)
        if process is not None:
            self._note(process, access)
        try:
            super().check(access, resource)
        except StatusError:
            if (access.verb, access.resource) not in _OPTIONAL:
                self.refused.append(access)
            raise

    def hear(self, change: Change) -> None:
        """To be subscribed: what was armed by a write strikes when it is done."""
        if self._after is not None and change.plural == self._after[1]:
            process, self._after = self._after[0], None
            self._strike(process)

    def _strike(self, process: MonitorProcess) -> None:
        self.struck = True
        process.kill()

    def _note(self, process: MonitorProcess, access: Access) -> None:
        if access.resource == "leases":
            return
        self.requests.append(f"{access.verb} {access.resource}")
        blow = self.blow
        if blow is None or len(self.requests) != blow.number:
            return
        self.blow = None
        if blow.after:
            self._after = (process, access.resource)
            return
        self._strike(process)
        raise StatusError(401, "Unauthorized", "Unauthorized")

    def _may(self, access: Access) -> bool:
        process = self._by_token.get(access.user)
        if process is None:
            return True
        if (access.verb, access.resource) in self.denied:
            return False
        account = access.user.rpartition("-")[0]
        return any(rule.allows(access) for rule in _rules_of(account))

    # The pods' localhost

    @asynccontextmanager
    async def serving(self, world: World) -> AsyncIterator[None]:
        self._world = world
        world.api.served.gate = self
        app = web.Application()
        app.router.add_route("*", "/{namespace}/{pod}/{port}/{rest:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        end = world.api.storage.subscribe(self.hear)
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            self._front = f"http://{host}:{port}"
            yield
        finally:
            end()
            await runner.cleanup()

    async def end(self) -> None:
        """When the machine is off: nothing of any life is left."""
        corpses = [life.corpse for life in self.lives if life.corpse is not None]
        for life in self.lives:
            life.kill()
        await asyncio.gather(*corpses, return_exceptions=True)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        """To the node in the pod, as a connection to its localhost."""
        pod, port, rest = (request.match_info[part] for part in ("pod", "port", "rest"))
        call = self._calls.get(pod)
        local = call.localhost(int(port)) if call else None
        try:
            if local is None:
                raise ConnectionRefusedError
            url = f"http://127.0.0.1:{local}/{rest}"
            async with (
                aiohttp.ClientSession() as session,
                session.request(
                    request.method, url, data=await request.read(), headers=_headers(request)
                ) as answer,
            ):
                body, kind = await answer.read(), answer.content_type
                return web.Response(status=answer.status, body=body, content_type=kind)
        except (OSError, aiohttp.ClientError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)


def _headers(request: web.Request) -> dict[str, str]:
    return {"Content-Type": request.content_type} if request.can_read_body else {}


def _rules_of(name: str) -> tuple[Rule, ...]:
    """Of the account of the Deployment of this name."""
    rights = (*reading_one(name), *writing_one(name), *leasing_one(name))
    reviews = Right("create", "authorization.k8s.io", "selfsubjectaccessreviews")
    return tuple(map(_rule, (*rights, reviews)))


def _rule(right: Right) -> Rule:
    resource = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
    return Rule(
        frozenset({right.verb}),
        frozenset({right.group}),
        frozenset({resource}),
        frozenset({right.name} if right.name else ()),
        NAMESPACE,
    )


class MonitoredWorld(ControlledWorld):
    """A controller can be started beside the monitors, as in any controlled world."""

    def __init__(self, world: World, folder: Path, monitors: Monitors, clock: LoopClock) -> None:
        super().__init__(world, folder, clock=clock)
        self.monitors = monitors
        self.clock = clock

    def deploy_monitored(
        self, name: str, change: Callable[[Object], object] = lambda _: None, **manifest: Any
    ) -> None:
        """A target with its monitor, and the Lease that lies beside it."""
        lease = {"metadata": {"name": name, "namespace": NAMESPACE}}
        self.world.api.objects.create("leases", lease, PERSON)
        self.deploy(name, change, monitor=True, **manifest)

    def reasons(self, name: str) -> list[str]:
        """Of the Kubernetes Events that it was told by, by age."""
        return [reason for reason, _ in self.events(name)]

    def monitor_runs(self, name: str) -> bool:
        """By the status of the pod that is to stay."""
        pod = self.world.pod_of(name) or {}
        found = (pod.get("status") or {}).get("initContainerStatuses") or ()
        return any(c["name"] == MONITOR and "running" in c["state"] for c in found)

    def pod(self, name: str) -> str:
        """Of the pod that is to stay; empty where there is none."""
        found = self.world.pod_of(name)
        return str(found["metadata"]["name"]) if found else ""


@asynccontextmanager
async def monitored_world(
    folder: Path, build: SimulatedBuild = BUILD, rules: Rules | None = None, **flags: object
) -> AsyncIterator[MonitoredWorld]:
    """Nothing deployed yet. flags: of the monitors."""
    monitors, clock = Monitors(folder, rules or Rules(), **flags), LoopClock()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(monitors.end)
        settings = ServerSettings(tls=server_tls())
        world = World(clock, Random(7), speed=REAL_SPEED, programs=monitors, settings=settings)
        await stack.enter_async_context(world)
        await stack.enter_async_context(monitors.serving(world))
        world.push(REPOSITORY, "latest", build)
        made = MonitoredWorld(world, folder, monitors, clock)
        stack.callback(logger.remove, logger.add(made.hear, level="DEBUG"))
        stack.push_async_callback(made.stop)
        yield made
