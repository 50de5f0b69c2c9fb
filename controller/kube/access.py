"""Which of the rights that we need we do not have, asked of the API server itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import orjson

from controller.base.errors import Garbled
from controller.base.text import shown
from controller.kube.client import Call, KubeClient
from controller.kube.resources import REVIEWS, Operation, Review

_REVIEW = msgspec.json.Decoder(Review)


@dataclass(frozen=True)
class Right:
    """One verb on one resource, as a Role grants it."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def operation(self, namespace: str) -> Operation:
        name = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return Operation(self.verb, f"{name}.{self.group}" if self.group else name, namespace)


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


async def missing_rights(client: KubeClient, namespace: str, rights: Sequence[Right]) -> list[str]:
    """A sentence for each right that we lack. namespace: empty for all of them.

    Raises what `KubeClient.fetch` raises.
    """
    return [
        f"missing right: {right.operation(namespace)}"
        for right in rights
        if not await _allowed(client, namespace, right)
    ]


async def _allowed(client: KubeClient, namespace: str, right: Right) -> bool:
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    if namespace:
        attributes["namespace"] = namespace
    if right.subresource:
        attributes["subresource"] = right.subresource
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
    except msgspec.DecodeError as exc:
        raise Garbled(f"a review of our rights that cannot be read: {shown(exc)}") from exc
