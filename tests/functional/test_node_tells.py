"""The HTTP probe: what else it learns of a node that answers, and that it costs health nothing.

Included: the order and number of requests, their bounds, what their failures cost.
Excluded: health (test_node_http_probe.py), shapes of answers (tests/unit/test_node_*.py).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from controller.base.errors import Unavailable
from controller.domain.node_http import (
    AnswerKind,
    DoorReply,
    NodeAddress,
    NodeRequest,
    Tip,
)
from controller.node.http_probe import HttpNodeProbe
from tests.scripted_node import ScriptedNode, scripted
from tests.told_door import ToldDoor

C_BLOCK = "eth_getBlockByNumber"
C_NUMBER = "eth_blockNumber"
P_HEIGHT = "platform.getHeight"
P_TIME = "platform.getTimestamp"
METRICS = "/ext/metrics"
AT = 1795413600.0  # 2026-11-23T06:00:00Z

Answer = Callable[[], web.Response]

PASSED = {"message": [], "duration": 1}
HEALTHY = {"bootstrapped": PASSED, "P": PASSED, "C": PASSED}


def says(**checks: object) -> Answer:
    """A health document in which every check passes."""
    return lambda: web.json_response({"checks": checks, "healthy": True})


def rpc(result: object) -> Answer:
    return lambda: web.json_response({"jsonrpc": "2.0", "result": result, "id": 1})


def text(body: str, status: int = 200) -> Answer:
    return lambda: web.Response(text=body, status=status)


def block(number: object = "0xea60", timestamp: object = hex(int(AT))) -> Answer:
    return rpc({"number": number, "timestamp": timestamp, "hash": "0x1", "transactions": []})


@dataclass
class Node(ScriptedNode):
    """A node on an aiohttp server of its own. answers: what it says to each path and each method
    of JSON-RPC; 404 to all others. asked: those, in order.
    """

    answers: dict[str, Answer] = field(
        default_factory=lambda: {
            "/ext/health/readiness": says(bootstrapped=PASSED),
            "/ext/health": says(**HEALTHY),
            METRICS: text('avalanche_snowman_bs_fetched{chain="P"} 9\navalanche_network_peers 5\n'),
            "info.getNodeVersion": rpc({"version": "avalanchego/1.14.0", "gitCommit": "c0ffee"}),
            "info.getNetworkName": rpc({"networkName": "fuji"}),
            C_BLOCK: block(),
            P_HEIGHT: rpc({"height": "24000"}),
            P_TIME: rpc({"timestamp": "2026-11-23T06:00:00Z"}),
        }
    )
    asked: list[str] = field(default_factory=list)

    def respond(self, request: web.Request) -> web.Response:
        name = request.path
        if request.method == "POST":
            call = json.loads(self.server.bodies[-1])
            name = call["method"]
            assert request.headers["Content-Type"] == "application/json"
            expected = "/ext/info" if "info." in name else "/ext/bc/C/rpc"
            assert request.path == ("/ext/bc/P" if "platform." in name else expected)
        self.asked.append(name)
        return self.answers.get(name, text("404 page not found\n", 404))()


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with scripted(Node) as made:
        yield made


async def test_all_of_it(node: Node) -> None:
    """Is all that a bootstrapped node tells in one answer?"""
    answer = await node.ask()

    assert answer.tips == {"C": Tip(60_000, AT), "P": Tip(24_000, AT)}
    assert answer.counters == {"P/fetched": 9}
    assert answer.peers == 5
    assert answer.network == "fuji"
    assert json.loads(answer.document)["healthy"] is True


async def test_requests_that_failed(node: Node) -> None:
    """Are they told, and apart from what counts as done?"""
    failed = 'avalanche_evm_eth_sync_blocks_failed{chain="C"} 3\n'
    node.answers[METRICS] = text(failed + 'avalanche_snowman_bs_fetched{chain="C"} 0\n')
    answer = await node.ask()

    assert answer.failed == {"C/blocks-synced": 3}
    assert answer.counters == {"C/fetched": 0}


async def test_each_question_once(node: Node) -> None:
    """Is each thing asked once a look, health first and the network's name last?"""
    await node.ask()

    assert node.asked[:2] == ["/ext/health/readiness", "/ext/health"]
    assert node.asked[-1] == "info.getNetworkName"
    assert Counter(node.asked) == Counter(set(node.answers))


