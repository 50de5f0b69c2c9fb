"""`run` and `demo` as processes: signals, exit codes, logs, the Lease."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

import orjson
import pytest

from controller.domain import names
from tests.commands import LIMIT, command, running
from tests.controlled_world import ControlledWorld
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

SECRET = "hunter2"


def flags(world: ControlledWorld, *more: str) -> list[str]:
    return [
        "run",
        "--kubeconfig", str(world.kubeconfig),
        "--registry", f"docker.io={world.world.registry.url}",
        "--listen", "127.0.0.1:0",
        "--poll-interval", "200ms",
        "--probe-interval", "200ms",
        "--settle", "0s",
        "--log-format", "json",
        *more,
    ]  # fmt: skip


def holder(world: ControlledWorld) -> str:
    lease = world.world.api.storage.peek("leases", "bootstrap", names.FIELD_MANAGER)
    return str(lease["spec"]["holderIdentity"] or "") if lease else ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_in_good_order(world: ControlledWorld, number: signal.Signals) -> None:
    """Does `run` end with 0 on SIGTERM and SIGINT, in the middle of a run, and give the Lease
    back?
    """
    world.deploy("fuji")
    async with running(*flags(world), POD_NAME="controller-7") as process:
        await world.until(lambda: world.phase("fuji") == "Bootstrapping")
        assert holder(world) == "controller-7"
        process.send_signal(number)
        _, err = await asyncio.wait_for(process.communicate(), LIMIT)
        assert process.returncode == 0
    assert holder(world) == ""
    entries = [orjson.loads(line) for line in err.decode().splitlines()]
    assert entries[-1]["message"] == "controller stopped"
    assert not [entry for entry in entries if entry["status"] in {"error", "critical"}]


async def test_run_says_what_a_store_lacks_and_no_password(world: ControlledWorld) -> None:
    """Does `run` go on with a store that is away, naming it without its password?"""
    store = f"redis://me:{SECRET}@127.0.0.1:{free_port()}/0"
    async with running(*flags(world, "--store", store)) as process:
        said = [line async for line in lines_until(process, b"StoreUnreachable")]
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), LIMIT)
        assert process.returncode == 0
    everything = b"".join(said) + out + err
    assert SECRET.encode() not in everything
    assert b"Traceback" not in everything


async def lines_until(process: Process, word: bytes) -> AsyncIterator[bytes]:
    """Lines of standard error, the one with the word last."""
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT):
        while line := await process.stderr.readline():
            yield line
            if word in line:
                return
    raise AssertionError(f"the process never said {word!r}")


async def test_a_port_that_is_taken_is_a_fault_of_the_setting(world: ControlledWorld) -> None:
    """Does `run` exit with 2 and one sentence where its port is in use?"""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        done = await command(*flags(world, "--listen", f"127.0.0.1:{port}"))
    assert done.code == 2
    faults = [line for line in done.err.splitlines() if line.startswith("bootstrap-controller: ")]
    assert len(faults) == 1
    assert "--listen" in faults[0]


async def test_the_demo_shows_every_outcome() -> None:
    """Does the demo end by itself with 0, and tell of each target, each build and each verdict?"""
    done = await command("demo")
    assert done.code == 0, done.err
    story, _, outcomes = done.out.partition("How every run ended, newest first:")
    for words in (
        "waiting for its pod",
        "is killed in mid-run (SIGKILL)",
        "is pushed again without a change of build",
        "which bootstrap/fuji-state-sync",
    ):
        assert words in story, words
    ends = [line.split() for line in outcomes.splitlines() if "  bootstrap/" in line]
    assert (
        sorted(f"{end[1]} {end[4]}" for end in ends)
        == ["Failed BadBlock"] * 3 + ["Passed Soaked"] * 6
    )
    assert "no build was tested twice on a target" in outcomes


async def test_a_forked_command_is_as_one_that_was_started() -> None:
    """Do the commands of the tests, which are forked, say and return what a new process does?"""
    for words in (["--version"], ["status", "--no-such-flag"], ["explain", "--help"]):
        forked = await command(*words)
        async with running(*words) as process:
            out, err = await process.communicate()
        assert (forked.out, forked.err) == (out.decode(), err.decode())
        assert forked.code == process.returncode
