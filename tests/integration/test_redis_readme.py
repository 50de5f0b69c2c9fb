"""docs/redis.md says what a person sees: each command in it is run by the real redis-cli on a real
redis-server that was filled as the controller fills it, and must print what stands below it.

`...` in the document's output stands for anything, and the order of a hash is the server's; all
else is compared exactly. The key table is
compared with the keys that are there.
"""

import asyncio
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from controller.domain.defaults import Rules
from controller.domain.metadata import Metadata
from controller.domain.notice import Notice
from controller.domain.objects import Deployment
from controller.domain.pace.noted_progress import encode_progress
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pace.words import describe_progress
from controller.domain.record.parts import Checked, Facts
from controller.domain.record.record import SCHEMA as RECORD_SCHEMA
from controller.domain.record.record import OpenRun, Outcome, Record, Step, encode_record
from controller.domain.run import Phase
from controller.engine.claims.refill import claims_of
from controller.engine.telling.publisher import Publisher
from store import Claim, Meta, Transition, open_store
from tests.redis_servers import RedisServer, program, redis_server

DOCUMENT = Path(__file__).parents[2] / "docs" / "redis.md"
COMMAND = re.compile(r"```sh\n(redis-cli [^\n]*)\n```\n\n?(?:```text\n(.*?)```)?", re.DOTALL)
LINE = re.compile(r"^redis-cli .*$", re.MULTILINE)
UNORDERED = re.compile(r"\b(HGETALL|HKEYS)\b")
ROW = re.compile(r"^\| `(bootstrap:[^`]*)`", re.MULTILINE)

FUJI, MAINNET = "fuji-c-chain-state-sync", "mainnet-full-sync"
OLD, NEW = "sha256:" + "1a2b3c4d" * 8, "sha256:" + "5e6f7a8b" * 8
FIRST, SECOND = "20261123t060000z-1a2b3c4d", "20261124t060000z-5e6f7a8b"
MONDAY, TUESDAY = 1795413600, 1795500000  # six o'clock UTC of both
REPOSITORY = "docker.io/avaplatform/avalanchego"
SEEN = 41  # builds that the tag of fuji pointed to


class Nobody:
    """A sink that nobody reads."""

    async def tell(self, notice: Notice) -> None:
        pass


def step(seq: int, before: str, phase: str, reason: str, at: int, **more: str) -> Step:
    return Step(
        seq=seq, before=before, phase=phase, reason=reason, at=at,
        message=more["message"], run=more["run"], build=more["build"],
    )  # fmt: skip


