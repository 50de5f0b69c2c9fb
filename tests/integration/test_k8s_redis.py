"""The Redis of k8s/components/redis, started on a real redis-server by its own script."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from store import Sweeper, open_store
from tests.kustomize import K8S
from tests.redis_servers import free_port, program

COMPONENT = K8S / "components" / "redis"
TARGET, RUN = "fuji-c-chain-state-sync", "20261123t060000z-1a2b3c4d"
PASSWORD = "correct horse battery staple".replace(" ", "-")


@dataclass
class Started:
    """The process, where it listens, its folder, and what it has logged so far."""

    process: subprocess.Popen[str]
    port: int
    folder: Path
    log: str

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, password: str | None = PASSWORD) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, protocol=2, decode_responses=True)


def start(folder: Path, secret: str) -> subprocess.Popen[str]:
    """The pod's paths become the folder's; all else is as the ConfigMap has it."""
    config = (COMPONENT / "redis.conf").read_text()
    for path in ("/data", "/run/redis"):
        (folder / path.strip("/")).mkdir(parents=True, exist_ok=True)
        config = config.replace(f" {path}", f" {folder}{path}")
    (folder / "redis.conf").write_text(f"{config}\nbind 127.0.0.1\nport {free_port()}\n")
    (folder / "password").write_text(secret)
    return subprocess.Popen(
        ["sh", str(COMPONENT / "start-redis.sh")],
        env={
            "PATH": f"{Path(program('redis-server')).parent}:{os.environ['PATH']}",
            "REDIS_PASSWORD_FILE": str(folder / "password"),
            "REDIS_USERS_FILE": str(folder / "run/redis/users.acl"),
            "REDIS_CONFIG_FILE": str(folder / "redis.conf"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    process = start(tmp_path, f"{PASSWORD}\n")
    assert process.stdout is not None
    log = []
    for line in process.stdout:
        log.append(line)
        if "Ready to accept connections" in line:
            break
    port = int((tmp_path / "redis.conf").read_text().rsplit("port ", 1)[1])
    yield Started(process, port, tmp_path, "".join(log))
    process.terminate()
    process.communicate()


async def test_the_store_is_swept(started: Started) -> None:
    """May its user do all that `store gc` does, and see how much memory it saves?"""
    store = await open_store(started.url, password=PASSWORD)
    assert isinstance(store, Sweeper)
    try:
        started.client().hset("bootstrap:transition:stray", mapping={"target": "", "body": "{}"})
        started.client().hset(f"bootstrap:run:{TARGET}:{RUN}", "phase", "Passed")
        await store.mirror("bootstrap/gone", {"seq": "1", "record": "one"})
        found = [each async for some in store.leftovers(now=2e9) for each in some]
        assert {each.kind for each in found} == {"transition", "run", "copy"}
        assert all(each.size for each in found)
        assert len(await store.clear(found, evidence_seconds=60)) == 3
    finally:
        await store.close()


async def test_the_store_opens(started: Started) -> None:
    """Does the controller's store work on it, with nothing to warn of?"""
    store = await open_store(started.url, password=PASSWORD)
    try:
        assert await store.inspect() == []
        await store.put_evidence(TARGET, RUN, {"log": b"line"}, keep_seconds=60)
        assert await store.evidence(TARGET, RUN) == {"log": b"line"}
    finally:
        await store.close()


def test_nobody_without_the_password(started: Started) -> None:
    """Are a client without the password and one with a wrong one refused?"""
    with started.client(password=None) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with started.client(password="wrong") as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_is_nowhere(started: Started) -> None:
    """Is the password in no argument, no variable, no log and no file but the Secret?"""
    proc = Path("/proc") / str(started.process.pid)
    if not proc.exists():
        pytest.skip("needs /proc, as Linux has it")
    assert started.log
    assert PASSWORD not in started.log
    assert PASSWORD.encode() not in (proc / "cmdline").read_bytes()
    assert PASSWORD.encode() not in (proc / "environ").read_bytes()
    holding = [
        path.relative_to(started.folder)
        for path in started.folder.rglob("*")
        if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]
    assert holding == [Path("password")]


def test_it_forgets_nothing(started: Started) -> None:
    """Does it keep what is written, on the disk, and refuse rather than evict?"""
    with started.client() as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert list((started.folder / "data").rglob("*.aof"))


@pytest.mark.parametrize(
    "command", ["FLUSHALL", "SHUTDOWN NOSAVE", "CONFIG SET save 1", "REPLICAOF NO ONE"]
)
def test_what_would_harm_is_refused(started: Started, command: str) -> None:
    """Can a slip of the pen in redis-cli not take everything with it?"""
    with started.client() as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


@pytest.mark.parametrize("command", ["INFO", "SORT list", "ROLE", "SCAN 0", "EVAL return(1) 0"])
def test_what_people_look_with_is_allowed(started: Started, command: str) -> None:
    """Do the commands of docs/redis.md work for the user that there is?"""
    with started.client() as client:
        client.execute_command(*command.split())


def test_no_password(tmp_path: Path) -> None:
    """Does an empty Secret stop it, with a sentence, instead of opening it to everybody?"""
    process = start(tmp_path, " \n")
    log, _ = process.communicate()
    assert process.returncode == 1
    assert "empty password" in log
