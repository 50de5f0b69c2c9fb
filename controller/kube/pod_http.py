"""The door to a node through the API server's pod proxy: for a controller outside the cluster."""

from urllib.parse import quote

from controller.base.errors import Busy, Forbidden, Refused, Unavailable
from controller.base.text import shown
from controller.domain.node_http import DoorReply, NodeAddress, NodeStarting
from controller.kube.api.client import Call, KubeClient
from controller.kube.api.errors import read_status, refusal
from controller.kube.api.resources import Operation

# The proxy passes the Host header on, and avalanchego answers 403 to names that it does not
# know: this one is allowed by default [94].
HOST = "localhost"


class PodProxyDoor:
    """A `domain.door.Door`. The API server keeps connections of its own, so none is ours alone."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def fetch(
        self,
        address: NodeAddress,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        limit: int,
        timeout: float,
    ) -> DoorReply:
        """See `Door`. A time limit that passes is Unavailable, not NodeStarting: from here, a node
        that accepts and says nothing looks like an API server that cannot reach the pod.
        """
        namespace, pod = quote(address.namespace, safe=""), quote(address.pod, safe="")
        verb = "get" if method in {"GET", "HEAD"} else "create"
        operation = Operation(verb, "pods/proxy", address.namespace, address.pod)
        try:
            reply = await self._client.request(
                Call(
                    operation,
                    method,
                    f"/api/v1/namespaces/{namespace}/pods/{pod}:{address.port}/proxy{path}",
                    body=body,
                    timeout=timeout,
                    limit=limit,
                    host=HOST,
                )
            )
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
        raise Unavailable(
            f"pod {address.pod} was not reached: {shown(status.message)}"
        ) from trouble
