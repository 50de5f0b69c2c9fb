"""Adapters made from settings, for the controller and for the commands that only look.

What speaks to registries and nodes is imported where it is made: most commands ask neither.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from controller.base.clock import Clock
from controller.base.errors import SettingsFault
from controller.domain.defaults import Rules
from controller.domain.node_url import BY_ADDRESS
from controller.kube.api.client import KubeClient, OnAnswer
from controller.kube.cluster import ALL, KubeCluster, Watching
from controller.kube.cluster_id import Identifying
from controller.kube.lease import LeaseTimes
from controller.kube.login.pod_or_kubeconfig import load_credentials
from controller.kube.login.service_account import SERVICE_ACCOUNT, in_cluster
from controller.settings.settings import Settings
from store import ReadOnlyStore, open_store
from store.api import StateStore, StoreMisused

if TYPE_CHECKING:
    from controller.engine.ports import NodeProbe, Registry


@dataclass(frozen=True)
class Surroundings:
    """What is passed in rather than taken: time, chance, environment; and the tables of numbers."""

    clock: Clock
    random: Random
    environ: Mapping[str, str]  # of the process
    rules: Rules = field(default_factory=Rules)
    lease: LeaseTimes = field(default_factory=LeaseTimes)
    service_account: Path = SERVICE_ACCOUNT  # the folder of the pod's own
    # is told which API server will be asked, and as whom, in words; before anything is
    on_server: Callable[[str], None] = field(default=lambda _where: None, compare=False)


@dataclass(frozen=True)
class Wiring:
    """Makes each adapter when it is asked for."""

    settings: Settings
    around: Surroundings
    stack: AsyncExitStack  # what is opened here is closed with it

    async def client(self, on_answer: OnAnswer | None = None) -> KubeClient:
        """Raises SettingsFault for a kubeconfig that does not load."""
        chosen = self.settings.cluster
        credentials = await load_credentials(
            chosen.kubeconfig,
            chosen.context,
            self.around.environ,
            self.around.clock,
            self.around.service_account,
        )
        client = KubeClient(credentials, self.around.clock, on_answer)
        self.around.on_server(client.where)
        return await self.stack.enter_async_context(client)

    def watched(self, client: KubeClient) -> tuple[str, ...]:
        """The namespaces that are watched, as `kube` names them: `(ALL,)` for all."""
        namespaces = self.settings.cluster.namespaces
        return (ALL,) if self.settings.cluster.all_namespaces else namespaces or (client.namespace,)

    def homes(self, client: KubeClient) -> tuple[str, ...]:
        """The namespaces whose Lease is held: those that are watched, or, for all, our own."""
        watched = self.watched(client)
        return (client.namespace,) if ALL in watched else watched

    def identifying(self, client: KubeClient) -> Identifying:
        """In a pod its own namespace comes first: it stays, whatever is watched. Those that are
        watched are sorted: their order means nothing.
        """
        own = (client.namespace,) if self.in_pod else ()
        others = dict.fromkeys((*own, *sorted(self.homes(client))))
        given = self.settings.cluster.identity or ""
        return Identifying(given, tuple(each for each in others if each != given))

    def cluster(self, client: KubeClient, watching: Watching | None = None) -> KubeCluster:
        """watching: None for what the settings say."""
        wanted = watching or Watching(self.watched(client), self.settings.cluster.selector)
        return KubeCluster(client, wanted, self.around.clock, self.around.random)

    async def registry(self) -> "Registry":
        from controller.registry.client import RegistryClient
        from controller.registry.transport import registry_session
        from controller.registry.ways import Ways

        chosen = self.settings.registry
        ways = Ways(self.around.environ, chosen.ca_file)
        return RegistryClient(
            await self.stack.enter_async_context(registry_session()),
            self.around.clock,
            self.around.random,
            mirrors=chosen.mirrors,
            auth_file=chosen.auth_file,
            ways=ways,
        )

    @property
    def in_pod(self) -> bool:
        """Who we are is the pod's own account, and no kubeconfig's."""
        given = self.settings.cluster.kubeconfig or self.settings.cluster.context
        return not given and in_cluster(self.around.environ, self.around.service_account)

    @property
    def asks_pods_directly(self) -> bool:
        """Pods have addresses that can be reached: in the cluster, or where a template says so."""
        return self.settings.node.url is not None or self.in_pod

    async def probe(self, client: KubeClient, own_pod: str = "") -> "NodeProbe":
        """own_pod: the name of the only pod whose node is asked, on localhost; empty: of any."""
        from controller.kube.pod_proxy_door import PodProxyDoor
        from controller.node.direct_door import DirectDoor, node_session
        from controller.node.http_probe import HttpNodeProbe
        from controller.node.own_pod_door import OwnPodDoor

        if not own_pod and not self.asks_pods_directly:
            return HttpNodeProbe(PodProxyDoor(client))
        session = await self.stack.enter_async_context(node_session())
        url = self.settings.node.url
        door = DirectDoor(session, self.around.clock, url or BY_ADDRESS)
        if own_pod:
            return HttpNodeProbe(OwnPodDoor(door, own_pod, loopback=url is None))
        return HttpNodeProbe(door)

    async def store(self) -> StateStore:
        """Raises SettingsFault for one that cannot be opened. A dry run only reads."""
        chosen = self.settings.store
        try:
            store = await open_store(
                chosen.url, prefix=chosen.prefix, password=chosen.password_source()
            )
        except StoreMisused as error:
            raise SettingsFault([f"--store (BOOTSTRAP_STORE): {error}"]) from error
        self.stack.push_async_callback(store.close)
        return ReadOnlyStore(store) if self.settings.engine.dry_run else store
