"""The door of the monitor: to the node in its own pod, and to no other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controller.base.errors import Unavailable
from controller.base.text import shown
from controller.domain.node_http import Door, DoorReply, NodeAddress, NodeRequest

_LOOPBACK, _LOOPBACK_6 = "127.0.0.1", "::1"


class OwnPodDoor:
    """Implements the port `Door`. What answers on localhost is this pod's, whichever pod is asked
    for, and so an answer may be taken for no other's (I3).

    pod: our own pod's name. loopback: whether the node is asked on localhost, where it answers also
    if it listens there alone; else at the address that the door makes of the pod's.
    """

    def __init__(self, door: Door, pod: str, *, loopback: bool) -> None:
        self._door = door
        self._pod = pod
        self._loopback = loopback

    @asynccontextmanager
    async def for_one_look(self) -> AsyncIterator["OwnPodDoor"]:
        async with self._door.for_one_look() as door:
            yield OwnPodDoor(door, self._pod, loopback=self._loopback)

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        """Raises what the door raises, and Unavailable for another pod."""
        if address.pod != self._pod:
            raise Unavailable(
                f"pod {shown(address.pod)} is not the monitor's own, which is {self._pod}"
            )
        if not self._loopback:
            return await self._door.fetch(address, request)
        host = _LOOPBACK_6 if ":" in address.pod_ip else _LOOPBACK
        local = NodeAddress(address.namespace, address.pod, host, address.port, address.service)
        return await self._door.fetch(local, request)
