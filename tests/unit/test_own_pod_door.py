"""The monitor's door: its own pod's node on localhost, and nobody else's."""

import pytest

from controller.base.errors import Unavailable
from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest
from controller.node.own_pod_door import OwnPodDoor
from tests.told_door import ToldDoor

REQUEST = NodeRequest("/ext/health", 100, timeout=10.0)


class Noting(ToldDoor):
    """A door that notes where it was to lead."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        self.asked.append(f"{address.pod} {address.pod_ip} {address.port}")
        return DoorReply(200, b"")


def at(pod: str, pod_ip: str = "10.1.2.3") -> NodeAddress:
    return NodeAddress("bootstrap", pod, pod_ip, 9650, "fuji")


@pytest.mark.parametrize(
    ("pod_ip", "loopback", "asked"),
    [
        ("10.1.2.3", True, "mine 127.0.0.1 9650"),
        ("fd00::1", True, "mine ::1 9650"),
        ("10.1.2.3", False, "mine 10.1.2.3 9650"),
    ],
)
async def test_its_own_node_is_asked_on_localhost(pod_ip: str, loopback: bool, asked: str) -> None:
    """Is it asked on the loopback of the pod's kind of address, unless --node-url says where?"""
    inner = Noting()
    await OwnPodDoor(inner, "mine", loopback=loopback).fetch(at("mine", pod_ip), REQUEST)
    assert inner.asked == [asked]


async def test_another_pod_is_never_answered_for() -> None:
    """Is the pod of a run that is not the monitor's own not reached, rather than taken for it?"""
    inner = Noting()
    with pytest.raises(Unavailable, match="pod other is not the monitor's own, which is mine"):
        await OwnPodDoor(inner, "mine", loopback=True).fetch(at("other"), REQUEST)
    assert not inner.asked