async def test_no_tip_before_the_end(node: Node) -> None:
    """Is a node that still bootstraps left alone with questions that it cannot answer?"""
    node.answers["/ext/health/readiness"] = lambda: web.json_response(
        {"checks": {"bootstrapped": {"error": "subnets not bootstrapped"}}, "healthy": False},
        status=503,
    )
    answer = await node.ask()

    assert answer.tips == {}
    assert answer.counters == {"P/fetched": 9}
    assert node.asked[2:] == [METRICS, "info.getNodeVersion", "info.getNetworkName"]


async def test_partial_sync_has_no_c(node: Node) -> None:
    """Is a node without a C-chain asked for P's newest block only?"""
    node.answers["/ext/health"] = says(bootstrapped=PASSED, P=PASSED)
    answer = await node.ask()

    assert answer.tips == {"P": Tip(24_000, AT)}
    assert C_BLOCK not in node.asked


MISERIES: dict[str, Answer] = {
    "404": text("404 page not found\n", 404),
    "503": text("API call rejected because chain is not done bootstrapping\n", 503),
    "error": lambda: web.json_response({"jsonrpc": "2.0", "error": {"code": -32000}, "id": 1}),
    "error and result": lambda: web.json_response(
        {"result": {"number": "0x1", "height": "1"}, "error": {"code": -32000}}
    ),
    "result of a 500": lambda: web.json_response(
        {"result": {"number": "0x1", "height": "1"}}, status=500
    ),
    "HTML": text("<html>"),
    "no object": text("[1]"),
    "bytes": lambda: web.Response(body=b"\xff\x00"),
    "deep": lambda: web.Response(body=b'{"result":' + b"[" * 100_000),
    "huge": lambda: web.Response(body=b'{"result":"' + b"x" * (9 << 20) + b'"}'),
    "redirect": lambda: web.Response(status=302, headers={"Location": "/ext/health"}),
}


@pytest.mark.parametrize("misery", MISERIES.values(), ids=MISERIES)
async def test_one_chain_in_trouble(node: Node, misery: Answer) -> None:
    """Does a chain whose API fails have no tip, and the other one its own?"""
    node.answers |= {C_BLOCK: misery, C_NUMBER: misery}
    assert (await node.ask()).tips == {"P": Tip(24_000, AT)}
    node.answers |= {C_BLOCK: block(), P_HEIGHT: misery}
    assert (await node.ask()).tips == {"C": Tip(60_000, AT)}


@pytest.mark.parametrize("misery", MISERIES.values(), ids=MISERIES)
async def test_all_else_in_trouble(node: Node, misery: Answer) -> None:
    """Does the health answer stand when nothing else is answered?"""
    for name in set(node.answers) - {"/ext/health", "/ext/health/readiness"}:
        node.answers[name] = misery
    answer = await node.ask()

    assert (answer.kind, answer.ready, answer.healthy) == (AnswerKind.ANSWERED, True, True)
    assert (answer.tips, answer.counters, answer.heights, answer.peers) == ({}, {}, {}, None)
    assert node.asked[-1] == "info.getNetworkName"


async def test_connections_that_break(node: Node) -> None:
    """Does it stand when every further connection is cut?"""

    def respond(request: web.Request) -> web.Response:
        if request.path not in ("/ext/health", "/ext/health/readiness"):
            assert request.transport is not None
            request.transport.abort()
        return node.respond(request)

    node.server.respond = respond
    answer = await node.ask()

    assert (answer.kind, answer.ready, answer.tips) == (AnswerKind.ANSWERED, True, {})


