"""Which cluster this is, for a store that may be shared by mistake.

By the uids of its namespaces: unique in the world, as old as the namespace, and readable with a
right on that one name. By all that can be read, so that neither the order in which they are watched
nor one more of them makes it another cluster. Not by that of `kube-system`, which is every
cluster's: who may not read it, and whoever loses the right, would know the cluster by another name.
"""

from dataclasses import dataclass

import msgspec

from controller.base.errors import Forbidden, Garbled, NotFound
from controller.base.undecodable import UNDECODABLE
from controller.domain.metadata import Metadata
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation


class _Named(msgspec.Struct):
    metadata: Metadata


@dataclass(frozen=True)
class Identifying:
    """The namespaces whose uids name the cluster. The first that can be read gives a store its
    name; by those of the others it is known as well. None at all: no cluster is named.
    """

    given: str = ""  # that a person named, and that must be readable; empty: none
    others: tuple[str, ...] = ()  # in this order, after `given`; what cannot be read is passed over

    @property
    def all(self) -> tuple[str, ...]:
        return (self.given, *self.others) if self.given else self.others

    @property
    def first(self) -> str:
        """Empty where there is none."""
        return self.all[0] if self.all else ""


async def cluster_ids(client: KubeClient, by: Identifying) -> tuple[str, ...]:
    """The names of this cluster, the first of which a store is given that has none yet. Raises what
    `KubeClient.fetch` raises, NotFound and Forbidden only where nothing is left to go by.
    """
    found = [await _uid(client, by.given)] if by.given else []
    unread: Forbidden | NotFound | None = None
    for namespace in by.others:
        try:
            found.append(await _uid(client, namespace))
        except (Forbidden, NotFound) as trouble:
            unread = unread or trouble
    if not found and unread is not None:
        raise unread
    return tuple(found)


async def _uid(client: KubeClient, namespace: str) -> str:
    call = Call(Operation("get", "namespaces", namespace), "GET", f"/api/v1/namespaces/{namespace}")
    try:
        uid = msgspec.json.decode(await client.fetch(call), type=_Named).metadata.uid
    except UNDECODABLE as exc:
        raise Garbled(f"namespace {namespace} cannot be read") from exc
    if not uid:
        raise Garbled(f"namespace {namespace} has no uid")
    return uid
