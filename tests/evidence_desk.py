"""A gatherer of evidence between a witness that a test scripts, a store and a clock."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from loguru import logger

from controller.domain.evidence import Place, PodEvent, Read
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.objects import Pod
from controller.domain.record.record import Outcome, Record
from controller.domain.run import Phase
from controller.engine.evidence.gatherer import Ended, Gatherer
from controller.engine.ports import Witness
from store.memory import MemoryStore
from tests.fakes import EPOCH, FakeClock
from tests.machine_objects import pinned, pod, word

RUN = "20261123t060000z-aaaaaaaa"
TARGET = "fuji-c-chain-state-sync"
NOW = int(EPOCH.timestamp())
RECORD = Record(schema=1, namespace="bootstrap", name="fuji", uid="u")
ANSWER = NodeAnswer(
    AnswerKind.ANSWERED,
    "2 checks fail",
    failing={"bootstrapped": "subnets not bootstrapped"},
    checks=("bootstrapped", "network"),
    version="avalanchego/1.14.0",
    commit="a1" * 20,
    network="fuji",
    tips={"C": Tip(7, 1.5)},
    heights={"P": 12},
    peers=3,
    disk_free=42.5,
    document=b'{"healthy":false,"checks":{"network":{"error":"token=abcdef"}}}',
)


class Onlooker:
    """A witness of what a test writes into it."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # every reading, in order
        self.logs: dict[str, Read] = {}
        self.told: dict[str, tuple[Sequence[PodEvent], str]] = {}
        self.found = Place("node-7", "m6i.2xlarge", "eu-1a", "gp3")
        self.hold: asyncio.Event | None = None  # readings wait for it while it is set

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        what = f"{pod.metadata.name} {container}{' previous' if previous else ''}"
        self.asked.append(f"log {what} {lines}")
        if self.hold is not None:
            await self.hold.wait()
        return self.logs.get(what, Read(unread="no such log"))

    async def events(self, pod: Pod) -> tuple[Sequence[PodEvent], str]:
        self.asked.append(f"events {pod.metadata.name}")
        return self.told.get(pod.metadata.name, ((), ""))

    async def place(self, pod: Pod) -> Place:
        self.asked.append(f"place {pod.metadata.name}")
        return self.found


class Shelf(MemoryStore):
    """trouble: what it answers with instead. kept: (target, run, seconds) of what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self.tries = 0
        self.kept: list[tuple[str, str, float]] = []
        self.asked = 0

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        self.tries += 1
        if self.trouble:
            raise self.trouble
        await super().put_evidence(target, run, parts, keep_seconds=keep_seconds)
        self.kept.append((target, run, keep_seconds))

    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return await super().evidence(target, run)


class Desk:
    """A gatherer with its surroundings. said: every log line."""

    def __init__(self) -> None:
        self.witness = Onlooker()
        self.store = Shelf()
        self.clock = FakeClock()
        self.said: list[str] = []
        self.gatherer = self.another()

    def another(self, **options: Any) -> Gatherer:
        witness: Witness = self.witness
        return Gatherer(witness, self.store, self.clock, Random(1), **options)

    async def gathered(self, ended: Ended) -> dict[str, bytes]:
        """The parts in the store after all is done."""
        self.gatherer.begin(ended)
        await self.clock.settle()
        return await self.store.evidence(*ended.place)


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    desk = Desk()
    ear = logger.add(
        lambda m: desk.said.append(f"{m.record['message']} {m.record['extra']}"), level="DEBUG"
    )
    try:
        yield desk
    finally:
        await desk.gatherer.stop()
        logger.remove(ear)


def outcome(phase: Phase = Phase.FAILED, run: str = RUN, **fields: Any) -> Outcome:
    told: dict[str, Any] = {
        "build": "sha256:" + "a" * 64,
        "target": TARGET,
        "reason": "Soaked" if phase is Phase.PASSED else "CrashLoop",
        "at": NOW,
        "began": NOW - 3600,
        "message": "the node crashed 6 times (client)",
        "observed": 3000.0,
        "resumes": 2,
    }
    return Outcome(run=run, phase=phase, **(told | fields))


def ended(*pods: Pod, phase: Phase = Phase.FAILED, **fields: Any) -> Ended:
    told: dict[str, Any] = {"answer": ANSWER, "progress": {"doing": "C/blocks"}}
    of = fields.pop("outcome", outcome(phase))
    return Ended(RECORD, of, pods, "node", **(told | fields))


def node_pod(name: str = "fuji-1", **fields: Any) -> Pod:
    return pod(RUN, pinned("a"), said=word(RUN, "fresh"), name=name, **fields)
