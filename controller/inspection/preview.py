"""What the controller would make of a Deployment that it does not look after yet."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from controller.base.errors import Garbled, NotFound, TargetFault, Trouble
from controller.base.text import shown
from controller.domain.defaults import Rules
from controller.domain.manifest.labels import labelled, places_without_label
from controller.domain.manifest.monitor import monitor_container
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, read_request
from controller.domain.objects import Deployment, Service
from controller.domain.record.record import Record, record_of
from controller.inspection.manifest_file import Pair
from controller.inspection.nearest import nearest
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS, SERVICES
from controller.kube.watch.decoding import ObjectDecoder, Unreadable
from controller.kube.watch.listing import list_all
from controller.kube.watch.selection import Selection
from controller.kube.writer import DeploymentWriter
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings


@dataclass(frozen=True)
class Preview:
    """One Deployment, read as if it had the label."""

    deployment: Deployment
    unlabelled: list[str]  # places where the label is missing
    request: RunRequest | None  # what it asks for; None where a fault stands in the way
    port: int | None  # at which the node would be asked; None where a fault stands in the way
    faults: list[TargetFault]  # for which it would be Blocked; each says what to write
    monitor: str  # container that would look after it; empty: a controller would

    @property
    def name(self) -> str:
        meta = self.deployment.metadata
        return shown(f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name)


def preview_of(pair: Pair, rules: Rules) -> Preview:
    """Of each part the first fault: behind it others may stand."""
    deployment, faults = labelled(pair.deployment), []
    record = record_of(deployment)
    pinned = record.run.image if isinstance(record, Record) and record.run else ""
    request: RunRequest | None = None
    port: int | None = None
    try:
        request = read_request(deployment, rules, pinned)
    except TargetFault as fault:
        faults.append(fault)
    try:
        port = node_port(deployment, pair.service)
    except TargetFault as fault:
        faults.append(fault)
    return Preview(
        pair.deployment,
        places_without_label(pair.deployment, pair.service),
        request,
        port,
        faults,
        monitor_container(deployment) or "",
    )


async def from_cluster(settings: Settings, around: Surroundings, name: str) -> Pair | str:
    """The Deployment `[NAMESPACE/]NAME`, labelled or not, with its Service; if there is none, a
    sentence with the nearest names. Raises SettingsFault and Trouble.
    """
    async with AsyncExitStack() as stack:
        wiring = Wiring(settings, around, stack)
        client = await wiring.client()
        namespace, _, own = name.rpartition("/")
        watched = [each for each in wiring.watched(client) if each]
        homes = [namespace] if namespace else watched or [client.namespace]
        for home in homes:
            found = await DeploymentWriter(client).read(f"{home}/{own}")
            if found is not None:
                return Pair(found, await _service(client, home, own))
        near = nearest(name, await _all(client, homes))
    said = f"there is no Deployment '{shown(name)}' here"
    return f"{said}: did you mean {' or '.join(near)}?" if near else f"{said}: see -n"


async def _all(client: KubeClient, namespaces: Sequence[str]) -> list[str]:
    """Keys of all Deployments, labelled or not; none where that is not to be known."""
    found: list[str] = []
    for namespace in namespaces:
        with suppress(Trouble):
            listing = await list_all(client, DEPLOYMENTS, Selection(namespace, ""))
            found += [each.metadata.key for each in listing.objects]
    return sorted(found)


async def _service(client: KubeClient, namespace: str, name: str) -> Service | None:
    operation = SERVICES.operation("get", namespace, name)
    try:
        body = await client.fetch(Call(operation, "GET", SERVICES.path(namespace, name)))
    except NotFound:
        return None
    found = ObjectDecoder(Service).object(body)
    if isinstance(found, Unreadable):
        raise Garbled(f"the answer to {operation} cannot be read: {found.why}")
    return found
