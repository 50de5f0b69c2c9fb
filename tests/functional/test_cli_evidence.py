"""evidence: what was kept of a run, as a tar file, from a real Redis, by a process of its own."""

import asyncio
import io
import os
import sys
import tarfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson
import pytest
from loguru import logger

from controller.domain.evidence import Read
from controller.domain.run import Phase
from controller.engine.evidence.gatherer import Gatherer
from store import StateStore, Transition, open_store
from tests.commands import LIMIT, ROOT
from tests.controlled_world import SELDOM, controlled_world, todays_clock
from tests.evidence_desk import Desk, ended, node_pod, outcome
from tests.fakes import EPOCH
from tests.redis_servers import RedisServer, redis_server

pytestmark = pytest.mark.jumping

TARGET, OTHER = "fuji-c-chain-state-sync", "mainnet-full-sync"
RUN = "20261123t060000z-aaaaaaaa"
ENDED = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp())
PARTS = {
    "summary.json": orjson.dumps(
        {
            "phase": "Failed",
            "reason": "CrashLoop",
            "message": "it crashed",
            "ended": "2026-11-23T09:00:00Z",
        }
    ),
    "node.log": b"panic\n",
    "unread.txt": b"everything was read\n",
}


@dataclass(frozen=True)
class Finished:
    code: int
    out: bytes
    err: str


async def ask(folder: Path, *words: str, stdout: int = PIPE, **environ: str) -> Finished:
    """The command in a folder of its own, with neither a cluster nor a home to be found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", "evidence", *words,
        stdin=DEVNULL, stdout=stdout, stderr=PIPE, cwd=folder,
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "COLUMNS": "300", **environ},
    )  # fmt: skip
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return Finished(process.returncode or 0, out or b"", err.decode())


def members(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        found = {}
        for member in opened.getmembers():
            file = opened.extractfile(member)
            assert file is not None
            assert (member.uid, member.gid, member.mode) == (0, 0, 0o644)
            assert member.mtime == ENDED
            found[member.name] = file.read()
        return found


def line(phase: str, run: str = RUN, target: str = TARGET, at: float = ENDED) -> Transition:
    body = {"phase": phase, "reason": "CrashLoop", "message": "it crashed"}
    return Transition(
        f"bootstrap.{target}.{run}.{phase}", target, at, orjson.dumps({**body, "run": run})
    )


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as server:
        yield server


@pytest.fixture
async def store(redis: RedisServer) -> AsyncIterator[StateStore]:
    opened = await open_store(redis.url)
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the person stands."""
    here = tmp_path / "here"
    here.mkdir()
    return here


