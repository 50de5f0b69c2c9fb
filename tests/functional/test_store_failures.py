"""What RedisStore makes of servers that are away, silent, full, read-only, locked, or rolled back.

Not here: what every backend owes when all is well (test_store_contract.py).
"""

import asyncio
import contextlib
import shutil
import subprocess
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store import (
    Claim,
    Meta,
    StateStore,
    StoreError,
    StoreForgot,
    StoreMisused,
    StoreUnavailable,
    Transition,
    open_store,
)
from store.limits import EVIDENCE_BYTES, RUN_KEEP_SECONDS
from store.redis.opening import open_redis
from tests.flaky_proxy import FlakyProxy, silent_server
from tests.redis_servers import RedisServer, free_port, redis_server
from tests.store_calls import ANNA, BERT, BUILD, CALLS, META, TARGET, WRITES, Call

SECRET = "open:sesame/42"
SECRET_IN_URL = "open%3Asesame%2F42"
IN_TIME = 10.0  # far above the limit of any call here, far below that of the test

any_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())

# All writes but those that give something back, which a full server takes.
MORE = sorted(set(WRITES) - {"settle", "release"})
writes_more = pytest.mark.parametrize("name", MORE)


@contextlib.asynccontextmanager
async def opened(
    url: str, *, password: str | None = None, timeout: float = 5.0
) -> AsyncIterator[StateStore]:
    store = await open_store(url, password=password, timeout=timeout)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def answering(reply: bytes, *, after: float = 0.0) -> AsyncIterator[str]:
    """The URL of a server that says the same to every command, so many seconds later."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while request := await reader.read(1 << 16):
                commands = request.startswith(b"*") + request.count(b"\r\n*")
                loop.call_later(after, writer.write, reply * commands)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


# away and silent


@any_call
async def test_refused_connection(call: Call) -> None:
    """Is a server that is not there unavailable, whatever is asked, and named in the sentence?"""
    port = free_port()
    async with opened(f"redis://127.0.0.1:{port}") as store:
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}"):
            await call(store)


async def test_missing_unix_socket(tmp_path: Path) -> None:
    """Is a socket that is not there unavailable?"""
    async with opened(f"unix://{tmp_path}/none.sock") as store:
        with pytest.raises(StoreUnavailable, match=r"none\.sock"):
            await store.meta()


@any_call
@pytest.mark.jumping
async def test_silent_server_is_waited_for_no_longer_than_the_limit(
    call: Call,
) -> None:
    """Does a call end by itself, soon, if the server accepts and never answers?"""
    async with (
        silent_server() as port,
        opened(f"redis://127.0.0.1:{port}") as store,
        asyncio.timeout(IN_TIME),
    ):
        with pytest.raises(StoreUnavailable, match=r"did not answer within 5s"):
            await call(store)


@any_call
@pytest.mark.jumping
async def test_server_that_falls_silent(server: RedisServer, call: Call) -> None:
    """Does a call on a connection that worked end too, when the server answers no more?"""
    async with FlakyProxy(server.port).running() as proxy, opened(proxy.url) as store:
        await store.meta()
        proxy.fall_silent()
        async with asyncio.timeout(IN_TIME):
            with pytest.raises(StoreUnavailable, match="did not answer within 5s"):
                await call(store)


@pytest.mark.jumping
async def test_limit_is_for_a_call_and_not_for_each_of_its_round_trips() -> None:
    """Does a call of many round trips end by the limit, though each reply comes soon enough?"""
    many = [Transition(f"r.{n}", TARGET, float(n), b"{}") for n in range(5000)]
    async with answering(b":1\r\n", after=1.0) as url, opened(url) as store:
        with pytest.raises(StoreUnavailable, match="within 5s"):
            await store.append(many)


async def test_late_reply_answers_nobody_else(server: RedisServer) -> None:
    """After a call that gave up, does the next one get its own answer and not the late one?"""
    async with opened(server.url, timeout=2.0) as store:
        await store.put_run(TARGET, "one", {"n": "1"})
        await store.put_run(TARGET, "two", {"n": "2"})
        with server.standing_still(), pytest.raises(StoreUnavailable):
            await store.run(TARGET, "one")
        assert await store.run(TARGET, "two") == {"n": "2"}


@pytest.mark.parametrize("steps", [0, 1, 2, 50])
async def test_cancelled_call_passes_and_harms_nothing(server: RedisServer, steps: int) -> None:
    """Does a call end as soon as it is cancelled, while sending or waiting, and does the next one
    get its own answer?
    """
    async with opened(server.url, timeout=30.0) as store:
        await store.put_run(TARGET, "one", {"n": "1"})
        await store.put_run(TARGET, "two", {"n": "2"})
        with server.standing_still():
            asking = asyncio.create_task(store.run(TARGET, "one"))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking}, timeout=IN_TIME)
            assert asking.cancelled()
        assert await store.run(TARGET, "two") == {"n": "2"}


async def test_store_works_again_after_an_outage(server: RedisServer) -> None:
    """Does the same store go on when the server is back, without being opened again?"""
    async with opened(server.url) as store:
        await store.meta()
        server.stop()
        with pytest.raises(StoreUnavailable):
            await store.meta()
        server.start()
        assert await store.meta() is None


# lost replies


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_claim_whose_replies_are_lost_is_one_grant(server: RedisServer, lost: int) -> None:
    """Is a claim that the server executed again and again granted, and counted, once?"""
    async with FlakyProxy(server.port).running() as proxy, opened(proxy.url) as store:
        await store.refill(META, [])
        proxy.lose_next_replies(lost)
        assert await store.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)
        assert proxy.lost == lost


async def test_claim_whose_replies_are_all_lost_is_found_again(server: RedisServer) -> None:
    """Does an owner who never heard of its grant find it when it asks again?"""
    async with FlakyProxy(server.port).running() as proxy, opened(proxy.url) as store:
        await store.refill(META, [])
        proxy.lose_next_replies(1000)
        with pytest.raises(StoreUnavailable):
            await store.claim(ANNA, epoch="first", seen_grants=0)
        proxy.lose_next_replies(0)
        later = Claim(TARGET, BUILD, "20261124t060000z-1a1a1a1a", ANNA.owner)
        assert await store.claim(later, epoch="first", seen_grants=0) == (ANNA, 1)
        assert await store.pending(ANNA.owner) == ANNA


async def test_two_controllers_claim_through_lost_replies(server: RedisServer) -> None:
    """Do two controllers, one of which hears nothing at first, agree on who has the build?"""
    async with (
        FlakyProxy(server.port).running() as proxy,
        opened(proxy.url) as one,
        opened(server.url) as two,
    ):
        await one.refill(META, [])
        proxy.lose_first_replies()
        answers = await asyncio.gather(
            one.claim(ANNA, epoch="first", seen_grants=0),
            two.claim(BERT, epoch="first", seen_grants=0),
        )
        assert answers[0] == answers[1]


# full and read-only


@writes_more
async def test_full_server_writes_nothing(server: RedisServer, name: str) -> None:
    """Is a full server unavailable, says the sentence so, and is nothing half written?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        before = sorted(server.admin.keys())
        server.admin.config_set("maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="out of memory"):
            await CALLS[name](store)
        assert sorted(server.admin.keys()) == before
        assert await store.meta() == META


async def test_full_server_refuses_evidence_whole(server: RedisServer) -> None:
    """Is evidence for which there is no room refused, all of its parts, and what was kept there
    left alone, so that small writes go on?
    """
    half = b"x" * (EVIDENCE_BYTES // 2 - 1)
    async with opened(server.url) as store:
        await store.put_evidence(TARGET, "r", {"node.log": b"kept"}, keep_seconds=60)
        keys, used = sorted(server.admin.keys()), server.admin.info("memory")["used_memory"]
        server.admin.config_set("maxmemory", used + EVIDENCE_BYTES // 2)
        for run in ("r", "s"):
            with pytest.raises(StoreUnavailable, match="out of memory"):
                await store.put_evidence(
                    TARGET, run, {"events": b"[]", "a": half, "b": half}, keep_seconds=60
                )
        assert sorted(server.admin.keys()) == keys
        assert await store.evidence(TARGET, "r") == {"node.log": b"kept"}
        assert await store.evidence(TARGET, "s") == {}
        await store.refill(META, [ANNA])
        assert await store.claimed(TARGET, BUILD) == ANNA


async def test_full_server_takes_claims_back(server: RedisServer) -> None:
    """Can a claim be given back to a full server, and everything be read?"""
    async with opened(server.url) as store:
        await store.refill(META, [ANNA])
        server.admin.config_set("maxmemory", 1)
        assert await store.claimed(TARGET, BUILD) == ANNA
        await store.release(ANNA)
        assert await store.claimed(TARGET, BUILD) is None


@writes_more
async def test_read_only_replica(server: RedisServer, name: str) -> None:
    """Is a replica unavailable for writing, says the sentence so, and does it still answer?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        server.admin.replicaof("127.0.0.1", free_port())
        with pytest.raises(StoreUnavailable, match="read-only replica"):
            await CALLS[name](store)
        assert await store.meta() == META


async def test_replica_that_serves_nothing(server: RedisServer) -> None:
    """Is a replica whose primary is away, and that serves nothing stale, unavailable?"""
    server.admin.config_set("replica-serve-stale-data", "no")
    server.admin.replicaof("127.0.0.1", free_port())
    async with opened(server.url) as store:
        with pytest.raises(StoreUnavailable, match="primary is away"):
            await store.meta()


# passwords, rights, and what else a person must mend


async def test_wrong_password(tmp_path: Path) -> None:
    """Is a wrong password something that a person must mend?"""
    with redis_server(tmp_path, password="right") as server:
        async with opened(server.url, password="wrong") as store:
            with pytest.raises(StoreMisused, match="refuses the user or password"):
                await store.meta()


async def test_missing_password(tmp_path: Path) -> None:
    """Does the sentence say that a password is missing?"""
    with redis_server(tmp_path, password="right") as server:
        async with opened(server.url) as store:
            with pytest.raises(StoreMisused, match="wants a password, and none was given"):
                await store.meta()


async def test_password_where_none_is_set(server: RedisServer) -> None:
    """Does the sentence say that the server has no password?"""
    async with opened(server.url, password="spare") as store:
        with pytest.raises(StoreMisused, match="has no password set"):
            await store.meta()


@pytest.mark.parametrize("url", ["redis://:{}@127.0.0.1:{}/0", "redis://default:{}@127.0.0.1:{}"])
async def test_right_password_in_url(tmp_path: Path, url: str) -> None:
    """Is a password with characters that a URL reserves used as it was meant?"""
    with redis_server(tmp_path, password=SECRET) as server:
        async with opened(url.format(SECRET_IN_URL, server.port)) as store:
            assert await store.meta() is None


async def test_right_password_beside_url(tmp_path: Path) -> None:
    """Is a password that was given beside the URL taken as it is, not percent-decoded?"""
    with redis_server(tmp_path, password="a%41b") as server:
        async with opened(server.url, password="a%41b") as store:
            assert await store.meta() is None


@pytest.mark.parametrize("name", ["meta", "claim", "append"])
async def test_user_without_rights(server: RedisServer, name: str) -> None:
    """Is a user whose ACL does not reach our keys something that a person must mend?"""
    server.admin.execute_command("ACL", "SETUSER", "guest", "on", ">pw", "~other:*", "+@all")
    async with opened(f"redis://guest:pw@127.0.0.1:{server.port}") as store:
        with pytest.raises(StoreMisused, match="ACL"):
            await CALLS[name](store)


async def test_user_without_right_to_write(server: RedisServer) -> None:
    """Is it told from an outage that a user may run scripts, but not the commands in them?"""
    rights = ["~*", "+@all", "-hset"]
    server.admin.execute_command("ACL", "SETUSER", "guest", "on", ">pw", *rights)
    async with opened(f"redis://guest:pw@127.0.0.1:{server.port}") as store:
        with pytest.raises(StoreMisused, match="ACL"):
            await store.refill(META, [])


async def test_database_that_does_not_exist(server: RedisServer) -> None:
    """Does the sentence say that the number of the database is too high?"""
    async with opened(f"redis://127.0.0.1:{server.port}/99") as store:
        with pytest.raises(StoreMisused, match="no database of that number"):
            await store.meta()


@pytest.mark.parametrize("name", ["meta", "refill", "claim", "append"])
async def test_keys_of_another_type(server: RedisServer, name: str) -> None:
    """Is a prefix that something else uses told as such?"""
    keys = ["bootstrap:meta", "bootstrap:history", f"bootstrap:claims:{TARGET}"]
    async with opened(server.url) as store:
        if name == "claim":
            await store.refill(META, [])
            keys = keys[2:]
        for key in keys:
            server.admin.set(key, "something else")
        with pytest.raises(StoreMisused, match="redis-cli DEL"):
            await CALLS[name](store)


@pytest.mark.parametrize(
    "value",
    ["anna", "", "[]", '{"run":1,"owner":["x"]}', '{"run":"\\ud800","owner":"a/b"}', "[" * 70_000],
    ids=["word", "empty", "list", "types", "half-a-surrogate", "nested"],
)
async def test_unreadable_claim_is_not_free(server: RedisServer, value: str) -> None:
    """Is a claim that somebody wrote by hand, wrongly, told and not overwritten?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        server.admin.hset(f"bootstrap:claims:{TARGET}", BUILD, value)
        taken, _ = await store.claim(ANNA, epoch="first", seen_grants=0)
        assert taken == await store.claimed(TARGET, BUILD)
        assert (taken.run, taken.owner) == ("", "")
        assert f"`redis-cli HDEL bootstrap:claims:{TARGET} {BUILD}`" in taken.unreadable
        assert server.admin.hget(f"bootstrap:claims:{TARGET}", BUILD) == value


async def test_unreadable_claim_is_not_left_out(server: RedisServer) -> None:
    """Is it told, and not counted as untested, where all claims of a target are asked for?"""
    async with opened(server.url) as store:
        await store.refill(META, [ANNA])
        server.admin.hset(f"bootstrap:claims:{TARGET}", "sha256:other", "bert")
        spoilt, anna = await store.claims_of(TARGET)
        assert anna == ANNA
        assert spoilt.build == "sha256:other"
        assert "HDEL" in spoilt.unreadable


async def test_unreadable_pending_claim(server: RedisServer) -> None:
    """Is a pending claim that cannot be read told, and not taken for none?"""
    async with opened(server.url) as store:
        server.admin.hset("bootstrap:pending", ANNA.owner, "[]")
        with pytest.raises(StoreMisused, match="HDEL"):
            await store.pending(ANNA.owner)


@pytest.mark.parametrize("fields", [{"epoch": "e"}, {"schema": "x", "epoch": "e", "grants": "0"}])
async def test_unreadable_meta(server: RedisServer, fields: dict[str, str]) -> None:
    """Is a meta hash that is not ours told as such?"""
    async with opened(server.url) as store:
        server.admin.hset("bootstrap:meta", mapping=fields)
        with pytest.raises(StoreMisused, match="meta hash"):
            await store.meta()


async def test_newer_schema_is_left_alone(server: RedisServer) -> None:
    """Is a store of a newer version neither read nor taken over?"""
    newer = {"schema": "2", "epoch": "e", "grants": "7", "cluster": "c"}
    async with opened(server.url) as store:
        server.admin.hset("bootstrap:meta", mapping=newer)
        for call in (store.meta(), store.refill(META, [ANNA])):
            with pytest.raises(StoreMisused, match="newer version"):
                await call
        assert server.admin.hgetall("bootstrap:meta") == newer
        assert server.admin.keys() == ["bootstrap:meta"]


async def test_store_without_cluster_can_be_adopted(server: RedisServer) -> None:
    """Does a store whose cluster a person has deleted say that it is nobody's?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        server.admin.hdel("bootstrap:meta", "cluster")
        assert await store.meta() == Meta(schema=1, epoch="first", grants=0, cluster="")


@pytest.mark.parametrize(
    ("reply", "kind", "sentence"),
    [
        (b"-LOADING Redis is loading the dataset in memory", StoreUnavailable, "loading"),
        (b"-BUSY Redis is busy running a script.", StoreUnavailable, "busy"),
        (b"-MISCONF Redis is configured to save RDB snapshots", StoreUnavailable, "disk"),
        (b"-NOREPLICAS Not enough good replicas to write.", StoreUnavailable, "replicas"),
        (b"-CLUSTERDOWN The cluster is down", StoreMisused, "Redis Cluster, which is not"),
        (b"-TRYAGAIN Multiple keys request during rehashing", StoreMisused, "Redis Cluster"),
        (b"-MASTERDOWN Link with MASTER is down", StoreUnavailable, "primary is away"),
        (b"-READONLY You can't write against a read only replica.", StoreUnavailable, "replica"),
        (b"-OOM command not allowed when used memory", StoreUnavailable, "out of memory"),
        (b"-ERR max number of clients reached", StoreUnavailable, "max number of clients"),
        (b"-ERR upstream of some proxy is away", StoreUnavailable, "upstream"),
        (b"-MOVED 3999 127.0.0.1:6381", StoreMisused, "Cluster"),
        (b"-CROSSSLOT Keys in request don't hash to the same slot", StoreMisused, "Cluster"),
        (b"HTTP/1.1 400 Bad Request", StoreMisused, "does not speak the protocol"),
    ],
)
@pytest.mark.jumping
async def test_what_servers_say(reply: bytes, kind: type[StoreError], sentence: str) -> None:
    """Is each thing that a server can say told as passing, or as something to mend?"""
    async with answering(reply + b"\r\n") as url, opened(url) as store:
        with pytest.raises(kind, match=sentence):
            await store.meta()


@pytest.mark.jumping
async def test_sentences_are_one_short_line() -> None:
    """Is what a server says shown without control characters, and cut?"""
    async with (
        answering(b"-ERR \x1b[31m" + b"long " * 1000 + b"\r\n") as url,
        opened(url) as store,
    ):
        with pytest.raises(StoreUnavailable) as caught:
            await store.meta()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


# secrets


def told(error: BaseException, store: StateStore) -> str:
    """Everything that a log could show of a failure."""
    shown = ["".join(traceback.format_exception(error)), repr(error), repr(store), str(store)]
    chained = [error.__context__, error.__cause__]
    return " ".join([*shown, *map(repr, chained), *map(str, chained)])


async def test_password_is_never_told(tmp_path: Path) -> None:
    """Is the password in no sentence, traceback or repr: away, refused, or refused by ACL?"""
    with redis_server(tmp_path, password="right") as server:
        urls = [
            f"redis://anna:{SECRET_IN_URL}@127.0.0.1:{free_port()}",
            f"redis://anna:{SECRET_IN_URL}@127.0.0.1:{server.port}",
        ]
        for url in urls:
            async with opened(url) as store:
                with pytest.raises(StoreError) as caught:
                    await store.meta()
                assert SECRET not in told(caught.value, store)
                assert SECRET_IN_URL not in told(caught.value, store)


@pytest.mark.jumping
async def test_password_is_not_told_where_the_server_quotes_it() -> None:
    """Is it not told even where a server that does not know AUTH repeats its arguments?"""
    reply = f"-ERR unknown command 'AUTH', with args beginning with: '{SECRET}'\r\n".encode()
    async with answering(reply) as url, opened(url, password=SECRET) as store:
        with pytest.raises(StoreError, match=r"\*\*\*") as caught:
            await store.meta()
        assert SECRET not in told(caught.value, store)


# a store that forgets


async def test_emptied_store_is_recognised(server: RedisServer) -> None:
    """Does an emptied store grant nothing until it is refilled?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        await store.claim(ANNA, epoch="first", seen_grants=0)
        server.admin.flushall()
        with pytest.raises(StoreForgot):
            await store.claim(BERT, epoch="first", seen_grants=1)
        assert await store.meta() is None
        assert server.admin.keys() == []


async def test_store_restored_from_an_older_dump_is_recognised(server: RedisServer) -> None:
    """Does a server that crashed and came back with an older dump grant nothing?"""
    async with opened(server.url) as store:
        await store.refill(META, [])
        server.admin.save()
        _, seen = await store.claim(ANNA, epoch="first", seen_grants=0)
        server.stop(kill=True)
        server.start()
        with pytest.raises(StoreForgot):
            await store.claim(BERT, epoch="first", seen_grants=seen)
        assert await store.claimed(TARGET, BUILD) is None
        assert await store.meta() == META


# how the server is set up


async def test_warns_of_eviction_and_of_no_persistence(server: RedisServer) -> None:
    """Is a server that may throw claims away, or keeps nothing, told before it does?"""
    server.admin.config_set("maxmemory-policy", "allkeys-lru")
    async with opened(server.url) as store:
        eviction, persistence = await store.inspect()
    assert "noeviction" in eviction
    assert "appendonly" in persistence


@pytest.mark.parametrize("setting", [("appendonly", "yes"), ("save", "3600 1")])
async def test_no_warning_of_a_good_setup(server: RedisServer, setting: tuple[str, str]) -> None:
    """Is nothing said of a server that keeps what it is told, either way?"""
    server.admin.config_set(*setting)
    async with opened(server.url) as store:
        assert await store.inspect() == []


async def test_no_warning_where_settings_are_hidden(server: RedisServer) -> None:
    """Is nothing said, and nothing raised, where CONFIG is not allowed?"""
    rights = ["~*", "+@all", "-config"]
    server.admin.execute_command("ACL", "SETUSER", "guest", "on", ">pw", *rights)
    async with opened(f"redis://guest:pw@127.0.0.1:{server.port}") as store:
        assert await store.inspect() == []


async def test_evidence_has_an_end_in_redis(server: RedisServer) -> None:
    """Does evidence expire by itself, also when it is replaced, with nothing left of no parts?"""
    async with opened(server.url) as store:
        await store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=60)
        await store.put_evidence(TARGET, "r", {"a": b"2"}, keep_seconds=60)
        assert 0 < server.admin.pttl(f"bootstrap:evidence:{TARGET}:r") <= 60_000
        await store.put_evidence(TARGET, "r", {}, keep_seconds=60)
        assert server.admin.keys() == []


async def test_run_has_an_end_in_redis(server: RedisServer) -> None:
    """Does a run that nobody writes to expire, and does each write put that off again?"""
    key = f"bootstrap:run:{TARGET}:r"
    async with opened(server.url) as store:
        await store.put_run(TARGET, "r", {"phase": "Starting"})
        assert RUN_KEEP_SECONDS - 60 < server.admin.ttl(key) <= RUN_KEEP_SECONDS
        server.admin.expire(key, 30)
        await store.put_run(TARGET, "r", {})
        assert server.admin.ttl(key) <= 30
        await store.put_run(TARGET, "r", {"observed": "600"})
        assert server.admin.ttl(key) > RUN_KEEP_SECONDS - 60
        assert await store.run(TARGET, "r") == {"phase": "Starting", "observed": "600"}


async def test_claims_and_seen_builds_have_no_end_in_redis(server: RedisServer) -> None:
    """Is what says that a build was tested, or seen, kept for ever?"""
    async with opened(server.url) as store:
        await store.refill(META, [ANNA])
        await store.note_seen(TARGET, BUILD, at=1.0)
    keys = server.admin.keys()
    assert len(keys) == 3
    assert {server.admin.ttl(key) for key in keys} == {-1}


async def test_trimmed_history_leaves_no_bodies(server: RedisServer) -> None:
    """Do the bodies of what was trimmed from history go with it?"""
    store = open_redis(server.url, history_bound=5)
    await store.append([Transition(f"r.{n}", TARGET, float(n), b"{}") for n in range(8)])
    await store.close()
    bodies = [f"bootstrap:transition:r.{n}" for n in range(3, 8)]
    histories = ["bootstrap:history", f"bootstrap:history:{TARGET}"]
    assert sorted(server.admin.keys()) == sorted(histories + bodies)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem and cert.pem of a server at 127.0.0.1 that nobody trusts yet."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is missing: install it to test TLS")
    folder = tmp_path_factory.mktemp("tls")
    words = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=redis -keyout key.pem -out cert.pem"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *words.split(), *names], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_port(tmp_path: Path, certificate: Path) -> Iterator[int]:
    port = free_port()
    config = [
        f"tls-port {port}",
        f"tls-cert-file {certificate}/cert.pem",
        f"tls-key-file {certificate}/key.pem",
        "tls-auth-clients no",
    ]
    try:
        with redis_server(tmp_path, config) as server:
            yield port if server else 0
    except RuntimeError as exc:
        if "tls" not in str(exc):
            raise
        pytest.skip("this redis-server is built without TLS: install a distribution's")


async def test_tls_with_a_trusted_authority(tls_port: int, certificate: Path) -> None:
    """Does rediss:// work with the authority that the URL names?"""
    url = f"rediss://127.0.0.1:{tls_port}?ssl_ca_certs={certificate}/cert.pem"
    async with opened(url) as store:
        assert await store.meta() is None


async def test_tls_with_an_unknown_authority(tls_port: int) -> None:
    """Is a certificate that nobody vouches for refused, and is what to write said?"""
    async with opened(f"rediss://127.0.0.1:{tls_port}") as store:
        with pytest.raises(StoreMisused, match="ssl_ca_certs"):
            await store.meta()


async def test_tls_for_another_host(tls_port: int, certificate: Path) -> None:
    """Is a certificate for another name refused?"""
    url = f"rediss://localhost:{tls_port}?ssl_ca_certs={certificate}/cert.pem"
    async with opened(url) as store:
        with pytest.raises(StoreMisused, match="certificate"):
            await store.meta()


async def test_tls_to_a_server_without(server: RedisServer) -> None:
    """Does a call end in time where TLS is spoken to a server that waits for something else?"""
    async with opened(f"rediss://127.0.0.1:{server.port}", timeout=0.2) as store:
        with pytest.raises(StoreUnavailable):
            await store.meta()