async def test_a_node_that_hangs_after_health(node: Node) -> None:
    """Is each further question given five seconds, and the look over within a minute?"""
    hanging: asyncio.Queue[str] = asyncio.Queue()
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        response = node.respond(request)
        if node.asked[-1] not in ("/ext/health", "/ext/health/readiness", P_HEIGHT):
            hanging.put_nowait(node.asked[-1])
            await over.wait()
        return response

    node.server.respond = hang
    asking = asyncio.create_task(node.ask())
    for _ in range(6):
        await hanging.get()
        await node.clock.advance(4.9)
        assert not asking.done()
        await node.clock.advance(0.1)
    answer = await asking
    over.set()

    assert (answer.ready, answer.healthy) == (True, True)
    assert answer.tips == {"P": Tip(24_000, None)}
    assert hanging.empty()


async def test_heights_of_both_sources(node: Node) -> None:
    """Does the higher one count, since health's is of up to half a minute ago?"""
    said = {"engine": {"consensus": {"lastAcceptedHeight": 100}}}
    node.answers["/ext/health"] = says(**HEALTHY, X={"message": said}, **{"2subnet": {}})
    node.answers[METRICS] = text(
        'avalanche_snowman_last_accepted_height{chain="X"} 101\n'
        'avalanche_snowman_last_accepted_height{chain="P"} 7\n'
    )
    assert (await node.ask()).heights == {"X": 101, "P": 7}
    del node.answers[METRICS]
    assert (await node.ask()).heights == {"X": 100}


@pytest.mark.parametrize(("metrics", "peers"), [(True, 5), (False, 18)])
async def test_peers_of_both_sources(node: Node, metrics: bool, peers: int) -> None:
    """Does the metrics' number count, which is of now, and health's where there is none?"""
    message = {"connectedPeers": 18}
    node.answers["/ext/health"] = says(**HEALTHY, network={"message": message})
    if not metrics:
        del node.answers[METRICS]

    assert (await node.ask()).peers == peers


async def test_disk(node: Node) -> None:
    """Is the free share of the disk told?"""
    message = {"availableDiskPercentage": 64, "availableDiskBytes": 10**12}
    node.answers["/ext/health"] = says(**HEALTHY, diskspace={"message": message})

    assert (await node.ask()).disk_free == 64.0


async def test_document_has_a_bound(node: Node) -> None:
    """Are no more than 64 KiB of the health document kept?"""
    node.answers["/ext/health"] = says(**HEALTHY, x={"message": "y" * 100_000})

    assert len((await node.ask()).document) == 64 * 1024


@pytest.mark.parametrize(("size", "peers"), [(8 << 20, 5), ((8 << 20) + 1, None)])
async def test_page_of_metrics_has_a_bound(node: Node, size: int, peers: int | None) -> None:
    """Is a page taken up to its bound, and one that is longer not at all?"""
    line = "avalanche_network_peers 5\n"
    node.answers[METRICS] = text(line + "#" * (size - len(line) - 1) + "\n")
    answer = await node.ask()

    assert answer.peers == peers
    assert answer.ready


class HalfClosedDoor(ToldDoor):
    """The API server's proxy, which lets questions about health pass and fails at all others."""

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        if "health" in request.path:
            health = {"checks": HEALTHY, "healthy": True}
            return DoorReply(200, json.dumps(health).encode())
        raise Unavailable("pod pod was not reached: the API server's proxy answers 502: no")


async def test_a_way_that_closes_costs_no_answer() -> None:
    """Does what health has shown stand, where nothing else could be asked?"""
    address = NodeAddress("ns", "pod", "10.0.0.1", 9650, "svc")
    answer = await HttpNodeProbe(HalfClosedDoor()).ask(address)

    assert (answer.ready, answer.tips, answer.network) == (True, {}, "")
