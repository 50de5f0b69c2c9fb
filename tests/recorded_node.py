"""The simulated node asked what the recorded one was asked, and both answers in one form."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from controller.domain.target import SyncMode
from controller.simulator.node import NodeSettings, Pace, Plan, Progress, SimulatedNode, Version
from tests.fakes import FakeClock
from tests.scenes import Answered, scene

RECORDED = Version("1.14.2", "1cf1fc3d17b5")
INTERVAL = 5.0  # seconds between two runs of the checks in all scenes

# What was sent where a recording tells of it in words.
_SENT = {
    "(malformed JSON)": b'{"jsonrpc":"2.0","id":1,"method":',
    "(an unknown method)": b'{"jsonrpc":"2.0","id":1,"method":"info.nothing","params":{}}',
    "(an unknown chain)": b'{"jsonrpc":"2.0","id":1,"method":"info.isBootstrapped",'
    b'"params":{"chain":"Z"}}',
    "(an unknown path)": b"{}",
    "(eth malformed)": b'{"jsonrpc":',
    "(eth unknown method)": b'{"jsonrpc":"2.0","id":1,"method":"eth_nothing","params":[]}',
    "(health by RPC)": b'{"jsonrpc":"2.0","id":1,"method":"health.health","params":{}}',
    "(no content)": b"",
}
_HEADERS = ("Content-Type", "Node-Id", "Vary")
# Names whose texts tell something; of all others the type is compared.
_TELLING = {"error", "message", "healthy", "isBootstrapped"}
_NUMBER = re.compile(r"\d+(\.\d+)?")
_NO_TIME = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Reply:
    """Of either node."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def shape(self) -> Any:
        try:
            return shape(json.loads(self.body))
        except ValueError:
            return self.body.strip()

    @property
    def telling(self) -> dict[str, str]:
        """The recorded kinds of headers; of the node's id, that it is one."""
        kept = {name: self.headers[name] for name in _HEADERS if name in self.headers}
        return kept | ({"Node-Id": kept["Node-Id"].partition("-")[0]} if "Node-Id" in kept else {})


def shape(value: Any, name: str = "") -> Any:
    """Keys, and types in place of values; texts that tell something, without their numbers; a check
    that has not run yet as such. A list is the shape of its first entry.
    """
    if isinstance(value, dict):
        return {key: shape(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner, name) for inner in value[:1]]
    if isinstance(value, bool) or value is None:
        return value if name in _TELLING or value is None else "boolean"
    if isinstance(value, int | float):
        return "number"
    if value == _NO_TIME:
        return value
    return _NUMBER.sub("#", value) if name in _TELLING else "text"


@dataclass
class RecordedLab:
    node: SimulatedNode
    clock: FakeClock
    session: aiohttp.ClientSession
    life: asyncio.Task[int]

    async def ask(self, asked: Answered) -> Reply:
        """The same question."""
        headers, path, body = {}, asked.path, None
        if asked.rpc == "Host:":
            headers["Host"] = asked.words.removeprefix("Host: ")
        elif asked.rpc.startswith("("):
            body = _SENT[asked.words]
        elif asked.rpc:
            call = {"jsonrpc": "2.0", "id": 1, "method": asked.rpc, "params": asked.params}
            body = json.dumps(call).encode()
        url = self.node.url + path
        async with self.session.request(asked.method, url, data=body, headers=headers) as reply:
            return Reply(reply.status, dict(reply.headers), await reply.text())

    async def metrics(self) -> str:
        async with self.session.get(f"{self.node.url}/ext/metrics") as reply:
            return await reply.text()


def recorded(asked: Answered) -> Reply:
    assert asked.status is not None
    return Reply(asked.status, asked.headers, asked.body)


@asynccontextmanager
async def recorded_lab(
    plan: Plan,
    mode: SyncMode = SyncMode.FULL,
    *,
    log_json: bool = True,
    progress: Progress | None = None,
    http_wait: float = 0.0,
    broken_c_config: str = "",
) -> AsyncIterator[RecordedLab]:
    """A node that is told what the recorded ones were."""
    clock = FakeClock(datetime(2026, 11, 26, 14, 0, tzinfo=UTC))
    settings = NodeSettings(
        "network-88888",
        mode,
        data_dir="/data",
        http_port=29650,
        log_json=log_json,
        health_seconds=INTERVAL,
        http_wait=http_wait,
        broken_c_config=broken_c_config,
    )
    database = progress or Progress()
    node = SimulatedNode(settings, RECORDED, plan, database, clock, pace=Pace(30, 5))
    life = asyncio.create_task(node.run())
    bound = asyncio.create_task(node.bound.wait())
    try:
        await asyncio.wait({life, bound}, return_when=asyncio.FIRST_COMPLETED)
        await clock.advance(0)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            yield RecordedLab(node, clock, session, life)
    finally:
        bound.cancel()
        life.cancel()
        await asyncio.gather(life, bound, return_exceptions=True)


def answers(name: str, since: float, until: float) -> list[Answered]:
    """Of a scene, in that part of it, where somebody listened."""
    return [
        asked
        for asked in scene(name).answers
        if since <= asked.at <= until and asked.status is not None and asked.path != "/ext/metrics"
    ]


def families(page: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name of a family to its type and the label sets of its samples."""
    kinds: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif line and not line.startswith("#"):
            name, _, rest = line.partition("{") if "{" in line else line.partition(" ")
            known = rest.partition("}")[0] if "{" in line else ""
            labels.setdefault(name, set()).add(known)
    return {name: (kind, frozenset(labels.get(name, ()))) for name, kind in kinds.items()}
