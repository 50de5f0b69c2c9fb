"""What a shell completes, as its own script asks for it."""

import asyncio
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
import pytest

from controller.cli.completing import joined
from store import Transition, open_store
from tests.commands import ROOT, Finished, command
from tests.controlled_world import SELDOM, ControlledWorld
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

DEAF = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {{}}}}]
current-context: c
"""


async def completed(line: str, **environ: str) -> Finished:
    return await command(
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
        _BOOTSTRAP_CONTROLLER_COMPLETE="complete_bash",
        COMP_PROGRAM="",
        **environ,
    )


async def offered(line: str, *words: str, **environ: str) -> Finished:
    """Asks again for what it had no time to offer, as somebody does who presses Tab once more: on a
    busy machine the seconds that it gives the cluster and the store may be over.
    """
    for _ in range(5):
        done = await completed(line, **environ)
        if done.out.split() == list(words):
            break
    return done


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bootstrap-controller stat", ["status", "stats"]),
        ("bootstrap-controller status fu", ["fuji", "fuji-full"]),
        ("bootstrap-controller status bootstrap/m", ["bootstrap/main"]),
        ("bootstrap-controller explain m", ["main"]),
        ("bootstrap-controller suspend fuji-", ["fuji-full"]),
        ("bootstrap-controller history --target main", ["mainnet-c-chain-state-sync"]),
        ("bootstrap-controller history --outcome p", ["passed"]),
        ("bootstrap-controller status --wa", ["--watch"]),
        ("bootstrap-controller wait fuji --for v", ["verdict"]),
        ("bootstrap-controller wait m", ["main"]),
        ("bootstrap-controller logs m", ["main"]),
        ("bootstrap-controller preview m", ["main"]),
        ("bootstrap-controller stats m", ["mainnet-c-chain-state-sync"]),
        ("bootstrap-controller qualify l", ["latest"]),
        ("bootstrap-controller qualify latest --require m", ["mainnet-c-chain-state-sync"]),
        ("bootstrap-controller qualify latest -o m", ["markdown"]),
        ("bootstrap-controller show m", ["main"]),
        ("bootstrap-controller stats -o w", ["wide"]),
        ("bootstrap-controller history --deployment m", ["main"]),
        ("bootstrap-controller test-build l", ["latest"]),
        ("bootstrap-controller test-build latest m", ["main"]),
        ("bootstrap-controller status --store redis : //r : 6379 m", ["main"]),
    ],
)
async def test_what_is_offered(world: ControlledWorld, line: str, words: list[str]) -> None:
    """Are commands, flags, names of Deployments and targets offered?"""
    for name, network in (("fuji", "fuji"), ("fuji-full", "fuji"), ("main", "mainnet")):
        world.deploy(name, network=network)
    done = await offered(line, *words, KUBECONFIG=str(world.kubeconfig))
    assert (done.out.split(), done.err) == (words, "")


async def has_passed(world: ControlledWorld, **flags: object) -> str:
    """Its id, of a run that has passed."""
    world.deploy("fuji")
    world.start(**SELDOM, **flags)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    record = world.record("fuji")
    assert record is not None
    return record.outcomes[-1].run


async def test_runs_and_versions(world: ControlledWorld) -> None:
    """Are ids of runs offered, with their targets where these are typed, and what builds say?"""
    run = await has_passed(world)
    at = {"KUBECONFIG": str(world.kubeconfig)}
    for command_ in ("show", "diff fuji", "evidence"):
        done = await offered(f"bootstrap-controller {command_} 20", run, **at)
        assert (done.out.split(), done.err) == ([run], ""), command_
    whole = f"fuji-c-chain-state-sync/{run}"
    done = await offered("bootstrap-controller show fuji-c-chain-state-sync/", whole, **at)
    assert done.out.split() == [whole]
    for command_ in ("qualify", "builds", "test-build"):
        done = await offered(f"bootstrap-controller {command_} v1", "v1.14.0", **at)
        assert done.out.split() == ["v1.14.0"], command_


async def test_what_only_the_store_remembers(world: ControlledWorld, redis: RedisServer) -> None:
    """Is a run offered that no record has, and are the records' where the store is away?"""
    mine, old = await has_passed(world, store=redis.url), "20260101t060000z-00000000"
    store = await open_store(redis.url)
    body = orjson.dumps({"phase": "Passed", "run": old})
    at = 1_767_000_000.0
    await store.append([Transition(f"b.f.{old}.1", "fuji-c-chain-state-sync", at, body)])
    fields = {"phase": "Passed", "version": "avalanchego/1.13.0"}
    await store.put_run("fuji-c-chain-state-sync", old, fields)
    await store.close()
    there = {"KUBECONFIG": str(world.kubeconfig), "BOOTSTRAP_STORE": redis.url}
    done = await offered("bootstrap-controller show 20", mine, old, **there)
    assert done.out.split() == [mine, old]
    done = await offered("bootstrap-controller builds v1.13", "v1.13.0", **there)
    assert done.out.split() == ["v1.13.0"]
    away = there | {"BOOTSTRAP_STORE": "redis://127.0.0.1:1"}
    done = await offered("bootstrap-controller show 20", mine, **away)
    assert (done.out.split(), done.err) == ([mine], "")


