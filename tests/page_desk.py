"""A page over a made-up history: three targets, their Deployments, and a filled store."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import orjson
from msgspec.structs import replace

from controller.base.clock import Clock, SystemClock
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.objects import Deployment
from controller.domain.pace.noted_progress import encode_progress
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.speed import Trail
from controller.domain.record.record import OpenRun, Record, encode_record
from controller.domain.run import Phase
from controller.page.server import PageServer
from controller.views.deployment import record_on
from controller.views.reading import Reading
from store.api import Claim, Meta, StateStore, Transition
from store.memory import MemoryStore
from tests.machine_objects import chain_config, deployment, variables

NOW = 1_795_413_600.0  # seconds since 1970: 23 November 2026, 06:00
DAY, HOUR = 86400.0, 3600.0
EVIL = '<script>alert("x")</script>'
FUJI, MAINNET, QUICK = "fuji-full-sync", "mainnet-c-chain-state-sync", "fuji-c-chain-state-sync"
OPEN_RUN = "20261123t020000z-0000beef"


def build(number: int) -> str:
    return f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"


def run_id(at: float, number: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dt%H%M%Sz}-{number:08x}"


@dataclass
class FakeSource:
    """leads: whether it does; `tell` is what a watch of the cluster would call."""

    store: StateStore
    found: dict[str, Deployment] = field(default_factory=dict)
    leads: bool = True
    handlers: list[Callable[[str], None]] = field(default_factory=list)

    @property
    def standing(self) -> str:
        return "leading" if self.leads else "standing by: controller-1 holds the Lease"

    def reading(self) -> Reading | None:
        records = [r for d in self.deployments() if (r := record_on(d)) is not None]
        return Reading(self.store, records) if self.leads else None

    def deployments(self) -> Sequence[Deployment]:
        return [self.found[key] for key in sorted(self.found)]

    def followed(self) -> Iterable[tuple[str, str]]:
        return [("docker.io/avaplatform/avalanchego", "latest")]

    def on_change(self, handler: Callable[[str], None]) -> None:
        self.handlers.append(handler)

    def tell(self, key: str) -> None:
        for handler in self.handlers:
            handler(key)

    def put(self, record: Record, target: str, phase: str) -> None:
        """The Deployment of this record, as a controller has left it."""
        network, _, mode = target.partition("-")
        full = {"AVAGO_CHAIN_CONFIG_CONTENT": chain_config({"state-sync-enabled": False})}
        env = variables(AVAGO_NETWORK_ID=network, **(full if mode == "full-sync" else {}))
        self.found[record.key] = deployment(
            record.name,
            record=encode_record(record, Rules()),
            annotations={names.MESSAGE: record.message},
            labels={names.PHASE: phase},
            env=env,
        )


def record_of(target: str, message: str, run: OpenRun | None = None, **more: object) -> Record:
    plain = Record(
        schema=1, namespace="bootstrap", name=target.removesuffix("-sync"), uid="u",
        message=message, run=run,
        since=int(NOW - 2 * HOUR),
    )  # fmt: skip
    return replace(plain, **more)


def open_run(phase: Phase = Phase.BOOTSTRAPPING) -> OpenRun:
    return OpenRun(
        id=OPEN_RUN, build=build(40), image=f"avaplatform/avalanchego:latest@{build(40)}",
        target=FUJI, network="fuji", mode="full-sync", config="c", phase=phase,
        reason="NodeStarted", decided=int(NOW - 4 * HOUR), since=int(NOW - 3.9 * HOUR),
        started=int(NOW - 3.9 * HOUR), observed=3.8 * HOUR,
    )  # fmt: skip


async def filled(runs: int = 24, message: str = "") -> FakeSource:
    """runs: of each target. message: of the last failure."""
    store = MemoryStore()
    await store.refill(Meta(1, "e", 0, "c"), [])
    for position, target in enumerate((FUJI, MAINNET, QUICK)):
        await _runs(store, target, runs, position, message)
    await store.put_run(FUJI, OPEN_RUN, _open_fields())
    await store.note_seen(FUJI, build(40), at=NOW - 4.1 * HOUR)
    await store.put_tag(
        "docker.io/avaplatform/avalanchego",
        "latest",
        {"at": "2026-11-23T05:59:20+00:00", "digest": build(140), "quota_limit": "100",
         "quota_remaining": "83"},
    )  # fmt: skip
    source = FakeSource(store)
    goes_on = "avalanchego/1.14.2 bootstraps; C executed 2,400,000 blocks"
    source.put(record_of(FUJI, goes_on, open_run()), FUJI, "Bootstrapping")
    idle = "avalanchego/1.13.23 has passed; no newer build is known"
    source.put(record_of(MAINNET, idle), MAINNET, "Idle")
    held = "avalanchego/1.13.23 failed: its data is kept until somebody looks"
    source.put(record_of(QUICK, held), QUICK, "Held")
    return source


def _open_fields() -> dict[str, str]:
    return {
        "phase": "Bootstrapping", "build": build(40), "version": "avalanchego/1.14.2",
        "commit": "4f6c0a1e9b" * 4, "digest": build(140), "tags": "v1.14.2,latest",
        "pace": "P executed 198,120; C executed 2,400,000 (310/s)",
        "progress": worked(2.4e6, 3.5 * HOUR), "observed": str(3.8 * HOUR),
        "node": "ip-10-0-3-7", "instance_type": "i4i.xlarge", "zone": "eu-west-1a",
    }  # fmt: skip


def worked(blocks: float, seconds: float) -> str:
    """Progress of a node that executed so many blocks in so long."""
    trail = Trail()
    for tenth in range(1, 10):
        trail = trail.then(seconds * tenth / 10, blocks * tenth / 10)
    stage = Stage(count=blocks, seconds=seconds, trail=trail)
    early = Stage(count=198_120.0, seconds=900.0, trail=Trail())
    stages = {"P/executed": early, "C/executed": stage}
    return encode_progress(Progress(stages=stages, doing="C/executed", moved=True))


async def _runs(store: MemoryStore, target: str, count: int, position: int, message: str) -> None:
    claims, lines = [], []
    for at in range(count):
        number = at + 10
        ended = NOW - (count - at) * DAY * 1.3 + position * HOUR
        failed = (at + 3 * position) % 9 == 4 or (position == 2 and at == count - 1)
        took = (6.0 - 2.4 * position + 0.6 * ((at * 7) % 5) / 5 + at / 40) * HOUR
        run = run_id(ended - took - 900, number)
        phase = "Failed" if failed else "Aborted" if at % 13 == 6 else "Passed"
        fields = {
            "phase": phase, "build": build(number), "version": f"avalanchego/1.13.{at}",
            "commit": build(at + 500)[7:47], "digest": build(number + 100),
            "tags": f"v1.13.{at}",
            "deployment": f"bootstrap/{target.rpartition('-')[0]}", "reason": _reason(phase),
            "started": str(ended - took - 600), "ended": str(ended), "observed": str(took),
            "message": (message or "C cannot verify block 5 at height 41021") if failed else "",
            "image": f"avaplatform/avalanchego:latest@{build(number)}",
        }  # fmt: skip
        if phase == "Passed":
            fields |= {"took": str(took), "bootstrapped": str(ended - 600)}
            fields["progress"] = worked(4.1e6, took - 0.3 * HOUR)
        await store.put_run(target, run, fields)
        await store.note_seen(target, build(number), at=ended - took - 1000)
        claims.append(Claim(target, build(number), run, "bootstrap/x"))
        body = orjson.dumps({"phase": phase, "run": run, "deployment": "bootstrap/x"})
        lines.append(Transition(f"{target}.{run}", target, ended, body))
    meta = await store.meta()
    assert meta is not None
    await store.refill(meta, claims)
    await store.append(lines)
    await store.put_evidence(target, run, {"node.log": b"x", "pod.json": b"{}"}, keep_seconds=1e6)


def _reason(phase: str) -> str:
    return {"Passed": "Soaked", "Failed": "BadBlock"}.get(phase, "Asked")


class StillClock(SystemClock):
    """It is always NOW for people; durations are the machine's."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(NOW, UTC)


@asynccontextmanager
async def served(
    source: FakeSource, clock: Clock | None = None, names: Iterable[str] = ()
) -> AsyncIterator[str]:
    """The base URL of the page. names: of hosts, beside those that are always taken."""
    server = PageServer(source, clock or StillClock(), names)
    port = await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.close()


async def get(url: str, method: str = "GET", **more: object) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **more) as reply,  # type: ignore[arg-type]
    ):
        return reply.status, await reply.text(), dict(reply.headers)
