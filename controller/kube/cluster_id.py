"""Which cluster this is, for a store that may be shared by mistake."""

import msgspec

from controller.base.errors import Garbled
from controller.base.undecodable import UNDECODABLE
from controller.domain.objects import Metadata
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation


class _Named(msgspec.Struct):
    metadata: Metadata


async def cluster_id(client: KubeClient, namespace: str) -> str:
    """The uid of a namespace: unique in the world, as old as the namespace, and readable with a
    right on that one name. Raises what `KubeClient.fetch` raises.
    """
    call = Call(Operation("get", "namespaces", namespace), "GET", f"/api/v1/namespaces/{namespace}")
    try:
        uid = msgspec.json.decode(await client.fetch(call), type=_Named).metadata.uid
    except UNDECODABLE as exc:
        raise Garbled(f"namespace {namespace} cannot be read") from exc
    if not uid:
        raise Garbled(f"namespace {namespace} has no uid")
    return uid
