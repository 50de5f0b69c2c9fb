"""The newest blocks: what is asked of each chain's API, and what is made of its answers.

Excluded: troubles of the way to the node (tests/functional/test_node_tells.py).
"""

import asyncio
import json
from typing import Any

import pytest

from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest, Tip
from controller.node.further_questions import Questions
from controller.node.tips import ask_tips
from tests.told_door import ToldDoor

C_BLOCK = "eth_getBlockByNumber"
C_NUMBER = "eth_blockNumber"
P_HEIGHT = "platform.getHeight"
P_TIME = "platform.getTimestamp"
AT = 1795413600.0  # 2026-11-23T06:00:00Z

ANSWERS: dict[str, object] = {
    C_BLOCK: {"number": "0xea60", "timestamp": hex(int(AT)), "transactions": []},
    C_NUMBER: "0xea61",
    P_HEIGHT: {"height": "24000"},
    P_TIME: {"timestamp": "2026-11-23T06:00:00Z"},
}
C_TIP, P_TIP = Tip(60_000, AT), Tip(24_000, AT)


class AnsweringDoor(ToldDoor):
    """Answers each method of JSON-RPC with the result that it was told. asked: (path, method) to
    parameters, in order.
    """

    def __init__(self, **answers: object) -> None:
        self._answers = ANSWERS | answers
        self.asked: dict[tuple[str, str], Any] = {}

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        call = json.loads(request.body or b"")
        self.asked[request.path, call["method"]] = call["params"]
        return DoorReply(
            200, json.dumps({"id": 1, "result": self._answers[call["method"]]}).encode()
        )

    @property
    def methods(self) -> list[str]:
        return [method for _, method in self.asked]


def tips(door: AnsweringDoor, *chains: str) -> dict[str, Tip]:
    questions = Questions(door, NodeAddress("ns", "pod", "10.0.0.1", 9650, "svc"), 10.0)
    return asyncio.run(ask_tips(questions, chains or ("C", "P")))


def test_both_chains() -> None:
    """Is each chain asked by its own API, in the words that it understands, and no more often than
    needed?
    """
    door = AnsweringDoor()

    assert tips(door) == {"C": C_TIP, "P": P_TIP}
    assert door.asked == {
        ("/ext/bc/C/rpc", C_BLOCK): ["latest", False],
        ("/ext/bc/P", P_HEIGHT): {},
        ("/ext/bc/P", P_TIME): {},
    }


def test_only_those_that_run() -> None:
    """Is a chain that the node does not run left alone?"""
    door = AnsweringDoor()

    assert tips(door, "P") == {"P": P_TIP}
    assert door.methods == [P_HEIGHT, P_TIME]


@pytest.mark.parametrize("block", [None, {}, [], "0x1", {"number": 5}, {"timestamp": "0x5"}])
def test_number_without_a_block(block: object) -> None:
    """Is the C-chain's height known where its API gives a number and no block?"""
    door = AnsweringDoor(eth_getBlockByNumber=block)

    assert tips(door, "C") == {"C": Tip(60_001, None)}
    assert door.asked["/ext/bc/C/rpc", C_NUMBER] == []  # Ethereum's API takes nothing but lists


@pytest.mark.parametrize("timestamp", [None, "", 5, "0x", "soon", "0xffffffffffff", [], "-0x1"])
def test_block_without_a_time(timestamp: object) -> None:
    """Is a block of an impossible time one of no time?"""
    door = AnsweringDoor(eth_getBlockByNumber={"number": "0xea60", "timestamp": timestamp})

    assert tips(door, "C") == {"C": Tip(60_000, None)}
    assert door.methods == [C_BLOCK]


@pytest.mark.parametrize("number", [None, "", 60_000, "60000", "0x" + "f" * 16, "0xg", [], {}])
def test_no_number_no_tip(number: object) -> None:
    """Is a chain without a number that can be believed one without a tip?"""
    block = {"number": number, "timestamp": hex(int(AT))}
    door = AnsweringDoor(eth_getBlockByNumber=block, eth_blockNumber=number)

    assert tips(door) == {"P": P_TIP}


@pytest.mark.parametrize(
    ("height", "tip"),
    [
        ({"height": "24000"}, P_TIP),
        ({"height": 24_000}, P_TIP),
        ({"height": -1}, None),
        ({"height": "many"}, None),
        ({"height": None}, None),
        ({}, None),
        ([], None),
        ("24000", None),
    ],
)
def test_height_of_p(height: object, tip: Tip | None) -> None:
    """Is P's height taken as text or number, and no time asked where there is none?"""
    door = AnsweringDoor(**{P_HEIGHT: height})

    assert tips(door, "P").get("P") == tip
    assert (P_TIME in door.methods) is (tip is not None)


@pytest.mark.parametrize("said", [None, {}, {"timestamp": 5}, {"timestamp": "x"}, [], "2026"])
def test_p_without_a_time(said: object) -> None:
    """Does P's height stand without its time?"""
    assert tips(AnsweringDoor(**{P_TIME: said}), "P") == {"P": Tip(24_000, None)}
