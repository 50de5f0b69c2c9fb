"""Each command says on standard error which API server it asks, and as whom: once, and first."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from controller.base.clock import SystemClock
from controller.cli.commands import COMMANDS
from controller.simulator.apiserver.server import SimulatedApiServer
from tests.commands import Finished, command

# What each command takes besides; those that ask no cluster, or name it in a log, are not here.
WORDS = {
    "status": (), "explain": ("a",), "history": (), "qualify": ("v1",), "wait": ("a",),
    "builds": (), "show": ("r",), "diff": ("r", "s"), "stats": ("fuji",), "logs": ("a",),
    "doctor": (), "preview": ("a",), "report": ("-o", "report.html"),
    "suspend": ("a",), "resume": ("a",),
    "retest": ("a",), "abort": ("a",), "end-hold": ("a",), "test-build": ("v1", "a"),
    "store gc": ("--dry-run",), "store rebuild": ("--dry-run",),
}  # fmt: skip
ASKS_NO_CLUSTER = {"evidence", "demo", "explain-log", "completion", "version", "token"}
NAMES_IT_IN_ITS_LOG = {"run", "monitor"}


@pytest.fixture
async def server() -> AsyncIterator[SimulatedApiServer]:
    server = SimulatedApiServer(SystemClock(), Random(1))
    await server.start()
    yield server
    await server.stop()


async def ask(server: SimulatedApiServer, path: Path, *words: str) -> Finished:
    kubeconfig = server.kubeconfig(path / "config")
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"]["as"] = "jane"
    kubeconfig.write_text(json.dumps(config))
    return await command(*words, f"--kubeconfig={kubeconfig}")


@pytest.mark.parametrize("name", WORDS)
async def test_a_command_names_the_server_that_it_asks(
    server: SimulatedApiServer, tmp_path: Path, name: str
) -> None:
    """Also where it then finds nothing, or cannot do what was asked?"""
    words = [*name.split(), *WORDS[name]]
    if name == "report":
        words[-1] = str(tmp_path / words[-1])
    if name.startswith("store"):
        words.append("--store=redis://127.0.0.1:1")
    done = await ask(server, tmp_path, *words)
    peer = server.url.removeprefix("http://")
    assert done.server == f"{peer} (context simulated, as jane)", done.err
    assert "API server: " not in done.out


def test_no_command_was_forgotten() -> None:
    """Does a new command have to be in the table above, or among those that ask no cluster?"""
    names = set[str]()
    for listed in COMMANDS:
        names |= {f"{listed.name} {below.name}" for below in listed.under} or {listed.name}
    assert names - set(WORDS) - ASKS_NO_CLUSTER == NAMES_IT_IN_ITS_LOG


async def test_json_is_not_touched(server: SimulatedApiServer, tmp_path: Path) -> None:
    """Can a program still read the answer as it stands?"""
    assert (await ask(server, tmp_path, "status", "-o", "json")).json() == []
