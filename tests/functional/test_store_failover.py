"""RedisStore through a failover: by hand behind an address or a name that stays, by sentinels; and
what it makes of a Redis Cluster and of a password that is changed.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from store import StateStore, StoreError, StoreForgot, StoreMisused, StoreUnavailable, open_store
from tests.redis_servers import RedisServer, free_port, redis_server
from tests.sentinel_server import sentinel_server
from tests.store_calls import ANNA, BERT, BUILD, META, TARGET
from tests.switching_forwarder import SwitchingForwarder

IN_TIME = 20.0  # far above what any wait here takes, far below the limit of a test


@contextlib.asynccontextmanager
async def opened(
    url: str, password: str | Callable[[], str] | None = None, timeout: float = 5.0
) -> AsyncIterator[StateStore]:
    store = await open_store(url, password=password, timeout=timeout)
    try:
        yield store
    finally:
        await store.close()


@contextlib.contextmanager
def a_pair(folder: Path, config: tuple[str, ...] = ()) -> Iterator[tuple[RedisServer, RedisServer]]:
    """A primary, and a replica that has got all that it has."""
    for name in ("one", "two"):
        (folder / name).mkdir()
    with (
        redis_server(folder / "one", config) as primary,
        redis_server(folder / "two", config) as replica,
    ):
        replicates(replica, primary)
        yield primary, replica


def replicates(replica: RedisServer, primary: RedisServer) -> None:
    """Returns when it has caught up."""
    replica.admin.replicaof("127.0.0.1", primary.port)
    has_all(primary)


def has_all(primary: RedisServer) -> None:
    """Returns when its replica has got all that it has."""
    primary.admin.incr("replicated")  # WAIT waits for what its own connection has written
    assert primary.admin.execute_command("WAIT", 1, int(IN_TIME * 1000)) == 1


def fail_over(primary: RedisServer, replica: RedisServer) -> None:
    """By hand: they change places, and the old primary's connections stay."""
    has_all(primary)
    replica.admin.replicaof("NO", "ONE")
    primary.admin.replicaof("127.0.0.1", replica.port)


async def test_the_address_is_tried_anew_after_a_failover(tmp_path: Path) -> None:
    """After one refusal by the old primary, is the next call the new one's?"""
    with a_pair(tmp_path) as (one, two):
        async with SwitchingForwarder(one.port).running() as door, opened(door.url) as store:
            await store.refill(META, [])
            fail_over(one, two)
            door.leads_to = two.port
            with pytest.raises(StoreUnavailable, match="read-only replica"):
                await store.claim(ANNA, epoch="first", seen_grants=0)
            assert await store.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)
            assert door.led[-1] == two.port
            assert two.admin.hexists(f"bootstrap:claims:{TARGET}", BUILD)


async def test_no_connection_of_several_stays_with_the_old_primary(tmp_path: Path) -> None:
    """Where many calls had connections, does one refusal free all of them?"""
    with a_pair(tmp_path) as (one, two):
        async with SwitchingForwarder(one.port).running() as door, opened(door.url) as store:
            await store.refill(META, [])
            await asyncio.gather(*(store.meta() for _ in range(10)))
            fail_over(one, two)
            door.leads_to = two.port
            with pytest.raises(StoreUnavailable):
                await store.claim(ANNA, epoch="first", seen_grants=0)
            runs = [f"r{number}" for number in range(20)]
            await asyncio.gather(*(store.put_run(TARGET, r, {"phase": "Passed"}) for r in runs))


