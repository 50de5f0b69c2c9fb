"""The way to a node's HTTP port: what the prober needs of it, whichever way it is."""

from dataclasses import dataclass
from typing import Protocol

from controller.base.errors import Unavailable
from controller.domain.answer import NodeAddress


class NodeStarting(Unavailable):
    """The way to the pod is open and nobody serves yet: the connection was refused, or accepted
    and then nothing came; avalanchego binds its listener long before it serves [92].
    """


@dataclass(frozen=True)
class DoorReply:
    """An HTTP answer, read to its end.

    from_node: the node answered; False where the API server's pod proxy answered in its stead.
    """

    status: int
    body: bytes
    from_node: bool = True


class Door(Protocol):
    """One request to one pod's node, each over a connection of its own where that is possible:
    a kept connection could lead to a pod that is gone.
    """

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
        """path: begins with a slash. body: JSON, sent as such. limit: bytes of the answer.
        timeout: seconds for all of it.

        Redirects are not followed. Raises NodeStarting; Garbled where more than `limit` bytes
        came or it was no HTTP; Refused or Forbidden where the way itself is closed to us;
        Unavailable for every other way of not reaching the pod.
        """
        ...
