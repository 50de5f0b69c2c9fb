"""`doctor`: which Deployments are found, and whether each can be tested as it stands."""

from dataclasses import dataclass

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, read_request
from controller.domain.objects import Deployment, Service
from controller.domain.record.record import Record, record_of
from controller.inspection.doctor.finding import Finding, Topic
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS, SERVICES
from controller.kube.watch.listing import list_all
from controller.kube.watch.selection import Selection
from controller.process.wiring import Wiring

SELECTOR, DEPLOYMENT = "selector", "deployment"
_MOST_NAMED = 5


@dataclass(frozen=True)
class Found:
    """What the selector finds, listed once."""

    deployments: list[Deployment]
    services: dict[str, Service]  # by `namespace/name`
    findings: list[Finding]  # about the selector, and objects that cannot be read


async def found_by_selector(wiring: Wiring, client: KubeClient) -> Found:
    """Raises what `KubeClient.fetch` raises."""
    found = Found([], {}, [])
    selector = wiring.settings.cluster.selector
    for namespace in wiring.watched(client):
        topic = Topic(SELECTOR, namespace or "all namespaces")
        listing = await list_all(client, DEPLOYMENTS, Selection(namespace, selector))
        found.deployments.extend(listing.objects)
        for odd in listing.unreadable:
            unread = Topic(DEPLOYMENT, odd.key)
            found.findings.append(unread.red(f"it cannot be read: {odd.why}", "mend its manifest"))
        services = await list_all(client, SERVICES, Selection(namespace, selector))
        found.services.update({each.metadata.key: each for each in services.objects})
        count = len(listing.objects)
        if count:
            found.findings.append(topic.green(f"{selector} finds {count} Deployments"))
        else:
            found.findings.append(await _nothing(client, topic, namespace, selector))
    return found


async def _nothing(client: KubeClient, topic: Topic, namespace: str, selector: str) -> Finding:
    everything = (await list_all(client, DEPLOYMENTS, Selection(namespace, ""))).objects
    others = [d.metadata.key for d in everything if d.metadata.name != names.FIELD_MANAGER]
    there = f"; without it there are {', '.join(others[:_MOST_NAMED])}" if others else ""
    more = " …" if len(others) > _MOST_NAMED else ""
    return topic.red(
        f"{selector} finds no Deployment{there}{more}",
        f"kubectl label deployment NAME {names.TEST}=true, or look at -n, -A and --selector;"
        " `preview NAME` says what would be made of one",
    )


def each_well_formed(found: Found, rules: Rules) -> list[Finding]:
    """A line for each fault, by which the Deployment would be Blocked; green for one without."""
    return [
        line for deployment in found.deployments for line in _well_formed(found, deployment, rules)
    ]


def _well_formed(found: Found, deployment: Deployment, rules: Rules) -> list[Finding]:
    topic = Topic(DEPLOYMENT, deployment.metadata.key)
    request = request_of(deployment, rules)
    faults = [request] if isinstance(request, TargetFault) else []
    try:
        port = node_port(deployment, found.services.get(deployment.metadata.key))
    except TargetFault as fault:
        faults.append(fault)
        port = 0
    record = record_of(deployment)
    if isinstance(record, TargetFault):
        faults.append(record)
    if faults or isinstance(request, TargetFault):
        return [topic.red(f"{f.reason}: {f}", "mend the manifest as it says") for f in faults]
    follows = f"{request.node.reference.repository}:{request.track}"
    return [topic.green(f"target {request.target}, follows {follows}, asked at port {port}")]


def request_of(deployment: Deployment, rules: Rules) -> RunRequest | TargetFault:
    record = record_of(deployment)
    run = record.run if isinstance(record, Record) else None
    try:
        return read_request(deployment, rules, run.image if run else "")
    except TargetFault as fault:
        return fault