@pytest.mark.parametrize(
    "environ",
    [
        {"KUBECONFIG": "/nowhere"},
        {"KUBECONFIG": "/dev/zero"},
        {"KUBECONFIG": "/nowhere", "BOOTSTRAP_STORE": "no url"},
        {"KUBECONFIG": "/nowhere", "BOOTSTRAP_POLL_INTERVAL": "soon"},
    ],
)
@pytest.mark.parametrize("words", ["status fu", "show 2", "qualify v", "stats m", "nonsense x"])
async def test_nothing_to_ask(words: str, environ: dict[str, str]) -> None:
    """Is nothing offered, and nothing said, where there is no cluster, or a setting is wrong?"""
    done = await completed(f"bootstrap-controller {words}", **environ)
    assert (done.out.split(), done.err) == ([], "")


async def test_a_cluster_that_never_answers() -> None:
    """Does it end by itself, without a word, where nobody answers?"""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(DEAF.format(port=deaf.getsockname()[1]))
            file.flush()
            done = await completed("bootstrap-controller show 2", KUBECONFIG=file.name)
    assert (done.out.split(), done.err) == ([], "")


def test_words_that_bash_splits() -> None:
    """Are URLs and values whole before the cursor, and what is being typed untouched?"""
    words = ["x", "--store", "redis", ":", "//r", ":", "6379", "--for", "="]
    assert joined(words) == ["x", "--store", "redis://r:6379", "--for", "="]


BASH = """
PATH="$1:$PATH"
source <(bootstrap-controller --show-completion bash) || exit 9
COMP_WORDS=(bootstrap-controller show 20) COMP_CWORD=2
$(complete -p bootstrap-controller | sed 's/.*-F \\([^ ]*\\).*/\\1/') bootstrap-controller
printf '%s\n' "${COMPREPLY[@]}"
"""


async def test_in_a_real_bash(world: ControlledWorld, tmp_path: Path) -> None:
    """Does the script that is told to bash make a run's id of its first digits?"""
    run = await has_passed(world)
    program = tmp_path / "bootstrap-controller"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m controller "$@"\n')
    program.chmod(0o755)
    environ = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = await asyncio.to_thread(
        subprocess.run,
        ["/bin/bash", "--norc", "-c", BASH, "bash", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        env=environ | {"KUBECONFIG": str(world.kubeconfig)},
    )
    assert (done.stdout.split(), done.stderr) == ([run], "")


PLUGIN = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: /bin/sh
      args: ["-c", "echo please log in >&2; exit 1"]
      interactiveMode: Never
current-context: c
"""


async def test_a_login_that_speaks(tmp_path: Path) -> None:
    """Is nothing on the terminal of what a credential plugin says?"""
    file = tmp_path / "kubeconfig"
    file.write_text(PLUGIN)
    spoken = await command("status", KUBECONFIG=str(file))
    assert "please log in" in spoken.err
    done = await completed("bootstrap-controller show 2", KUBECONFIG=str(file))
    assert (done.out.split(), done.err) == ([], "")
