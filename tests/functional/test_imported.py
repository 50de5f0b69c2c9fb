"""What a process imports, and so keeps for weeks: nothing that it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kube_samples.certificates import cluster_files

ROOT = Path(__file__).parents[2]

# With what each is for.
FOREIGN = {
    "kubernetes_asyncio": "kubeconfigs",
    "yaml": "kubeconfigs",
    "redis": "a store in Redis",
    "datadog": "DogStatsD",
    "rich": "tables",
    "jinja2": "the page",
    "controller.page": "the page",
    "controller.inspection": "the reading commands",
    "controller.simulator": "demo and tests",
    "controller.demo": "the demo",
}
# What else a page of help does not need.
ENGINE = {
    "aiohttp": "HTTP",
    "prometheus_client": "metrics",
    "msgspec": "decoding",
    "controller.process": "the controller",
}

# And what reading settings brings along.
SETTINGS = {
    "asyncio": "HTTP",
    "ssl": "certificates",
    "yarl": "URLs",
    "loguru": "logs",
    "controller.settings.settings": "a command's settings",
}

# What `status` asks nothing of.
NOT_ASKED = {
    "controller.registry": "registries",
    "controller.node": "nodes",
    "controller.inspection.lever_writer": "levers",
    "redis": "a store in Redis",
}

# As in the cluster, up to the first request: credentials of a pod, and a store in memory.
START = """
import asyncio, pathlib, sys
import controller.process.app
from controller.base.clock import SystemClock
from controller.kube.login.pod_or_kubeconfig import load_credentials
from store import open_store

environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}

async def start():
    await load_credentials(None, None, environ, SystemClock(), pathlib.Path(sys.argv[1]))
    await open_store("memory://")

asyncio.run(start())
"""


def imported(*words: str) -> set[str]:
    """The modules that a new Python imports, until it ends."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        capture_output=True,
        check=False,  # a command may be refused: it was imported all the same
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def found(among: set[str], names: dict[str, str]) -> set[str]:
    """Those of the names of which something was imported."""
    return {
        name
        for name in names
        if any(module == name or module.startswith(f"{name}.") for module in among)
    }


@pytest.mark.parametrize("command", ["run", "monitor"])
def test_a_command_that_stays_imports_what_it_uses_alone(command: str) -> None:
    """Is nothing of the other commands, and nothing that a setting may ask for, imported yet?"""
    # an unreadable setting ends either of them when all is imported
    modules = imported("-m", "controller", command, "--settle", "never")
    assert "controller.process.app" in modules
    assert found(modules, FOREIGN) == set()


def test_in_the_cluster_a_start_needs_no_more(service_account: Path) -> None:
    """Are the pod's credentials and a store in memory had without the packages of the others?"""
    modules = imported("-c", START, str(service_account))
    assert "controller.kube.login.service_account" in modules
    assert "store.memory" in modules
    assert found(modules, FOREIGN) == set()


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_a_page_of_help_is_not_waited_for(word: str) -> None:
    """Is no command imported where none is run?"""
    modules = imported("-m", "controller", word)
    assert "controller.cli.commands" in modules
    assert found(modules, FOREIGN | ENGINE | SETTINGS) == set()


def test_status_imports_what_it_asks() -> None:
    """Does `status` leave out what only other commands ask?"""
    modules = imported("-m", "controller", "status", "--help")
    assert "controller.inspection.deployments" in modules
    assert found(modules, NOT_ASKED) == set()


def test_the_list_of_commands_needs_no_version() -> None:
    """Is what looks the version up imported only where it is asked for?"""
    assert "importlib.metadata" not in imported("-m", "controller", "--help")


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    files = cluster_files(tmp_path / "tls")
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "ca.crt").write_bytes(files.ca.read_bytes())
    (folder / "token").write_text("token")
    return folder