FUJI_RECORD = Record(
    schema=RECORD_SCHEMA,
    namespace="bootstrap",
    name="fuji-state-sync",
    uid="f0000000-0000-4000-8000-000000000001",
    seq=5,
    phase=Phase.BOOTSTRAPPING,
    reason="NodeStarted",
    message="bootstrapping avalanchego of 5e6f7a8b since 2026-11-24 06:04 UTC",
    since=TUESDAY + 240,
    run=OpenRun(
        id=SECOND, build=NEW, image=f"avaplatform/avalanchego:latest@{NEW}", target=FUJI,
        network="fuji", mode="c-chain-state-sync", config="c0ffee", phase=Phase.BOOTSTRAPPING,
        reason="NodeStarted", decided=TUESDAY, since=TUESDAY + 240, started=TUESDAY + 240,
    ),
    outcomes=(
        Outcome(
            run=FIRST, build=OLD, target=FUJI, phase=Phase.PASSED, reason="Soaked",
            at=MONDAY + 32400, began=MONDAY, observed=31980.0, message="bootstrapped in 8h53m",
            took=31380.0, lasted=31380, version="avalanchego/1.14.2", commit="0c1d2e3f" * 5,
            machine="m6i.2xlarge",
            checked=Checked(
                looks=20, seconds=600.0, held={"healthy": 20, "ready": 20},
                heights={"C": (41207311, 41207611), "P": (198120, 198124)}, oldest=4.0, peers=312,
            ),
        ),
    ),
    tested={FUJI: (OLD,)},
    last_run=SECOND,
    steps=(
        step(1, "Idle", "Starting", "NewBuild", MONDAY, run=FIRST, build=OLD, message="new build"),
        step(3, "Soaking", "Passed", "Soaked", MONDAY + 32400, run=FIRST, build=OLD,
             message="bootstrapped in 8h53m"),
        step(5, "Starting", "Bootstrapping", "NodeStarted", TUESDAY + 240, run=SECOND, build=NEW,
             message="the node has started"),
    ),
)  # fmt: skip
# The same Deployment at the end of its first run.
FUJI_BEFORE = msgspec.structs.replace(
    FUJI_RECORD,
    seq=2,
    run=OpenRun(
        id=FIRST, build=OLD, image=f"avaplatform/avalanchego:latest@{OLD}", target=FUJI,
        network="fuji", mode="c-chain-state-sync", config="c0ffee", phase=Phase.SOAKING,
        reason="Bootstrapped", decided=MONDAY, since=MONDAY + 31620, started=MONDAY + 240,
        bootstrapped=MONDAY + 31620, took=31380.0, digest="sha256:" + "8b9c0d1e" * 8,
        facts=Facts(
            image_commit="0c1d2e3f" * 5, tags=("v1.14.2",), node="ip-10-0-3-17.ec2.internal",
            type="m6i.2xlarge", zone="us-east-1b", storage="gp3", requests="cpu=8,memory=16Gi",
        ),
    ),
    outcomes=(),
    tested={},
    last_run=FIRST,
    steps=FUJI_RECORD.steps[:1],
)  # fmt: skip
PROGRESS = Progress(
    stages={
        "P/fetched": Stage(198120, 1260.0),
        "P/executed": Stage(198120, 2310.5),
        "C/state-synced": Stage(96400211, 24120.0, 3980.0),
    },
    heights={"P": 198120, "C": 41207311},
    doing="C/state-synced",
)
MAINNET_RECORD = Record(
    schema=RECORD_SCHEMA,
    namespace="bootstrap",
    name="mainnet-full-sync",
    uid="f0000000-0000-4000-8000-000000000002",
    seq=4,
    phase=Phase.HELD,
    reason="KeepFailedData",
    message="data of the failed run is kept until 2026-11-26 21:00 UTC",
    since=MONDAY + 54000,
    outcomes=(
        Outcome(
            run=FIRST, build=OLD, target=MAINNET, phase=Phase.FAILED, reason="CrashLoop",
            at=MONDAY + 54000, began=MONDAY, observed=50100.0,
            message="the node ended 6 times, last with exit code 1",
        ),
    ),
    tested={MAINNET: (OLD,)},
    last_run=FIRST,
    steps=(
        step(4, "Bootstrapping", "Failed", "CrashLoop", MONDAY + 54000, run=FIRST, build=OLD,
             message="the node ended 6 times, last with exit code 1"),
    ),
)  # fmt: skip


async def fill(server: RedisServer) -> None:
    """Two targets on a Tuesday: one passed a build and tests the next, one failed and is held."""
    store = await open_store(server.url)
    records = [FUJI_RECORD, MAINNET_RECORD]
    meta = Meta(
        schema=1, epoch="8c1f9a3e5d7b2046", grants=0, cluster="7d0f1c5e-3a84-4b6e-9a51-2c8e6f4d1b90"
    )
    tested = [c for r in records for c in claims_of(r) if c.build == OLD]
    await store.refill(meta, tested)
    await store.claim(Claim(FUJI, NEW, SECOND, FUJI_RECORD.key), epoch=meta.epoch, seen_grants=0)
    publisher = Publisher(store, Nobody())
    for record in [FUJI_BEFORE, *records]:
        deployment = Deployment(metadata=Metadata(name=record.name, namespace=record.namespace))
        await publisher.publish(deployment, record, encode_record(record, Rules()))
    pace = "; ".join(describe_progress(PROGRESS))
    await store.put_run(FUJI, FIRST, {"progress": encode_progress(PROGRESS), "pace": pace})
    for n in range(SEEN - 2):  # those that passed by while others were tested
        await store.note_seen(FUJI, f"sha256:{n:064x}", at=MONDAY - 3600.0 * (SEEN - n))
    await store.note_seen(FUJI, OLD, at=MONDAY)
    await store.note_seen(FUJI, NEW, at=TUESDAY)
    await store.claim(
        Claim(MAINNET, NEW, "20261124t060005z-5e6f7a8b", MAINNET_RECORD.key),
        epoch=meta.epoch,
        seen_grants=1,
    )
    await store.put_tag(
        REPOSITORY,
        "latest",
        {
            "at": "2026-11-24T06:30:00+00:00",
            "digest": "sha256:" + "9c0d1e2f" * 8,
            "build:linux/amd64": NEW,
            "quota_limit": "100",
            "quota_remaining": "87",
        },
    )
    await store.put_build("sha256:" + "9c0d1e2f" * 8, "linux/amd64", NEW)
    log = b"FATAL <P Chain> failed to verify block\nexit status 1\n"
    await store.put_evidence(
        MAINNET, FIRST, {"node.log": log, "pods.json": b"{}"}, keep_seconds=86400.0
    )
    idle = Transition("bootstrap.fuji-state-sync.idle.2", "", MONDAY - 60.0, b"{}")
    await store.append([idle])
    await store.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def filled(server: RedisServer) -> RedisServer:
    server.admin.flushall()
    asyncio.run(fill(server))
    return server