async def test_the_name_is_looked_up_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the name leads to another address after a failover, is it followed?"""
    address = "127.0.0.1"

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "redis.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with redis_server(tmp_path / "one") as one:
        two = RedisServer(tmp_path / "two", ["bind 127.0.0.2"])
        two.port = one.port
        try:
            two.start()
            replicates(two, one)
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
            async with opened(f"redis://redis.example:{one.port}") as store:
                await store.refill(META, [])
                has_all(one)
                two.admin.replicaof("NO", "ONE")
                one.admin.replicaof("127.0.0.2", two.port)
                address = "127.0.0.2"
                with pytest.raises(StoreUnavailable, match="read-only replica"):
                    await store.claim(ANNA, epoch="first", seen_grants=0)
                assert await store.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)
                assert two.admin.hexists(f"bootstrap:claims:{TARGET}", BUILD)
        finally:
            two.remove()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (("min-replicas-to-write", "1"), "too few of its replicas are connected"),
        (("maxmemory", "1"), "out of memory (maxmemory is reached): give it more"),
    ],
)
async def test_a_server_that_takes_no_writes(
    tmp_path: Path, setting: tuple[str, str], sentence: str
) -> None:
    """Is each way in which a primary refuses writes told as such, and over when it is over?"""
    with redis_server(tmp_path) as server:
        async with opened(server.url) as store:
            await store.refill(META, [])
            server.admin.config_set(*setting)
            with pytest.raises(StoreUnavailable) as caught:
                await store.claim(ANNA, epoch="first", seen_grants=0)
            assert sentence in str(caught.value)
            server.admin.config_set(setting[0], "0")
            assert await store.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Is a server that cannot save, and so takes no writes, told as such?"""
    folder = tmp_path / "gone"
    folder.mkdir()
    with redis_server(tmp_path, [f"dir {folder}", "save 3600 1"]) as server:
        async with opened(server.url) as store:
            await store.refill(META, [])
            folder.rmdir()  # as good as full: nothing can be written there
            with contextlib.suppress(redis.ResponseError):
                server.admin.save()
            server.admin.bgsave()
            while server.admin.info("persistence")["rdb_bgsave_in_progress"]:
                pass
            with pytest.raises(StoreUnavailable, match="cannot save to its disk"):
                await store.claim(ANNA, epoch="first", seen_grants=0)


# sentinels

SECRET = "open:sesame"


async def test_the_primary_that_sentinels_name(tmp_path: Path) -> None:
    """Is the primary found by its name, before and after sentinels have made another one?"""
    with (
        a_pair(tmp_path) as (one, two),
        sentinel_server(tmp_path / "sentinel", one) as sentinel,
    ):
        url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/mymaster/0"
        async with opened(url) as store:
            await store.refill(META, [])
            assert one.admin.exists("bootstrap:meta")
            has_all(one)
            sentinel.fail_over()
            assert await until_granted(store) == (ANNA, 1)
            assert two.admin.hexists(f"bootstrap:claims:{TARGET}", BUILD)


async def until_granted(store: StateStore) -> object:
    """The claim after as many tries as a failover in the middle of one may cost."""
    for _ in range(2):
        with contextlib.suppress(StoreUnavailable):
            return await store.claim(ANNA, epoch="first", seen_grants=0)
    return await store.claim(ANNA, epoch="first", seen_grants=0)


@pytest.mark.parametrize(
    "asks", [(), (f"requirepass {SECRET}",), ("user default off", f"user anna on >{SECRET} +@all")]
)
async def test_sentinels_that_ask_for_a_password(tmp_path: Path, asks: tuple[str, ...]) -> None:
    """Is the same password given to sentinels that ask for one, by user or without, and only to
    those?
    """
    acl = (f"user anna on >{SECRET} ~* &* +@all",)
    with (
        a_pair(tmp_path, acl) as (one, _),
        sentinel_server(tmp_path / "sentinel", one, asks) as sentinel,
    ):
        url = f"redis+sentinel://anna@127.0.0.1:{sentinel.port}/mymaster"
        async with opened(url, SECRET) as store:
            await store.refill(META, [])
        assert one.admin.exists("bootstrap:meta")


async def test_sentinels_that_do_not_know_the_name(tmp_path: Path) -> None:
    """Is a name that no sentinel knows told as a mistake in the URL?"""
    with (
        a_pair(tmp_path) as (one, _),
        sentinel_server(tmp_path / "sentinel", one) as sentinel,
    ):
        async with opened(f"redis+sentinel://127.0.0.1:{sentinel.port}/other") as store:
            with pytest.raises(StoreMisused, match="know no primary called 'other'"):
                await store.meta()


