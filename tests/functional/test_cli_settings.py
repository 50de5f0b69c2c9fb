"""Commands that cannot begin: a sentence a fault, the exit code, no secret and no traceback."""

from pathlib import Path

import pytest

from tests.commands import command
from tests.controlled_world import ControlledWorld
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

SECRET = "hunter2"


async def test_all_bad_settings_are_told_at_once() -> None:
    """Does `run` name every bad setting, of flags and environment, a line each, and exit with 2?"""
    done = await command(
        "run",
        "--poll-interval", "often",
        "--store", "no url",
        "--registry", "docker.io",
        "--max-open-runs", "0",
        BOOTSTRAP_LOG_LEVEL="loud",
        BOOTSTRAP_NODE_URL="http://{host}/",
    )  # fmt: skip
    assert done.code == 2
    lines = done.err.splitlines()
    for name in (
        "--poll-interval (BOOTSTRAP_POLL_INTERVAL) is 'often'",
        "--store (BOOTSTRAP_STORE)",
        "--registry (BOOTSTRAP_REGISTRIES)",
        "--max-open-runs (BOOTSTRAP_MAX_OPEN_RUNS)",
        "--log-level (BOOTSTRAP_LOG_LEVEL)",
        "--node-url (BOOTSTRAP_NODE_URL)",
    ):
        assert [line for line in lines if name in line], (name, done.err)
    assert len(lines) == 6
    assert done.out == ""


async def test_a_duration_that_does_not_parse_says_what_to_write() -> None:
    """Does the fault of a setting say what to write instead?"""
    done = await command("run", "--settle", "a minute")
    assert done.code == 2
    assert "write a duration such as 30s, 5m, 12h or 7d" in done.err


async def test_an_unknown_flag_is_bad_usage() -> None:
    """Does an unknown flag exit with 2 and name itself?"""
    done = await command("status", "--colour")
    assert done.code == 2
    assert "--colour" in done.err


async def test_a_flag_that_is_none_is_told() -> None:
    """Is a flag named that no command has?"""
    done = await command("run", "--pages")
    assert done.code == 2
    assert "No such option" in done.err
    assert "--pages" in done.err


async def test_an_unknown_command_is_bad_usage() -> None:
    """Does an unknown command exit with 2?"""
    done = await command("bootstrap")
    assert done.code == 2


async def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """Is a missing kubeconfig a setting's fault, told in one sentence?"""
    path = tmp_path / "kubeconfig"
    done = await command("status", "--kubeconfig", str(path))
    assert done.code == 2
    assert done.err.splitlines() == [f"bootstrap-controller: kubeconfig {path} does not exist"]


async def test_no_cluster_at_all() -> None:
    """Does a machine without a kubeconfig get a sentence that says what is missing?"""
    done = await command("status")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "kubeconfig" in done.err


async def test_an_api_server_that_is_away(world: ControlledWorld) -> None:
    """Does `status` say in one sentence that the API server cannot be reached, and exit with 1?"""
    await world.world.api.stop()
    done = await command("status", "--kubeconfig", str(world.kubeconfig))
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "cannot be reached: it refuses connections" in done.err
    assert done.out == ""


async def test_a_store_of_an_unknown_scheme(world: ControlledWorld) -> None:
    """Is a store URL of an unknown scheme a fault of the setting, naming the schemes there are?"""
    done = await command(
        "run", "--kubeconfig", str(world.kubeconfig), "--store", f"etcd://me:{SECRET}@host/"
    )
    assert done.code == 2
    faults = [line for line in done.err.splitlines() if line.startswith("bootstrap-controller: ")]
    assert len(faults) == 1
    assert "--store (BOOTSTRAP_STORE)" in faults[0]
    assert "redis" in faults[0]
    assert SECRET not in done.err


async def test_a_store_url_that_cannot_be_read_is_not_quoted(world: ControlledWorld) -> None:
    """Is no part of a URL shown that holds a password, however wrong the URL is?"""
    for url in (f"redis://:{SECRET}@host:port/0", f"redis://:{SECRET}#1@host/0"):
        done = await command("run", "--kubeconfig", str(world.kubeconfig), "--store", url)
        assert done.code == 2
        assert SECRET not in done.out + done.err


async def test_a_store_that_is_away_is_named_without_its_password(world: ControlledWorld) -> None:
    """Does `history` name the store that does not answer, without its password, and exit with 1?"""
    port = free_port()
    store = f"redis://me:{SECRET}@127.0.0.1:{port}/0"
    done = await command("history", "--kubeconfig", str(world.kubeconfig), "--store", store)
    assert done.code == 1
    assert f"127.0.0.1:{port}" in done.err
    assert SECRET not in done.out + done.err