async def test_a_run_is_written_as_a_tar_file(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """With the store alone, and no cluster to be found: is everything there, and told in a line?"""
    await store.append([line("Starting", at=ENDED - 60), line("Failed")])
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    done = await ask(folder, RUN, "--store", redis.url)
    assert (done.code, done.err) == (0, "")
    [told] = done.out.decode().splitlines()
    for words in (
        f"evidence-{RUN}.tar",
        "node.log, summary.json",
        "Failed (CrashLoop): it crashed",
    ):
        assert words in told, words
    assert "could not be read" not in told
    packed = (folder / f"evidence-{RUN}.tar").read_bytes()
    assert members(packed) == {f"{TARGET}-{RUN}/{name}": part for name, part in PARTS.items()}


async def test_what_was_gathered_comes_out(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """From the witness to the tar file: is the log the one that was read, and what was not told?"""
    desk = Desk()
    desk.witness.logs = {"fuji-1 node": Read("panic: at the end\n")}
    kept = asyncio.Event()
    ear = logger.add(lambda said: kept.set() if "evidence kept" in said else None)
    gatherer = Gatherer(desk.witness, store, desk.clock, Random(1))
    gatherer.begin(ended(node_pod(restarts=1), outcome=outcome(Phase.FAILED, RUN, at=ENDED)))
    async with asyncio.timeout(LIMIT):
        await kept.wait()
    await gatherer.stop()
    logger.remove(ear)
    done = await ask(folder, f"{TARGET}/{RUN}", "--store", redis.url, "--file", "it.tar")
    assert done.code == 0
    assert "unread.txt says what could not be read" in done.out.decode()
    found = members((folder / "it.tar").read_bytes())
    assert found[f"{TARGET}-{RUN}/node.log"] == b"panic: at the end\n"
    assert b"node-previous.log: no such log" in found[f"{TARGET}-{RUN}/unread.txt"]


async def test_standard_output_gets_the_tar_and_nothing_else(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is the line on standard error then, and are the bytes the same each time?"""
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    words = (f"{TARGET}/{RUN}", "--file", "-")
    first = await ask(folder, *words, BOOTSTRAP_STORE=redis.url)
    second = await ask(folder, *words, BOOTSTRAP_STORE=redis.url)
    assert (first.code, first.out) == (0, second.out)
    assert set(members(first.out)) == {f"{TARGET}-{RUN}/{name}" for name in PARTS}
    assert "Failed (CrashLoop): it crashed" in first.err
    assert os.listdir(folder) == []


async def test_a_terminal_gets_no_tar(redis: RedisServer, folder: Path) -> None:
    """Is it refused, with what to write instead?"""
    ours, theirs = os.openpty()
    try:
        done = await ask(folder, RUN, "--file", "-", "--store", redis.url, stdout=theirs)
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.code == 2
    assert "--file PATH" in done.err


async def test_a_closed_pipe_is_a_sentence(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Does a reader that has gone away cost no more than exit code 1?"""
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = await ask(
            folder, f"{TARGET}/{RUN}", "--file", "-", "--store", redis.url, stdout=theirs
        )
    finally:
        os.close(theirs)
    assert done.code == 1
    assert "standard output cannot be written" in done.err


async def test_a_file_that_is_there_is_not_replaced(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is it left alone, a folder too, and replaced only when that is asked for?"""
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    words = (f"{TARGET}/{RUN}", "--store", redis.url)
    there = folder / f"evidence-{RUN}.tar"
    there.write_bytes(b"mine")
    done = await ask(folder, *words)
    assert done.code == 2
    assert "is there already" in done.err
    assert there.read_bytes() == b"mine"
    done = await ask(folder, *words, "--file", str(folder), "--force")
    assert done.code == 2
    assert "is a folder" in done.err
    done = await ask(folder, *words, "--force")
    assert done.code == 0
    assert members(there.read_bytes())


async def test_a_place_that_cannot_be_written_is_told(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is it a sentence and exit code 1?"""
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    done = await ask(folder, f"{TARGET}/{RUN}", "--store", redis.url, "--file", "no/such/it.tar")
    assert done.code == 1
    assert "no/such/it.tar cannot be written" in done.err


@pytest.mark.parametrize("run", ["la test", f"{RUN}/", RUN.upper(), f"Fuji Test/{RUN}", f"/{RUN}"])
async def test_what_is_no_run_is_said_to_be_none(folder: Path, run: str) -> None:
    """Is it exit code 2, with what one looks like, before anything is asked?"""
    done = await ask(folder, run, "--store", "redis://127.0.0.1:1/0")
    assert done.code == 2
    assert "20261123t060000z-" in done.err


async def test_a_run_of_two_targets_needs_its_target(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is the choice told, and does naming one of them do?"""
    await store.append([line("Failed"), line("Failed", target=OTHER)])
    await store.put_evidence(OTHER, RUN, PARTS, keep_seconds=3600)
    done = await ask(folder, RUN, "--store", redis.url)
    assert done.code == 2
    assert f"{TARGET}/{RUN}, {OTHER}/{RUN}" in done.err
    done = await ask(folder, f"{OTHER}/{RUN}", "--store", redis.url)
    assert done.code == 0
    assert f"run {OTHER}/{RUN}" in done.out.decode()


async def test_a_run_is_found_in_a_long_history(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is a run found that thousands of later transitions hide, many of them of one second?"""
    later = "20261124t060000z-bbbbbbbb"
    others = [
        Transition(f"bootstrap.x.{later}.{n}", TARGET, ENDED + n // 900, b"{}") for n in range(2500)
    ]
    await store.append([line("Failed", at=ENDED + 1), *others])
    await store.put_evidence(TARGET, RUN, PARTS, keep_seconds=3600)
    done = await ask(folder, RUN, "--store", redis.url)
    assert done.code == 0


async def test_an_unknown_run_is_nothing_found(redis: RedisServer, folder: Path) -> None:
    """Is it exit code 3, and does it say that the cluster could not be asked either?"""
    done = await ask(folder, RUN, "--store", redis.url)
    assert (done.code, done.out) == (3, b"")
    assert f"no run {RUN} is known" in done.err
    assert "records could not be read" in done.err


async def test_why_nothing_is_kept(redis: RedisServer, store: StateStore, folder: Path) -> None:
    """Are a run that is open, one that was aborted, and those without evidence told apart?"""
    now = datetime.now(UTC)
    old, new = (
        f"{at.strftime('%Y%m%dt%H%M%Sz')}-aaaaaaaa"
        for at in (now - timedelta(days=40), now - timedelta(days=1))
    )
    await store.append(
        [
            line("Failed", old, at=(now - timedelta(days=39)).timestamp()),
            line("Failed", new, at=(now - timedelta(hours=1)).timestamp()),
            line(
                "Aborted", new, target="fuji-full-sync", at=(now - timedelta(hours=1)).timestamp()
            ),
            line("Bootstrapping", new, target=OTHER, at=(now - timedelta(hours=1)).timestamp()),
        ]
    )
    for run, words in (
        (old, "has expired, it is kept for 30d"),
        (f"{TARGET}/{new}", "nothing is kept of it"),
        (f"{OTHER}/{new}", "is not over (Bootstrapping)"),
        (f"fuji-full-sync/{new}", "was aborted"),
    ):
        done = await ask(folder, run, "--store", redis.url)
        assert done.code == 3, run
        assert words in done.err, run


async def test_a_store_in_memory_has_nothing_to_give(folder: Path) -> None:
    """Is it told that such a store ends with its process?"""
    done = await ask(folder, RUN)
    assert done.code == 3
    assert "memory://" in done.err


async def test_a_store_that_is_away_is_a_failure(redis: RedisServer, folder: Path) -> None:
    """Is it exit code 1, and not taken for a run without evidence?"""
    redis.stop()
    done = await ask(folder, RUN, "--store", redis.url)
    assert done.code == 1
    assert "the store cannot be read" in done.err


async def test_what_could_harm_when_unpacked_is_left_out(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Does a part of another hand's making not leave the folder it is unpacked into?"""
    odd = {"../../etc/passwd": b"x", "/abs": b"x", ".hidden": b"x", "a/b": b"x", "": b"x"}
    await store.put_evidence(TARGET, RUN, PARTS | odd, keep_seconds=3600)
    done = await ask(folder, f"{TARGET}/{RUN}", "--store", redis.url, "--file", "it.tar")
    assert done.code == 0
    assert set(members((folder / "it.tar").read_bytes())) == {f"{TARGET}-{RUN}/{n}" for n in PARTS}


async def test_broken_evidence_is_written_all_the_same(
    redis: RedisServer, store: StateStore, folder: Path
) -> None:
    """Is a summary that nobody can read no reason to withhold the rest?"""
    parts = {"summary.json": b"{", "node.log": b"\xff\n"}
    await store.append([Transition(f"a.b.{RUN}.1", TARGET, ENDED, b"no json")])
    await store.put_evidence(TARGET, RUN, parts, keep_seconds=3600)
    done = await ask(folder, RUN, "--store", redis.url, "--file", "it.tar")
    assert done.code == 0
    assert "how it ended is not known" in done.out.decode()
    assert members((folder / "it.tar").read_bytes())[f"{TARGET}-{RUN}/node.log"] == b"\xff\n"


async def test_the_records_know_what_history_has_forgotten(
    redis: RedisServer, store: StateStore, tmp_path: Path, folder: Path
) -> None:
    """Is the target found on the cluster where the store has no history of the run?"""
    async with controlled_world(tmp_path, clock=todays_clock()) as world:
        world.deploy("fuji")
        world.start(**SELDOM)
        await world.passes("fuji")
        await world.stop()
        record = world.record("fuji")
        assert record is not None
        run = record.outcomes[-1].run
        words = (run, "--store", redis.url, "--kubeconfig", str(world.kubeconfig))
        done = await ask(folder, *words)
        assert done.code == 3
        assert f"nothing is kept of run {TARGET}/{run}: the store is empty" in done.err
        await store.put_evidence(TARGET, run, {"node.log": b"x"}, keep_seconds=3600)
        done = await ask(folder, *words)
    assert done.code == 0
    assert "Passed (Soaked)" in done.out.decode()


def test_the_times_of_this_file_are_those_of_the_fakes() -> None:
    """Does the run's id say when the fakes' clock begins?"""
    assert RUN.startswith(EPOCH.strftime("%Y%m%dt%H%M%Sz"))


async def test_a_deployment_gives_its_last_failure(
    redis: RedisServer, store: StateStore, tmp_path: Path, folder: Path
) -> None:
    """Is the last run that failed meant by a name, though others passed after it; else the last;
    and are the nearest names told for one that nobody has?
    """
    async with controlled_world(tmp_path, clock=todays_clock()) as world:
        world.deploy("fuji")
        world.start(**SELDOM, store=redis.url)
        await world.passes("fuji")
        await world.stop()
        place = ("--store", redis.url, "--kubeconfig", str(world.kubeconfig), "--force")
        done = await ask(folder, "fuji", *place)
        assert (done.code, "Passed (Soaked)" in done.out.decode()) == (0, True)
        for day in (1, 2):
            run = f"2026010{day}t060000z-aaaaaaaa"
            fields = {"phase": "Failed", "deployment": "bootstrap/fuji", "ended": "1767240000"}
            await store.put_run(TARGET, run, fields)
            await store.append([line("Failed", run, at=1767240000.0 + day)])
            await store.put_evidence(TARGET, run, {"node.log": b"x"}, keep_seconds=3600)
        done = await ask(folder, "bootstrap/fuji", *place)
        assert done.code == 0
        assert f"run {TARGET}/20260102t060000z-aaaaaaaa Failed" in done.out.decode()
        assert (folder / "evidence-20260102t060000z-aaaaaaaa.tar").exists()
        done = await ask(folder, "fujj", *place)
        assert (done.code, "there are fuji" in done.err) == (3, True)
