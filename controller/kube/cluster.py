"""The watched namespaces as one: the engine's port `Cluster`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any, Never

import orjson

from controller.base.backoff import BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import Conflict, Unavailable
from controller.base.tasks import stop_all, supervise
from controller.domain.names import DEFAULT_SELECTOR
from controller.domain.notice import Notice
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.write import Write, WriteReply
from controller.kube.api.call import WRITE_TIMEOUT, Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS, EVENTS, PODS, SERVICES
from controller.kube.event_of_notice import event_of
from controller.kube.pod_owner import deployment_of
from controller.kube.watch.cache import Cache, Change
from controller.kube.watch.decoding import metadata_of
from controller.kube.watch.doubts import Doubts
from controller.kube.watch.fresh_lists import refresh, relist
from controller.kube.watch.informer import Informer
from controller.kube.watch.list_and_watch import ListAndWatch, StreamTimes
from controller.kube.watch.listing import list_all
from controller.kube.watch.reflector import ReflectorTimes
from controller.kube.watch.selection import Selection
from controller.kube.writer import DeploymentWriter

ALL = ""  # the namespace that stands for all of them


@dataclass(frozen=True)
class Watching:
    """What is watched, and how."""

    namespaces: tuple[str, ...]  # `(ALL,)` for the whole cluster
    selector: str = DEFAULT_SELECTOR  # of labels; what is not selected is not seen at all
    # The only Deployment, whose name its Service has; empty for all. Then of one namespace
    deployment: str = ""
    pod_labels: str = ""  # selects its pods beside `selector`; empty for nothing more
    instance: str = ""  # who of us speaks in Kubernetes Events; empty for a name of all of us
    # times, None for the usual ones: short in tests and the demo
    stream: StreamTimes | None = None
    reflector: ReflectorTimes | None = None
    policy: BackoffPolicy | None = None


@dataclass(frozen=True)
class View:
    """One namespace, or all: three collections, all under the selector, each on its own watch."""

    deployments: Informer[Deployment]
    pods: Informer[Pod]
    services: Informer[Service]

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        return (self.deployments, self.pods, self.services)


class KubeCluster:
    """See `engine.ports.Cluster` for the readings. `run` must be running for them to be kept."""

    def __init__(
        self, client: KubeClient, watching: Watching, clock: Clock, random: Random
    ) -> None:
        self._client = client
        self._clock = clock
        self._random = random
        self._instance = watching.instance
        self._watching = watching
        self._writer = DeploymentWriter(client)
        self._handlers: list[Callable[[str], None]] = []
        # All namespaces and one of them beside it would show each object twice.
        wanted = (ALL,) if ALL in watching.namespaces else dict.fromkeys(watching.namespaces)
        self._views = {namespace: self._view(watching, namespace) for namespace in wanted}
        self._doubts = Doubts(clock, self.deployment, lambda: relist(self._informers()))

    def keys(self) -> Sequence[str]:
        held = [view.deployments.cache.keys() for view in self._views.values()]
        return held[0] if len(held) == 1 else sorted(chain.from_iterable(held))

    def watches(self, key: str) -> bool:
        return self._of(key) is not None

    def deployment(self, key: str) -> Deployment | None:
        view = self._of(key)
        return view.deployments.cache.get(key) if view else None

    def pods(self, key: str) -> Sequence[Pod]:
        view = self._of(key)
        return view.pods.cache.owned(key) if view else ()

    def pods_are_live(self, key: str) -> bool:
        view = self._of(key)
        return view is not None and view.pods.keeps_up()

    def service(self, key: str) -> Service | None:
        view = self._of(key)
        return view.services.cache.get(key) if view else None

    def on_change(self, handler: Callable[[str], None]) -> None:
        self._handlers.append(handler)

    def skew(self) -> float | None:
        return self._client.skew()

    async def read(self, key: str) -> Deployment | None:
        before = self.deployment(key)
        found = await self._writer.read(key)
        self._doubts.note(key, before, found)
        return found

    async def refresh(self, since: float) -> bool:
        deployments = [view.deployments for view in self._views.values()]
        return await refresh(deployments, since, self._clock)

    def doubt(self, why: str) -> None:
        """What the caches show is not what is: all is listed anew at once."""
        self._doubts.prove(why)

    async def read_pods(self, key: str) -> Sequence[Pod]:
        namespace = key.partition("/")[0]
        listing = await list_all(self._client, PODS, _pods(self._watching, namespace))
        return [pod for pod in listing.objects if deployment_of(pod) == key]

    async def write(self, write: Write) -> WriteReply:
        before = self.deployment(write.key)
        reply = await self._writer.write(write)
        if not reply.applied:
            self._doubts.note(write.key, before, reply.deployment)
        return reply

    async def try_out(self, write: Write) -> None:
        await self._writer.try_out(write)

    async def post_event(self, notice: Notice) -> None:
        """A notice on no Deployment is left to the other sinks: an Event needs an object."""
        namespace, _, name = notice.deployment.partition("/")
        if not name:
            return
        call = Call(
            EVENTS.operation("create", namespace),
            "POST",
            EVENTS.path(namespace),
            body=orjson.dumps(event_of(notice, self._instance)),
            timeout=WRITE_TIMEOUT,
        )
        try:
            await self._client.fetch(call)
        except Conflict:
            return  # told before: the name is the notice's id

    async def run(self) -> Never:
        """Keeps the cache until it is cancelled."""
        tasks = [
            asyncio.create_task(
                supervise(informer.name, informer.run, self._clock, self._random),
                name=f"informer of {informer.name}",
            )
            for informer in self._informers()
        ]
        doubting = supervise("doubts", self._doubts.run, self._clock, self._random)
        tasks.append(asyncio.create_task(doubting, name="doubts"))
        try:
            await asyncio.gather(*tasks)
        finally:
            await stop_all(tasks)
        raise RuntimeError("an informer has ended")

    async def wait_synced(self, deadline: float) -> None:
        """Until everything was listed once; raises Unavailable after `deadline` seconds, with what
        is missing and why.
        """
        waiting = asyncio.gather(*(informer.wait_synced() for informer in self._informers()))
        try:
            await self._clock.within(deadline, waiting)
        except TimeoutError as exc:
            missing = [each.name for each in self._informers() if not each.synced]
            why = "; ".join(self.troubles()) or "no answer yet"
            raise Unavailable(
                f"not listed within {deadline:g} seconds: {', '.join(missing)} ({why})"
            ) from exc

    @property
    def synced(self) -> bool:
        return all(informer.synced for informer in self._informers())

    def troubles(self) -> list[str]:
        """Sentences, one for each watch that does not keep up and each object that cannot be
        read; empty while all is well.
        """
        return [each for informer in self._informers() for each in informer.troubles()]

    def _informers(self) -> list[Informer[Any]]:
        return [informer for view in self._views.values() for informer in view.informers]

    def _of(self, key: str) -> View | None:
        namespace, _, name = key.partition("/")
        if self._watching.deployment not in ("", name):
            return None
        return self._views.get(namespace) or self._views.get(ALL)

    def _view(self, watching: Watching, namespace: str) -> View:
        named = Selection(namespace, watching.selector, watching.deployment)

        def informer(resource: Any, cache: Cache[Any], selection: Selection) -> Informer[Any]:
            source = ListAndWatch(self._client, resource, selection, self._clock, watching.stream)
            return Informer(
                source, cache, self._clock, self._random, watching.reflector, watching.policy
            )

        view = View(
            informer(DEPLOYMENTS, Cache(), named),
            informer(PODS, Cache(deployment_of), _pods(watching, namespace)),
            informer(SERVICES, Cache(), named),
        )
        view.deployments.on_change(self._own_key)
        view.services.on_change(self._own_key)  # the Service has the Deployment's name
        view.pods.on_change(self._owner_key)
        return view

    def _own_key(self, change: Change[Any]) -> None:
        self._tell(metadata_of(change.after or change.before).key)

    def _owner_key(self, change: Change[Pod]) -> None:
        owners = {deployment_of(each) for each in (change.before, change.after) if each}
        for owner in sorted(filter(None, owners)):
            self._tell(owner)

    def _tell(self, key: str) -> None:
        for handler in self._handlers:
            handler(key)


def _pods(watching: Watching, namespace: str) -> Selection:
    """By labels: a pod's name is not known before it is."""
    return Selection(namespace, ",".join(filter(None, (watching.selector, watching.pod_labels))))
