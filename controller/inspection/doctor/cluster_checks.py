"""`doctor`: the API server, what we may do there, and whether somebody leads."""

import orjson

from controller.base.durations import format_duration
from controller.base.text import shown
from controller.domain.manifest.monitor import monitor_container
from controller.domain.names import FIELD_MANAGER
from controller.domain.objects import Deployment
from controller.inspection.doctor.finding import Finding, Topic
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation
from controller.kube.lease_object import LeaseStanding, read_standing
from controller.kube.rights import missing_rights
from controller.process.scope import namespaces_scope
from controller.process.wiring import Wiring

CLUSTER, RIGHTS, LEASE = Topic("cluster"), "rights", "lease"
REACH_IT = "look at --kubeconfig, --context and the network; `kubectl version` asks the same"
_WHOSE = "these are of whoever runs this: for the controller's own run it in its pod"
_APPLY = "apply the rights of k8s/rights, as an overlay of k8s/overlays does"
_MORE = "k8s/components/evidence, node-facts and volume-facts"


async def reached(client: KubeClient) -> list[Finding]:
    """Raises what `KubeClient.fetch` raises."""
    body = await client.fetch(Call(Operation("get", "version"), "GET", "/version"))
    try:
        found = orjson.loads(body)
        version = shown(found["gitVersion"], 40)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return [CLUSTER.red(f"{client.where} answers, and not as an API server does", REACH_IT)]
    return [CLUSTER.green(f"{client.where} answers; Kubernetes {version}")]


async def rights(wiring: Wiring, client: KubeClient) -> list[Finding]:
    """A line for each right that is missing: red where nothing goes without it."""
    scope = await namespaces_scope(wiring, client)
    found = []
    for namespace, needed in scope.rights:
        topic = Topic(RIGHTS, namespace or "all namespaces")
        lacking = await missing_rights(client, namespace, needed)
        found += [topic.red(each, f"{_APPLY}; {_WHOSE}") for each in lacking]
        if not lacking:
            verbs = ", ".join(sorted({f"{r.verb} {r.resource}" for r in needed}))
            found.append(topic.green(f"all that are needed: {verbs}"))
    for namespace, wanted in scope.optional:
        topic = Topic(RIGHTS, namespace or "all namespaces")
        lacking = await missing_rights(client, namespace, wanted)
        todo = f"optional: without it less is told of why a run failed; {_MORE} have it"
        found += [topic.yellow(each, todo) for each in lacking]
    return found


async def leases(
    wiring: Wiring, client: KubeClient, deployments: list[Deployment]
) -> list[Finding]:
    """Whether a controller leads in each namespace, and whether each monitor looks after its own.
    deployments: those that are labelled.
    """
    found = []
    monitored = [d for d in deployments if monitor_container(d) is not None]
    nobody_needed = bool(deployments) and len(monitored) == len(deployments)
    for namespace in wiring.homes(client):
        topic = Topic(LEASE, f"{namespace}/{FIELD_MANAGER}")
        standing = await read_standing(client, namespace, FIELD_MANAGER)
        if standing.holder or not nobody_needed:
            found.append(_judged(wiring, topic, standing, "controller"))
        else:
            found.append(topic.green("held by nobody: every Deployment has a monitor"))
    for deployment in monitored:
        meta = deployment.metadata
        topic = Topic(LEASE, meta.key)
        standing = await read_standing(client, meta.namespace, meta.name)
        found.append(_judged(wiring, topic, standing, "monitor"))
    return found


def _judged(wiring: Wiring, topic: Topic, standing: LeaseStanding, who: str) -> Finding:
    start = (
        "start one: kubectl scale deployment bootstrap-controller --replicas=1, and see its log"
        if who == "controller"
        else "see the log of its pod's container `monitor`"
    )
    if not standing.holder:
        return topic.red(f"held by nobody: no {who} is active, and nothing is tested", start)
    if standing.renewed is None:
        return topic.yellow(f"held by {standing.holder}, which does not say since when")
    age = max(0.0, (wiring.around.clock.now() - standing.renewed).total_seconds())
    told = f"held by {standing.holder}, renewed {format_duration(age)} ago"
    if standing.duration and age > standing.duration:
        over = f"{told}: it has run out after {format_duration(float(standing.duration))}"
        return topic.red(f"{over}, and no {who} is active", start)
    return topic.green(told)
