"""The door to a node through the API server's pod proxy: for a controller outside the cluster."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from controller.base.errors import Busy, Forbidden, Refused, Unavailable
from controller.base.text import shown
from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest, NodeStarting
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import read_status, refusal
from controller.kube.api.resources import Operation

# The proxy passes the Host header on, and avalanchego answers 403 to names that it does not
# know: this one is allowed by default [94].
HOST = "localhost"


class PodProxyDoor:
    """Implements the port `Door`. The API server keeps connections of its own: none is ours."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    @asynccontextmanager
    async def for_one_look(self) -> AsyncIterator["PodProxyDoor"]:
        yield self

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        """See `Door`. A time limit that passes is Unavailable, not NodeStarting: from here, a node
        that accepts and says nothing looks like an API server that cannot reach the pod.
        """
        namespace, pod = quote(address.namespace, safe=""), quote(address.pod, safe="")
        verb = "get" if request.body is None else "create"
        operation = Operation(verb, "pods/proxy", address.namespace, address.pod)
        call = Call(
            operation,
            request.method,
            f"/api/v1/namespaces/{namespace}/pods/{pod}:{address.port}/proxy{request.path}",
            body=request.body,
            timeout=request.timeout,
            limit=request.limit,
            host=HOST,
        )
        try:
            reply = await self._client.request(call)
        except Unavailable as exc:
            # Asking a node changes nothing, so a lost reply is no more than an unreached pod.
            raise Unavailable(str(exc)) from exc
        if reply.status == 429:  # of the API server's fair queue, whose body is text [21]
            raise Busy(f"the API server is busy, to {operation}", reply.retry_after)
        status = read_status(reply.body)
        if status is None:
            return DoorReply(reply.status, reply.body)
        if "connection refused" in status.message:
            raise NodeStarting(f"nobody listens yet on port {address.port} of {address.pod}")
        trouble = refusal(reply.status, status, operation, reply.retry_after)
        if isinstance(trouble, Forbidden | Refused | Busy):
            raise trouble
        said = f"the API server's proxy answers {reply.status}: {shown(status.message)}"
        raise Unavailable(f"pod {address.pod} was not reached: {said}") from trouble