async def test_sentinels_that_are_away() -> None:
    """Are sentinels that do not answer told with their addresses?"""
    port = free_port()
    async with opened(f"redis+sentinel://127.0.0.1:{port}/mymaster") as store:
        with pytest.raises(StoreUnavailable, match=f"no sentinel at 127.0.0.1:{port} answers"):
            await store.meta()


async def test_sentinels_that_name_a_replica(tmp_path: Path) -> None:
    """Is a server that sentinels name, and that says itself that it is none, not used, not even to
    read from it?
    """
    with (
        a_pair(tmp_path) as (one, two),
        sentinel_server(tmp_path / "sentinel", one) as sentinel,
    ):
        fail_over(one, two)  # by hand, which the sentinel hears of later
        async with opened(f"redis+sentinel://127.0.0.1:{sentinel.port}/mymaster") as store:
            with pytest.raises(StoreUnavailable, match="read-only replica"):
                await store.meta()


# Redis Cluster


@pytest.mark.parametrize("slots", [False, True])
async def test_a_cluster_is_refused_by_name(tmp_path: Path, slots: bool) -> None:
    """Is a Redis Cluster told as what it is, with none of its slots served and with all?"""
    with redis_server(tmp_path, ["cluster-enabled yes"]) as server:
        if slots:
            server.admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while "cluster_state:ok" not in str(server.admin.execute_command("CLUSTER", "INFO")):
                pass
        async with opened(server.url) as store:
            with pytest.raises(StoreMisused, match="is a Redis Cluster, which is not supported"):
                await store.refill(META, [ANNA])


# passwords that change


@pytest.mark.parametrize("old_stays", [True, False])
async def test_a_password_that_is_rotated(tmp_path: Path, old_stays: bool) -> None:
    """Is the password asked for anew at each new connection, whether connections with the old one
    were ended by the server or not?
    """
    passwords = ["first"]
    with redis_server(tmp_path, password="first") as server:
        async with opened(server.url, lambda: passwords[-1]) as store:
            await store.refill(META, [])
            server.admin.config_set("requirepass", "second")
            if not old_stays:
                server.admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                with pytest.raises(StoreMisused, match="refuses the user or password"):
                    await store.meta()
            passwords.append("second")
            assert await store.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)
            server.password = "second"


async def test_a_password_file_in_the_middle_of_its_rotation(tmp_path: Path) -> None:
    """While the password cannot be read, does the last one stand, and is no secret told?"""
    answers: list[str | OSError | ValueError] = ["first"]

    def current() -> str:
        if isinstance(answers[-1], str):
            return answers[-1]
        raise answers[-1]

    with redis_server(tmp_path, password="first") as server:
        async with opened(server.url, current) as store:
            for trouble in (FileNotFoundError("gone"), ValueError("it is empty")):
                answers.append(trouble)
                assert await store.meta() is None
                server.admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            answers.append("wrong-one")
            with pytest.raises(StoreError) as caught:
                await store.meta()
            assert "wrong-one" not in f"{caught.value!r} {caught.value.__cause__!r}"


# what a failover may lose


async def test_a_replica_that_lacked_the_last_claim_is_recognised(tmp_path: Path) -> None:
    """Is nothing granted by a new primary that has not got the last grant?"""
    with a_pair(tmp_path) as (one, two):
        async with SwitchingForwarder(one.port).running() as door, opened(door.url) as store:
            await store.refill(META, [])
            has_all(one)
            two.admin.replicaof("NO", "ONE")
            _, seen = await store.claim(ANNA, epoch="first", seen_grants=0)
            one.stop(kill=True)
            door.leads_to = two.port
            with pytest.raises(StoreForgot):
                await store.claim(BERT, epoch="first", seen_grants=seen)
