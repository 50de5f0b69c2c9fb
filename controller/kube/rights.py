"""Which of the rights that we need we do not have, asked of the API server itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import orjson

from controller.base.errors import Garbled
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.evidence import MISSING_RIGHT
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import REVIEWS, Operation, Review

_REVIEW = msgspec.json.Decoder(Review)


@dataclass(frozen=True)
class Right:
    """One verb on one resource, as a Role grants it."""

    verb: str
    group: str  # empty for core
    resource: str  # plural
    subresource: str = ""  # empty for the resource itself
    name: str = ""  # of the one object, as `resourceNames` has it; empty for all

    def operation(self, namespace: str) -> Operation:
        namespace = "" if self.of_cluster else namespace
        name = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        full = f"{name}.{self.group}" if self.group else name
        return Operation(self.verb, full, namespace, self.name)

    @property
    def of_cluster(self) -> bool:
        """On what is in no namespace, so that no Role can grant it."""
        return self.resource == "nodes"


READING = tuple(
    Right(verb, group, resource)
    for group, resource in (("apps", "deployments"), ("", "pods"), ("", "services"))
    for verb in ("list", "watch")
)
WRITING = (
    Right("get", "apps", "deployments"),
    Right("patch", "apps", "deployments"),
    Right("create", "events.k8s.io", "events"),
)
LEASING = tuple(
    Right(verb, "coordination.k8s.io", "leases") for verb in ("get", "create", "update")
)
# Of one namespace that holds a Lease: its uid names the cluster (`identity`).
IDENTIFYING = (Right("get", "", "namespaces"),)
# Only where nodes are asked through the API server: GET health, POST info [86, 107].
PROXYING = tuple(Right(verb, "", "pods", "proxy") for verb in ("get", "create"))

# Optional from here on: without them a run passes all the same, and less is told of why one failed
# (`witness`).
READ_LOGS = Right("get", "", "pods", "log")
LIST_EVENTS = Right("list", "", "events")
WITNESSING = (READ_LOGS, LIST_EVENTS)
# Nodes are machines here. Of the cluster, and so a right that not everybody may give.
READ_NODES = Right("get", "", "nodes")
READ_CLAIMS = Right("get", "", "persistentvolumeclaims")
PLACING = (READ_NODES, READ_CLAIMS)


def reading_one(name: str) -> tuple[Right, ...]:
    """As READING, of one Deployment and its Service; pods have no name before they are."""
    return tuple(
        right if right.resource == "pods" else replace(right, name=name) for right in READING
    )


def writing_one(name: str) -> tuple[Right, ...]:
    """As WRITING, of one Deployment; `create` cannot be bound to a name."""
    return tuple(
        right if right.verb == "create" else replace(right, name=name) for right in WRITING
    )


def leasing_one(name: str) -> tuple[Right, ...]:
    """As LEASING, of a Lease that is there and need not be made."""
    return tuple(replace(right, name=name) for right in LEASING if right.verb != "create")


async def missing_rights(client: KubeClient, namespace: str, rights: Sequence[Right]) -> list[str]:
    """A sentence for each right that we lack. namespace: empty for all of them.

    Raises what `KubeClient.fetch` raises.
    """
    return [
        f"{MISSING_RIGHT} {right.operation(namespace)}"
        for right in rights
        if not await _allowed(client, namespace, right)
    ]


async def _allowed(client: KubeClient, namespace: str, right: Right) -> bool:
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    if namespace and not right.of_cluster:
        attributes["namespace"] = namespace
    if right.subresource:
        attributes["subresource"] = right.subresource
    if right.name:
        attributes["name"] = right.name
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    body = await client.fetch(
        Call(
            REVIEWS.operation("create", ""),
            "POST",
            REVIEWS.path(""),
            body=orjson.dumps(review),
        )
    )
    try:
        return _REVIEW.decode(body).status.allowed
    except UNDECODABLE as exc:
        raise Garbled(f"a review of our rights that cannot be read: {shown(exc)}") from exc
