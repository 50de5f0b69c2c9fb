"""A key of Redis that holds another type than it should: which calls mind it, and what they say."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from store import StateStore, StoreItemUnusable, StoreMisused, Transition
from store.redis.layout import LAYOUT
from store.redis.opening import open_redis
from tests.redis_servers import RedisServer, redis_server
from tests.store_calls import ANNA, BUILD, CALLS, META, TARGET

OTHER = "mainnet-full-sync"

# Key, and all calls that mind it. No other does.
MINDED: dict[str, frozenset[str]] = {
    f"bootstrap:claims:{TARGET}": frozenset({"claimed", "claims_of", "claim", "retake", "release"}),
    "bootstrap:pending": frozenset({"pending", "claim", "settle", "retake", "release"}),
    "bootstrap:deployments": frozenset({"mirrors", "mirror"}),
    "bootstrap:deployment:bootstrap/anna": frozenset({"mirrored", "mirror"}),
    f"bootstrap:run:{TARGET}:r": frozenset({"run", "put_run"}),
    f"bootstrap:seen:{TARGET}": frozenset({"seen_builds", "note_seen"}),
    "bootstrap:history": frozenset({"history", "places", "append"}),
    f"bootstrap:history:{TARGET}": frozenset({"append"}),
    "bootstrap:transition:r.1": frozenset({"append"}),
    "bootstrap:tag:host/a:latest": frozenset({"tag"}),  # a write replaces it
    "bootstrap:builds:sha256:index": frozenset({"build", "put_build"}),
    f"bootstrap:evidence:{TARGET}:r": frozenset({"evidence", "evidence_names"}),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder: Path = tmp_path_factory.mktemp("redis")
    with redis_server(folder) as running:
        yield running


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[StateStore]:
    server.admin.flushall()
    found = open_redis(server.url)
    yield found
    await found.close()


def test_every_kind_of_key_is_here() -> None:
    """Does the table know every kind of key that there is? The mark of a refill is overwritten by
    its first step, whatever it holds.
    """
    kinds = {name.partition(":")[0] for name, _, _ in LAYOUT}
    assert {key.split(":")[1] for key in MINDED} == kinds - {"meta", "refill"}


@pytest.mark.parametrize("key", MINDED)
async def test_only_what_is_asked_there_minds_it(
    server: RedisServer, store: StateStore, key: str
) -> None:
    """Does each call that needs the key name it with the line that mends it, and no other call, and
    is the key found when it is looked for, and left as it is?
    """
    await store.refill(META, [])
    server.admin.set(key, "somebody else's")
    [told] = await store.unusable()
    also = " bootstrap:meta" if ":claims:" in key else ""
    assert f"key {key} is a string and should be a" in told
    assert f"`redis-cli DEL {key}{also}`" in told
    minded = {}
    for name, call in CALLS.items():
        if name in ("put_tag", "put_evidence"):
            continue
        try:
            await call(store)
        except StoreItemUnusable as error:
            minded[name] = str(error)
    assert minded == dict.fromkeys(MINDED[key], told)
    assert server.admin.get(key) == "somebody else's"


async def test_meta_concerns_all(server: RedisServer, store: StateStore) -> None:
    """Is the key that says whose memory it is the one that nobody can do without?"""
    server.admin.set("bootstrap:meta", "somebody else's")
    for name in ("meta", "refill", "claim"):
        with pytest.raises(StoreMisused, match="`redis-cli DEL bootstrap:meta`") as caught:
            await CALLS[name](store)
        assert not isinstance(caught.value, StoreItemUnusable)


async def test_a_refill_leaves_out_what_cannot_be_used(
    server: RedisServer, store: StateStore
) -> None:
    """Are the claims of all other targets brought where the key of one cannot be used?"""
    server.admin.set(f"bootstrap:claims:{TARGET}", "somebody else's")
    other = replace(ANNA, target=OTHER)
    assert await store.refill(META, [ANNA, other]) == META
    assert await store.claimed(OTHER, BUILD) == other


async def test_one_line_of_many_cannot_be_read(server: RedisServer, store: StateStore) -> None:
    """Is a history told whose one transition cannot be read, that one without its body?"""
    await store.append([Transition(f"r.{n}", TARGET, float(n), b"{}") for n in (1, 2, 3)])
    server.admin.delete("bootstrap:transition:r.2")
    server.admin.set("bootstrap:transition:r.2", "somebody else's")
    for target in (TARGET, None):
        found = await store.history(target)
        assert [(each.id, each.body) for each in found] == [
            ("r.3", b"{}"),
            ("r.2", b""),
            ("r.1", b"{}"),
        ]


@pytest.mark.parametrize("only", [(), ("phase",)])
async def test_one_run_of_many_cannot_be_read(
    server: RedisServer, store: StateStore, only: tuple[str, ...]
) -> None:
    """Are the other runs told where one cannot be read?"""
    await store.put_run(TARGET, "r1", {"phase": "Passed"})
    server.admin.set(f"bootstrap:run:{TARGET}:r2", "somebody else's")
    found = await store.runs(TARGET, ["r1", "r2"], only=only)
    assert found == [{"phase": "Passed"}, {}]


async def test_claims_that_cannot_be_read_are_found(server: RedisServer, store: StateStore) -> None:
    """Are values too found when somebody looks, each with its line, and nothing else?"""
    await store.refill(META, [ANNA])
    server.admin.hset(f"bootstrap:claims:{TARGET}", "sha256:other", "bert")
    server.admin.hset("bootstrap:pending", "bootstrap/bert", "{}")
    server.admin.set("another:claims:x", "not ours")
    found = await store.unusable()
    assert len(found) == 2
    assert any(f"`redis-cli HDEL bootstrap:claims:{TARGET} sha256:other`" in x for x in found)
    assert any("`redis-cli HDEL bootstrap:pending bootstrap/bert`" in x for x in found)


async def test_nothing_is_found_where_it_may_not_be_looked(
    server: RedisServer, store: StateStore
) -> None:
    """Is nothing said, and nothing raised, where SCAN is not allowed?"""
    server.admin.set("bootstrap:pending", "somebody else's")
    server.admin.execute_command("ACL", "SETUSER", "guest", "on", ">pw", "~*", "+@all", "-scan")
    guest = open_redis(f"redis://guest:pw@127.0.0.1:{server.port}")
    assert await guest.unusable() == []
    await guest.close()


async def test_an_error_in_the_handler_of_another(server: RedisServer, store: StateStore) -> None:
    """Is what fails while another failure is being handled told as itself?"""
    for key in ("bootstrap:pending", f"bootstrap:seen:{TARGET}"):
        server.admin.set(key, "somebody else's")

    async def both() -> None:
        try:
            await store.pending(ANNA.owner)
        except StoreItemUnusable:
            await store.seen_builds(TARGET)

    with pytest.raises(StoreItemUnusable, match=f"DEL bootstrap:seen:{TARGET}"):
        await both()
