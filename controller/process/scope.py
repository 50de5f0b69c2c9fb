"""What one process looks after: the labelled Deployments of some namespaces, or the one Deployment
whose pod it runs in. All else is the same engine.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from controller.base.errors import SettingsFault
from controller.domain.names import FIELD_MANAGER, TEST
from controller.domain.objects import Deployment
from controller.kube.api.client import KubeClient
from controller.kube.cluster import Watching
from controller.kube.cluster_id import Identifying
from controller.kube.lease import LeaseTimes
from controller.kube.own_deployment import own_deployment
from controller.kube.rights import (
    IDENTIFYING,
    LEASING,
    PLACING,
    PROXYING,
    READING,
    WITNESSING,
    WRITING,
    Right,
    leasing_one,
    reading_one,
    writing_one,
)
from controller.process.wiring import Wiring
from store import is_memory

Rights = tuple[tuple[str, tuple[Right, ...]], ...]  # by namespace; empty for all namespaces

# Seconds. A monitor renews half as often as a controller does: there are as many of them as there
# are targets, and another waits for its Lease only when a pod has ended without giving it back.
MONITOR_LEASE = LeaseTimes(duration=60.0, deadline=40.0, retry=10.0)

SELECTOR = f"{TEST}=true"  # the monitor's: whoever takes the label off ends the test


@dataclass(frozen=True)
class Scope:
    """Found once, at the start."""

    watching: Watching
    leases: tuple[tuple[str, str], ...]  # namespace and name of each Lease that is held to lead
    identifying: Identifying  # what names the cluster in the store; none where no store lasts
    rights: Rights  # that it cannot do without
    optional: Rights  # that people are told more by
    own_pod: str = ""  # name of the only pod whose node is asked; empty: of any pod


FindScope = Callable[[Wiring, KubeClient], Awaitable[Scope]]


async def namespaces_scope(wiring: Wiring, client: KubeClient) -> Scope:
    """Of the controller."""
    settings = wiring.settings
    dry_run = settings.engine.dry_run
    rights = [*READING, *(() if dry_run else WRITING)]
    if not wiring.asks_pods_directly:
        rights += PROXYING
    watched, homes = wiring.watched(client), wiring.homes(client)
    needed = [(namespace, tuple(rights)) for namespace in watched]
    identifying = wiring.identifying(client)
    needed.append((identifying.first, IDENTIFYING))
    if not dry_run:
        needed += [(namespace, LEASING) for namespace in homes]
    return Scope(
        watching=Watching(watched, settings.cluster.selector),
        leases=tuple((namespace, FIELD_MANAGER) for namespace in homes),
        identifying=identifying,
        rights=tuple(needed),
        optional=tuple((namespace, (*WITNESSING, *PLACING)) for namespace in watched),
    )


async def own_pod_scope(wiring: Wiring, client: KubeClient) -> Scope:
    """Of the monitor. Raises SettingsFault where its pod is no labelled Deployment's."""
    settings = wiring.settings
    namespace, pod = own_pod(wiring.around.environ)
    deployment = await own_deployment(client, namespace, pod)
    name, dry_run = deployment.metadata.name, settings.engine.dry_run
    rights = reading_one(name) + (() if dry_run else writing_one(name) + leasing_one(name))
    needed = [(namespace, rights)]
    identifying = Identifying()
    if not is_memory(settings.store.url):
        # No more than the one: a monitor has a right on the namespace that it was told, no other.
        identifying = Identifying(settings.cluster.identity or namespace)
        needed.append((identifying.first, IDENTIFYING))
    return Scope(
        watching=Watching(
            (namespace,), SELECTOR, deployment=name, pod_labels=_labels_of(deployment)
        ),
        leases=((namespace, name),),
        identifying=identifying,
        rights=tuple(needed),
        optional=((namespace, (*WITNESSING, *PLACING)),),
        own_pod=pod,
    )


def own_pod(environ: Mapping[str, str]) -> tuple[str, str]:
    """Namespace and name of the pod that this process runs in. Raises SettingsFault."""
    pod, namespace = environ.get("POD_NAME"), environ.get("POD_NAMESPACE")
    if pod and namespace:
        return namespace, pod
    raise SettingsFault(
        [
            "POD_NAME and POD_NAMESPACE are not both set: the monitor runs in the pod of the node"
            " that it looks after, where the downward API sets them; add the component"
            " k8s/targets/components/monitor to the target"
        ]
    )


def _labels_of(deployment: Deployment) -> str:
    """What the Deployment's own selector asks of its pods; it never changes."""
    labels = deployment.spec.selector.match_labels or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