def redis_cli(server: RedisServer, command: str, folder: Path) -> str:
    """What a person at a terminal would see."""
    _, *arguments = shlex.split(command)
    seen_at_terminal = [] if "--raw" in arguments else ["--no-raw"]
    words = [program("redis-cli"), "-p", str(server.port), *seen_at_terminal, *arguments]
    done = subprocess.run(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def entries(output: str, *, pairs: bool) -> list[list[str]]:
    """The answer without its numbers, in one order: the server has its own at each start."""
    lines = [re.sub(r"^ *\d+\) ", "", line) for line in output.rstrip().splitlines()]
    size = 2 if pairs else 1
    return sorted(lines[start : start + size] for start in range(0, len(lines), size))


def cases() -> list[tuple[str, str]]:
    return [(found[1], found[2] or "") for found in COMMAND.finditer(DOCUMENT.read_text())]


@pytest.mark.parametrize(("command", "expected"), cases(), ids=[c for c, _ in cases()])
def test_command_prints_what_the_document_says(
    filled: RedisServer, tmp_path: Path, command: str, expected: str
) -> None:
    """Does a person who types this see what the document shows?"""
    output = redis_cli(filled, command, tmp_path)
    assert expected
    if UNORDERED.search(command):
        pairs = "HGETALL" in command
        assert entries(output, pairs=pairs) == entries(expected, pairs=pairs)
    else:
        pattern = ".*?".join(re.escape(part) for part in expected.rstrip().split("..."))
        assert re.fullmatch(pattern, output.rstrip(), re.DOTALL), f"it printed:\n{output}"


def test_every_command_is_checked() -> None:
    """Does each command of the document stand alone in a block, with its output below?"""
    assert LINE.findall(DOCUMENT.read_text()) == [command for command, _ in cases()]
    assert len(cases()) >= 10


def test_key_table_is_complete_and_true(filled: RedisServer) -> None:
    """Is each key there in the document's table, and each of the table's rows there? The mark of a
    refill is there for minutes only, after one of several steps.
    """
    rows = [row for row in ROW.findall(DOCUMENT.read_text()) if ":refill:" not in row]
    patterns = [re.sub(r"<[^>]*>", ".+", re.escape(row)) for row in rows]
    keys = filled.admin.keys()
    for key in keys:
        assert any(re.fullmatch(pattern, key) for pattern in patterns), f"{key} is in no row"
    for row, pattern in zip(rows, patterns, strict=True):
        assert any(re.fullmatch(pattern, key) for key in keys), f"no key for {row}"


def test_every_field_of_a_run_is_explained(filled: RedisServer) -> None:
    """Does the document say what each field of a run's hash is?"""
    document = DOCUMENT.read_text()
    explained = {
        name
        for row in re.findall(r"^\| (`[a-z_`, ]+) \|", document, re.MULTILINE)
        for name in re.findall(r"[a-z_]+", row)
    }
    runs = filled.admin.keys("bootstrap:run:*")
    assert len(runs) == 3
    for run in runs:
        assert set(filled.admin.hgetall(run)) <= explained


def test_adopted_store_belongs_to_nobody(filled: RedisServer, tmp_path: Path) -> None:
    """After the documented command, does the store let another cluster have it?"""
    redis_cli(filled, "redis-cli HDEL bootstrap:meta cluster", tmp_path)

    async def cluster() -> str:
        store = await open_store(filled.url)
        meta = await store.meta()
        await store.close()
        return meta.cluster if meta else "none"

    assert asyncio.run(cluster()) == ""


def test_backup_can_be_restored(filled: RedisServer, tmp_path: Path) -> None:
    """Does a server that starts on the documented backup have every key?"""
    redis_cli(filled, "redis-cli --rdb bootstrap.rdb", tmp_path)
    (tmp_path / "restored").mkdir()
    (tmp_path / "bootstrap.rdb").rename(tmp_path / "restored" / "dump.rdb")
    with redis_server(tmp_path / "restored") as restored:
        assert sorted(restored.admin.keys()) == sorted(filled.admin.keys())


def test_the_readme_has_only_commands_that_are_tested_here() -> None:
    """Does every redis-cli command of the README stand in the document whose commands are run?"""
    readme = (DOCUMENT.parents[1] / "README.md").read_text()

    assert LINE.findall(readme)
    assert set(LINE.findall(readme)) <= set(LINE.findall(DOCUMENT.read_text()))
