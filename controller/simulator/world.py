"""A whole small world: API server, registry, controllers, kubelet and nodes, on one machine.

async with World(SystemClock(), Random(1)) as world:
    world.push("avaplatform/avalanchego", "latest", SimulatedBuild(plan=Plan(1.0)))
    world.deploy("fuji-state", network="fuji")
    ...  # a controller against world.kubeconfig(path) and world.registry.url
    await world.until(lambda: world.is_ready("fuji-state"))
"""

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from controller.base.clock import Clock
from controller.domain import names
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.apiserver.storage import copied
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import SimulatedNode
from controller.simulator.registry import Shape, SimulatedBuild, SimulatedRegistry
from controller.simulator.workloads import (
    InitContainer,
    RegistryImages,
    Speed,
    Volume,
    Workloads,
)
from controller.simulator.workloads.cluster import (
    Cluster,
    pod_is_leaving,
    pod_is_over,
    pod_is_ready,
)
from controller.simulator.workloads.cluster_summary import summary
from controller.simulator.workloads.programs import Programs, no_programs

T = TypeVar("T")

NAMESPACE = "bootstrap"
PERSON = Write("kubectl")  # field manager of what `deploy`, `change` and their like write


class World:
    """Everything outside the controller. Names are of Deployments in the namespace `bootstrap`,
    unless said otherwise.
    """

    def __init__(  # noqa: PLR0913 each a part of the world that a test may want to be otherwise
        self,
        clock: Clock,
        random: Random,
        *,
        speed: Speed | None = None,  # how long the cluster takes over things
        kubelet: bool = True,  # False leaves pods Pending
        settings: ServerSettings | None = None,  # resolver and logs are the world's own
        init_container: InitContainer | None = None,
        machine: Clock | None = None,  # of the machine that nodes run on, where it is off
        programs: Programs = no_programs,  # what runs in containers instead of what usually does
    ) -> None:
        wired = dataclasses.replace(
            settings or ServerSettings(),
            resolver=lambda pod, port: self.workloads.local_address(pod, port),
            logs=lambda *whose: self.workloads.served_log(*whose),
            previous_logs=lambda *whose: self.workloads.served_log(*whose, previous=True),
            followed=lambda *whose: self.workloads.followed_log(*whose),
        )
        self.api = SimulatedApiServer(clock, random, wired)
        self.registry = SimulatedRegistry(clock)
        self.images = RegistryImages(self.registry)
        self.workloads = Workloads(
            Cluster(self.api.storage, self.api.objects),
            self.images,
            machine or clock,
            speed=speed,
            kubelet=kubelet,
            init_container=init_container,
            programs=programs,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "World":
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.registry)
            await stack.enter_async_context(self.workloads)
            stack.push_async_callback(self.api.stop)
            await self.api.start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def kubeconfig(self, path: Path) -> Path:
        """Writes one for the API server, in the namespace `bootstrap`; returns the path."""
        return self.api.kubeconfig(path, namespace=NAMESPACE)

    # What people do

    def push(
        self, repository: str, tag: str, build: SimulatedBuild, shape: Shape = Shape.INDEX
    ) -> str:
        """Moves a tag; see `Catalogue.push`."""
        return self.registry.push(repository, tag, build, shape)

    def repush(self, repository: str, tag: str) -> str:
        return self.registry.repush(repository, tag)

    def deploy(self, name: str, **manifest: Any) -> TargetManifest:
        """Applies Deployment, Service and claim; the arguments are those of `TargetManifest`. A
        claim that is there already stays, with its volume.
        """
        target = TargetManifest(name, **manifest)
        objects = self.api.objects
        if self.api.storage.peek("persistentvolumeclaims", target.namespace, name) is None:
            objects.create("persistentvolumeclaims", target.claim(), PERSON)
        if self.api.storage.peek("services", target.namespace, name) is None:
            objects.create("services", target.service(), PERSON)
        objects.create("deployments", target.deployment(), PERSON)
        return target

    def change(
        self,
        name: str,
        change: Callable[[Object], None],
        *,
        namespace: str = NAMESPACE,
        manager: str = PERSON.manager,
    ) -> Object:
        """Changes a Deployment in place, as somebody else than the controller."""
        return self.api.objects.update("deployments", namespace, name, change, Write(manager))

    def annotate(self, name: str, namespace: str = NAMESPACE, **values: str | None) -> None:
        """Sets annotations below our prefix, `_` for `-`; None takes one off."""

        def change(obj: Object) -> None:
            annotations = obj["metadata"].setdefault("annotations", {})
            for key, value in values.items():
                annotations[names.PREFIX + key.replace("_", "-")] = value

        self.change(name, change, namespace=namespace)

    def pin(self, name: str, image: str, run: str, *, namespace: str = NAMESPACE) -> None:
        """Sets images and run id in one write, as the controller's pin does: sidecars stay."""

        def change(obj: Object) -> None:
            template = obj["spec"]["template"]
            template["metadata"].setdefault("annotations", {})[names.RUN_ID] = run
            spec = template["spec"]
            for container in (*spec["initContainers"], *spec["containers"]):
                if container.get("restartPolicy") != "Always":
                    container["image"] = image

        manager = names.FIELD_MANAGER
        self.change(name, change, namespace=namespace, manager=manager)

    def scale(self, name: str, replicas: int, *, namespace: str = NAMESPACE) -> None:
        self.change(name, lambda obj: obj["spec"].update(replicas=replicas), namespace=namespace)

    def delete(self, name: str, *, namespace: str = NAMESPACE) -> None:
        """Deletes the Deployment and what it owns; Service, claim and volume stay."""
        self.api.objects.delete("deployments", namespace, name)

    # What happens to machines and disks

    def cordon(self, on: bool = True) -> None:
        """The machine takes no new pods, or takes them again."""
        self.workloads.cordon(on)

    def reboot(self, name: str, namespace: str = NAMESPACE, *, graceful: bool = False) -> None:
        """The machine restarts under the pod that is to stay; see `Workloads.reboot`."""
        pod = self.pod_of(name, namespace)
        if pod is None:
            raise LookupError(f"{namespace}/{name} has no pod that is to stay")
        self.workloads.reboot(namespace, pod["metadata"]["name"], graceful=graceful)

    def detach(self, name: str, namespace: str = NAMESPACE) -> None:
        """The volume of the claim of that name attaches no more: its next pod is never set up. The
        containers that run keep it.
        """
        self.workloads.kubelet.claims.detach(namespace, name)

    def attach(self, name: str, namespace: str = NAMESPACE) -> None:
        self.workloads.kubelet.claims.attach(namespace, name)

    def replace_volume(self, name: str, namespace: str = NAMESPACE) -> None:
        """The claim has another, empty volume, from its next pod on."""
        self.workloads.kubelet.claims.replace(namespace, name)

    # What is

    def deployment(self, name: str, namespace: str = NAMESPACE) -> Object:
        """A copy. Raises StatusError 404."""
        return self.api.objects.get("deployments", namespace, name)

    def pods_of(self, name: str, namespace: str = NAMESPACE) -> list[Object]:
        """All pods of a Deployment, terminating and failed ones too, by age; copies."""
        found = [
            copied(pod)
            for pod in self.api.storage.objects("pods", namespace)
            if any(
                ref["name"].rpartition("-")[0] == name  # the ReplicaSet's, without its hash
                for ref in pod["metadata"].get("ownerReferences") or ()
            )
        ]
        return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def pod_of(self, name: str, namespace: str = NAMESPACE) -> Object | None:
        """The pod that is to stay; None where there is none, or several."""
        found = self.pods_of(name, namespace)
        active = [pod for pod in found if not pod_is_leaving(pod) and not pod_is_over(pod)]
        return active[0] if len(active) == 1 else None

    def is_ready(self, name: str, namespace: str = NAMESPACE) -> bool:
        pod = self.pod_of(name, namespace)
        return pod is not None and pod_is_ready(pod)

    def node_of(self, name: str, namespace: str = NAMESPACE) -> SimulatedNode | None:
        """The node that runs now in the pod that is to stay."""
        pod = self.pod_of(name, namespace)
        return self.workloads.node(namespace, pod["metadata"]["name"]) if pod else None

    def volume(self, name: str, namespace: str = NAMESPACE) -> Volume:
        """Of the claim of the Deployment's name."""
        return self.workloads.volume(namespace, name)

    async def until(self, predicate: Callable[[], T], within: float = 86400.0) -> T:
        """Waits for something true, and returns it. It is asked again after every write to the API
        server and every request to the registry, never on a timer.

        within: seconds of the event loop's clock; then TimeoutError says how the world stands.
        """
        changed = asyncio.Event()
        ends = [
            self.api.storage.subscribe(lambda _: changed.set()),
            self.registry.subscribe(changed.set),
        ]
        try:
            async with asyncio.timeout(within):
                while not (value := predicate()):
                    await changed.wait()
                    changed.clear()
                return value
        except TimeoutError as exc:
            raise TimeoutError(f"not within {within:g} s; {summary(self.api.storage)}") from exc
        finally:
            for end in ends:
                end()
