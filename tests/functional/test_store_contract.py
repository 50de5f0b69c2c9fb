"""What every StateStore owes, asked of each backend: memory, memory behind a store that passes on,
fakeredis, and a real redis-server, over TCP, over a unix socket with RESP3, and behind a proxy that
loses the first reply to everything, so that each command is executed twice.

Not here: what a server can do wrong (test_store_failures.py), URLs (test_store_opening.py), and
what stores before another one change (test_store_passing.py).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import fakeredis
import pytest

from store import (
    Claim,
    MemoryStore,
    Meta,
    PassingStore,
    Place,
    SeenBuild,
    StateStore,
    StoreForgot,
    StoreMisused,
    Transition,
)
from store.limits import BODY_BYTES, EVIDENCE_BYTES, RUNS_AT_ONCE
from store.redis.errors import Calls
from store.redis.opening import open_redis
from store.redis.store import RedisStore
from tests.flaky_proxy import FlakyProxy
from tests.redis_servers import RedisServer, redis_server

TARGET = "fuji-c-chain-state-sync"
OTHER_TARGET = "mainnet-full-sync"
BUILD = "sha256:" + "1a" * 32
OTHER_BUILD = "sha256:" + "2b" * 32
ANNA = Claim(TARGET, BUILD, "20261123t060000z-1a1a1a1a", "bootstrap/anna")
BERT = Claim(TARGET, BUILD, "20261123t060001z-1a1a1a1a", "bootstrap/bert")
META = Meta(schema=1, epoch="first", grants=0, cluster="c1")
SECOND = Meta(schema=1, epoch="second", grants=0, cluster="c1")
BOUND = 5  # of history, and of seen builds, in these tests

BACKENDS = ["memory", "passing", "fakeredis", "redis", "redis-unix-resp3", "redis-flaky"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder: Path = tmp_path_factory.mktemp("redis")
    with redis_server(folder) as running:
        yield running


async def opened(backend: str, request: pytest.FixtureRequest, stack: AsyncExitStack) -> StateStore:
    if backend == "memory":
        return MemoryStore(history_bound=BOUND, seen_bound=BOUND)
    if backend == "passing":
        return PassingStore(MemoryStore(history_bound=BOUND, seen_bound=BOUND))
    if backend == "fakeredis":
        client = fakeredis.FakeAsyncRedis(server=fakeredis.FakeServer(), encoding_errors="replace")
        calls = Calls("fakeredis", 5.0)
        return RedisStore(client, calls, history_bound=BOUND, seen_bound=BOUND)
    server: RedisServer = request.getfixturevalue("server")
    server.admin.flushall()
    url = server.url
    if backend == "redis-unix-resp3":
        url = server.unix_url + "&protocol=3"
    if backend == "redis-flaky":
        proxy = await stack.enter_async_context(FlakyProxy(server.port).running())
        proxy.lose_first_replies()
        url = proxy.url
    return open_redis(url, history_bound=BOUND, seen_bound=BOUND)


@pytest.fixture(params=BACKENDS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    async with AsyncExitStack() as stack:
        store = await opened(request.param, request, stack)
        stack.push_async_callback(store.close)
        yield store


@pytest.fixture
async def filled(store: StateStore) -> StateStore:
    """A store that has been refilled with no claims, and grants."""
    await store.refill(META, [])
    return store


def transition(number: int, at: float, *, target: str = TARGET, body: bytes = b"{}") -> Transition:
    return Transition(f"20261123t060000z-1a1a1a1a.{number}", target, at, body)


# meta and refill


async def test_empty_store_has_no_meta(store: StateStore) -> None:
    """Does an empty store say that it is empty?"""
    assert await store.meta() is None


async def test_refill_writes_meta(store: StateStore) -> None:
    """Does the store tell afterwards what it was refilled as, with the grants at zero?"""
    stands = await store.refill(Meta(schema=1, epoch="e", grants=17, cluster="c"), [])
    assert stands == Meta(schema=1, epoch="e", grants=0, cluster="c")
    assert await store.meta() == stands


async def test_refill_adds_claims_that_are_missing(store: StateStore) -> None:
    """Do the claims of a refill stand, on each of their targets?"""
    other = Claim(OTHER_TARGET, OTHER_BUILD, "r", "bootstrap/cleo")
    await store.refill(META, [ANNA, other])
    assert await store.claimed(TARGET, BUILD) == ANNA
    assert await store.claimed(OTHER_TARGET, OTHER_BUILD) == other


async def test_refill_replaces_no_claim(filled: StateStore) -> None:
    """Does a claim that stands outlive a refill that says something else?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.refill(SECOND, [BERT])
    assert await filled.claimed(TARGET, BUILD) == ANNA


@pytest.mark.parametrize("epoch", ["first", "second"])
@pytest.mark.parametrize("instead_of", [None, "", "elsewhen"])
async def test_refill_joins(filled: StateStore, epoch: str, instead_of: str | None) -> None:
    """Does whoever comes join those who are there, with the epoch and grants that stand?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    other = Claim(OTHER_TARGET, OTHER_BUILD, "r", "bootstrap/cleo")
    stands = await filled.refill(replace(META, epoch=epoch), [other], instead_of=instead_of)
    assert stands == replace(META, grants=1)
    assert await filled.meta() == stands
    assert await filled.claimed(OTHER_TARGET, OTHER_BUILD) == other
    assert await filled.claim(ANNA, epoch="first", seen_grants=1) == (ANNA, 1)


async def test_refill_replaces_an_epoch_that_was_rolled_back(filled: StateStore) -> None:
    """Do the grants begin anew with a new epoch, and may the others not go by the old one?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    assert await filled.refill(SECOND, [], instead_of="first") == SECOND
    assert await filled.meta() == SECOND
    assert await filled.claimed(TARGET, BUILD) == ANNA
    with pytest.raises(StoreForgot):
        await filled.claim(ANNA, epoch="first", seen_grants=1)


async def test_refill_that_replaces_is_safe_to_repeat(filled: StateStore) -> None:
    """Does a refill that arrives twice leave alone what was granted since the first?"""
    await filled.refill(SECOND, [], instead_of="first")
    await filled.claim(ANNA, epoch="second", seen_grants=0)
    assert await filled.refill(SECOND, [], instead_of="first") == replace(SECOND, grants=1)


async def test_one_of_many_replaces_an_epoch(filled: StateStore) -> None:
    """Do all who find a store rolled back end in one epoch, whoever comes first?"""
    metas = [replace(META, epoch=f"of {n}") for n in range(8)]
    stands = await asyncio.gather(*(filled.refill(m, [], instead_of="first") for m in metas))
    assert set(stands) == {await filled.meta()}
    assert stands[0] in metas


async def test_one_of_many_refills_an_empty_store(store: StateStore) -> None:
    """Do all who find a store empty end in one epoch, with the claims of each?"""
    metas = [replace(META, epoch=f"of {n}") for n in range(8)]
    claims = [Claim(TARGET, f"sha256:{n:064x}", f"run-{n}", f"ns/{n}") for n in range(8)]
    stands = await asyncio.gather(
        *(store.refill(m, [c]) for m, c in zip(metas, claims, strict=True))
    )
    assert set(stands) == {await store.meta()}
    assert await store.claims_of(TARGET) == claims


async def test_refill_leaves_the_memory_of_another_cluster_alone(filled: StateStore) -> None:
    """Is nothing written to another cluster's store, whatever is to be replaced there?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    theirs = Claim(OTHER_TARGET, OTHER_BUILD, "r", "bootstrap/cleo")
    for instead_of in (None, "first"):
        with pytest.raises(StoreMisused, match=r"another cluster \(c1\)"):
            await filled.refill(replace(SECOND, cluster="c2"), [theirs], instead_of=instead_of)
    assert await filled.meta() == replace(META, grants=1)
    assert await filled.claimed(OTHER_TARGET, OTHER_BUILD) is None


async def test_a_store_of_no_cluster_is_adopted(store: StateStore) -> None:
    """Does a cluster that adopts a store begin an epoch of its own, once, and keep the claims?"""
    await store.refill(replace(META, cluster=""), [ANNA])
    assert await store.refill(SECOND, []) == SECOND
    await store.claim(replace(BERT, build=OTHER_BUILD), epoch="second", seen_grants=0)
    assert await store.refill(SECOND, []) == replace(SECOND, grants=1)
    assert await store.claimed(TARGET, BUILD) == ANNA


async def test_refill_of_many_claims(store: StateStore) -> None:
    """Can a store be refilled with as many claims as years of testing leave?"""
    claims = [
        Claim(f"target-{n % 20}", f"sha256:{n:064x}", f"run-{n}", "ns/a") for n in range(3000)
    ]
    await store.refill(META, claims)
    assert await store.claimed("target-19", f"sha256:{2999:064x}") == claims[2999]


# claims


async def test_claim_is_granted(filled: StateStore) -> None:
    """Is a build that nobody has claimed granted, and counted?"""
    assert await filled.claim(ANNA, epoch="first", seen_grants=0) == (ANNA, 1)
    assert await filled.claimed(TARGET, BUILD) == ANNA


async def test_claim_of_another_stands(filled: StateStore) -> None:
    """Does whoever comes second get to know who was first, without a grant?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    assert await filled.claim(BERT, epoch="first", seen_grants=1) == (ANNA, 1)


async def test_claim_sent_twice_is_one_grant(filled: StateStore) -> None:
    """Is the same wish, sent again, answered the same and counted once?"""
    first = await filled.claim(ANNA, epoch="first", seen_grants=0)
    assert await filled.claim(ANNA, epoch="first", seen_grants=1) == first == (ANNA, 1)


async def test_same_owner_finds_its_earlier_claim(filled: StateStore) -> None:
    """Does an owner who forgot its run id get the first one back, and not a second claim?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    later = Claim(TARGET, BUILD, "20261123t070000z-1a1a1a1a", ANNA.owner)
    assert await filled.claim(later, epoch="first", seen_grants=1) == (ANNA, 1)


async def test_claim_counts_each_grant(filled: StateStore) -> None:
    """Are grants counted over all targets?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    other = Claim(OTHER_TARGET, BUILD, "r", "bootstrap/cleo")
    assert await filled.claim(other, epoch="first", seen_grants=1) == (other, 2)


async def test_own_claim_is_replaced_instead_of_its_run(filled: StateStore) -> None:
    """May an owner put a new run in the place of its own earlier one?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    again = Claim(TARGET, BUILD, "20261124t060000z-1a1a1a1a", ANNA.owner)
    granted = await filled.claim(again, epoch="first", seen_grants=1, instead_of=ANNA.run)
    assert granted == (again, 2)


async def test_claim_instead_of_sent_twice_is_one_grant(filled: StateStore) -> None:
    """Is a replacement, sent again, counted once?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    again = Claim(TARGET, BUILD, "20261124t060000z-1a1a1a1a", ANNA.owner)
    for _ in range(2):
        granted = await filled.claim(again, epoch="first", seen_grants=1, instead_of=ANNA.run)
        assert granted == (again, 2)


async def test_claim_instead_of_another_run_is_refused(filled: StateStore) -> None:
    """Does an owner's claim stand if it is for another run than the caller believes?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    again = Claim(TARGET, BUILD, "20261124t060000z-1a1a1a1a", ANNA.owner)
    granted = await filled.claim(again, epoch="first", seen_grants=1, instead_of="elsewhen")
    assert granted == (ANNA, 1)


async def test_claim_instead_of_a_run_of_another_is_refused(filled: StateStore) -> None:
    """Does nobody replace another owner's claim by knowing its run?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    granted = await filled.claim(BERT, epoch="first", seen_grants=1, instead_of=ANNA.run)
    assert granted == (ANNA, 1)


async def test_claim_instead_of_where_none_stands(filled: StateStore) -> None:
    """Is a build without a claim granted, whatever it should have replaced?"""
    granted = await filled.claim(ANNA, epoch="first", seen_grants=0, instead_of="elsewhen")
    assert granted == (ANNA, 1)


async def test_claim_instead_of_its_own_run_is_no_new_grant(filled: StateStore) -> None:
    """Does a claim that would replace itself change nothing?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    granted = await filled.claim(ANNA, epoch="first", seen_grants=1, instead_of=ANNA.run)
    assert granted == (ANNA, 1)


async def test_retake_replaces_whoever_owns_the_run(filled: StateStore) -> None:
    """Can a person's wish for another attempt move a claim to another owner?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    granted = await filled.retake(BERT, epoch="first", seen_grants=1, instead_of=ANNA.run)
    assert granted == (BERT, 2)
    assert await filled.claimed(TARGET, BUILD) == BERT


async def test_retake_sent_twice_is_one_grant(filled: StateStore) -> None:
    """Is a retake, sent again, counted once?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    for _ in range(2):
        granted = await filled.retake(BERT, epoch="first", seen_grants=1, instead_of=ANNA.run)
        assert granted == (BERT, 2)


async def test_retake_of_another_run_is_refused(filled: StateStore) -> None:
    """Does a claim stand that is not of the run to be retaken, even if the name begins alike?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    granted = await filled.retake(BERT, epoch="first", seen_grants=1, instead_of=ANNA.run[:-1])
    assert granted == (ANNA, 1)


@pytest.mark.parametrize("by_person", [False, True])
async def test_claim_beside_another_pending_claim_is_refused(
    filled: StateStore, by_person: bool
) -> None:
    """Is a claim decided by what was pending refused when that is another one, and only then?"""
    first = replace(BERT, build=OTHER_BUILD)
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.claim(first, epoch="first", seen_grants=1)

    async def ask(beside: str | None) -> tuple[Claim, int]:
        if by_person:
            return await filled.retake(
                BERT, epoch="first", seen_grants=2, instead_of=ANNA.run, beside=beside
            )
        again = replace(BERT, target=OTHER_TARGET)
        return await filled.claim(again, epoch="first", seen_grants=2, beside=beside)

    for another in ("", "elsewhen", first.run[1:]):
        assert await ask(another) == (first, 2)
    assert await filled.pending(BERT.owner) == first
    assert await filled.claimed(TARGET, BUILD) == ANNA
    assert await filled.claimed(OTHER_TARGET, BUILD) is None
    granted, grants = await ask(first.run)
    assert (granted.owner, grants) == (BERT.owner, 3)
    assert await filled.pending(BERT.owner) == granted
    assert await ask("") == (granted, 3)  # the reply was lost: it stands


async def test_claim_beside_none_where_none_is_pending(filled: StateStore) -> None:
    """Is a claim granted where nothing is pending, whatever the caller thought?"""
    for beside in ("", "elsewhen"):
        claim = replace(ANNA, build=f"{BUILD}{beside}")
        granted, _ = await filled.claim(claim, epoch="first", seen_grants=0, beside=beside)
        assert granted == claim
        await filled.settle(claim)


async def test_claim_without_refill_is_refused(store: StateStore) -> None:
    """Does an empty store grant nothing?"""
    with pytest.raises(StoreForgot):
        await store.claim(ANNA, epoch="first", seen_grants=0)
    assert await store.claimed(TARGET, BUILD) is None


async def test_claim_of_another_epoch_is_refused(filled: StateStore) -> None:
    """Is nothing granted, and nothing written, to a caller of another epoch?"""
    with pytest.raises(StoreForgot):
        await filled.claim(ANNA, epoch="second", seen_grants=0)
    assert await filled.claimed(TARGET, BUILD) is None
    assert await filled.pending(ANNA.owner) is None
    assert await filled.meta() == META


async def test_claim_that_remembers_more_grants_is_refused(filled: StateStore) -> None:
    """Is a store that was rolled back (fewer grants than seen) recognised before it grants?"""
    with pytest.raises(StoreForgot):
        await filled.claim(ANNA, epoch="first", seen_grants=1)
    assert await filled.claimed(TARGET, BUILD) is None


async def test_retake_of_another_epoch_is_refused(filled: StateStore) -> None:
    """Does a retake believe a foreign or rolled back store no more than a claim does?"""
    for epoch, seen in (("second", 0), ("first", 1)):
        with pytest.raises(StoreForgot):
            await filled.retake(BERT, epoch=epoch, seen_grants=seen, instead_of=ANNA.run)
    assert await filled.claimed(TARGET, BUILD) is None


async def test_one_of_many_is_granted(filled: StateStore) -> None:
    """Of fifty callers at once, is exactly one granted, and do all hear of the same one?"""
    wishes = [Claim(TARGET, BUILD, f"run-{n}", f"bootstrap/node-{n}") for n in range(50)]
    answers = await asyncio.gather(
        *(filled.claim(wish, epoch="first", seen_grants=0) for wish in wishes)
    )
    assert len({standing for standing, _ in answers}) == 1
    assert {grants for _, grants in answers} == {1}


async def test_names_that_need_quoting(filled: StateStore) -> None:
    """Do quotes, backslashes and letters beyond ASCII in names come back as they were?"""
    odd = Claim(TARGET, 'b"\\', "run'\\\"é", "näme/ sp'ace")
    assert await filled.claim(odd, epoch="first", seen_grants=0) == (odd, 1)
    assert await filled.claimed(TARGET, odd.build) == odd
    assert await filled.pending(odd.owner) == odd


@pytest.mark.parametrize("target", ["", "-", "with space", "a:b", "new\nline"])
async def test_target_that_is_no_slug_is_refused(filled: StateStore, target: str) -> None:
    """Is a name refused that would run into another key?"""
    with pytest.raises(StoreMisused):
        await filled.claim(Claim(target, BUILD, "r", "n/a"), epoch="first", seen_grants=0)


# pending, settle, release


async def test_granted_claim_is_pending(filled: StateStore) -> None:
    """Is a granted claim noted as one whose run has not come to be?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    assert await filled.pending(ANNA.owner) == ANNA


async def test_refused_claim_is_not_pending(filled: StateStore) -> None:
    """Is nothing noted for whoever came second?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.claim(BERT, epoch="first", seen_grants=0)
    assert await filled.pending(BERT.owner) is None


async def test_retaken_claim_is_pending(filled: StateStore) -> None:
    """Is a retaken claim pending like any other?"""
    await filled.retake(BERT, epoch="first", seen_grants=0, instead_of=ANNA.run)
    assert await filled.pending(BERT.owner) == BERT


async def test_settled_claim_stands_and_is_not_pending(filled: StateStore) -> None:
    """Does a claim outlive its settling, twice over?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.settle(ANNA)
    await filled.settle(ANNA)
    assert await filled.pending(ANNA.owner) is None
    assert await filled.claimed(TARGET, BUILD) == ANNA


async def test_claim_asked_again_after_settling_is_not_pending(filled: StateStore) -> None:
    """Is a claim that stands already not pending again for being asked for again?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.settle(ANNA)
    await filled.claim(ANNA, epoch="first", seen_grants=1)
    assert await filled.pending(ANNA.owner) is None


async def test_settling_an_older_claim_leaves_the_pending_one(filled: StateStore) -> None:
    """Does settling or releasing one claim leave the owner's other one pending?"""
    newer = Claim(TARGET, OTHER_BUILD, "20261124t060000z-2b2b2b2b", ANNA.owner)
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.claim(newer, epoch="first", seen_grants=1)
    await filled.settle(ANNA)
    await filled.release(ANNA)
    assert await filled.pending(ANNA.owner) == newer


async def test_released_claim_is_gone(filled: StateStore) -> None:
    """Can somebody else have the build after it was given back?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.release(ANNA)
    assert await filled.pending(ANNA.owner) is None
    assert await filled.claim(BERT, epoch="first", seen_grants=1) == (BERT, 2)


async def test_release_sent_late_leaves_the_next_claim(filled: StateStore) -> None:
    """Does giving back twice take nothing from whoever came after?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.release(ANNA)
    await filled.claim(BERT, epoch="first", seen_grants=0)
    await filled.release(ANNA)
    assert await filled.claimed(TARGET, BUILD) == BERT


async def test_release_of_another_run_of_the_owner_changes_nothing(filled: StateStore) -> None:
    """Is a claim given back only if it stands exactly so?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.release(Claim(TARGET, BUILD, "elsewhen", ANNA.owner))
    assert await filled.claimed(TARGET, BUILD) == ANNA
    assert await filled.pending(ANNA.owner) == ANNA


async def test_release_does_not_take_grants_back(filled: StateStore) -> None:
    """Do the grants only ever grow, so that a smaller number means a rollback?"""
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.release(ANNA)
    meta = await filled.meta()
    assert meta is not None
    assert meta.grants == 1


async def test_nothing_pending_for_a_stranger(store: StateStore) -> None:
    """Is nothing known of an owner who never asked?"""
    assert await store.pending("bootstrap/nobody") is None


# the mirror of records


async def test_mirror_comes_back(store: StateStore) -> None:
    """Does the copy of a record come back as it was written?"""
    fields = {"seq": "3", "phase": "Bootstrapping", "record": '{"schema":1}', "empty": ""}
    await store.mirror("bootstrap/anna", fields)
    assert await store.mirrored("bootstrap/anna") == fields


async def test_mirror_replaces_all_fields(store: StateStore) -> None:
    """Are fields gone that the next copy does not have?"""
    await store.mirror("bootstrap/anna", {"seq": "3", "run": "r"})
    await store.mirror("bootstrap/anna", {"seq": "4"})
    assert await store.mirrored("bootstrap/anna") == {"seq": "4"}


async def test_older_mirror_changes_nothing(store: StateStore) -> None:
    """Does a copy that was overtaken on its way do no harm (9 is before 10)?"""
    await store.mirror("bootstrap/anna", {"seq": "10", "phase": "Passed"})
    await store.mirror("bootstrap/anna", {"seq": "9", "phase": "Soaking"})
    assert await store.mirrored("bootstrap/anna") == {"seq": "10", "phase": "Passed"}


@pytest.mark.parametrize("fields", [{}, {"seq": "many"}])
async def test_mirror_without_seq_is_refused(store: StateStore, fields: dict[str, str]) -> None:
    """Is a copy refused that cannot be ordered?"""
    with pytest.raises(StoreMisused):
        await store.mirror("bootstrap/anna", fields)


async def test_mirrors_are_listed_sorted(store: StateStore) -> None:
    """Does the store know which Deployments it has copies of?"""
    for name in ("b/two", "a/one", "b/one"):
        await store.mirror(name, {"seq": "1"})
    assert await store.mirrors() == ["a/one", "b/one", "b/two"]


async def test_no_mirror_is_empty(store: StateStore) -> None:
    """Is what was never copied an empty dict?"""
    assert await store.mirrored("bootstrap/nobody") == {}
    assert await store.mirrors() == []


async def test_what_is_returned_is_the_callers(store: StateStore) -> None:
    """Does changing an answer leave the store as it was?"""
    await store.mirror("bootstrap/anna", {"seq": "1"})
    (await store.mirrored("bootstrap/anna"))["seq"] = "9"
    await store.put_run(TARGET, "r", {"a": "1"})
    (await store.run(TARGET, "r"))["a"] = "9"
    (await store.runs(TARGET, ["r"]))[0]["a"] = "9"
    await store.note_seen(TARGET, BUILD, at=1.0)
    (await store.seen_builds(TARGET)).clear()
    assert await store.seen_builds(TARGET) == [SeenBuild(BUILD, 1.0)]
    assert await store.mirrored("bootstrap/anna") == {"seq": "1"}
    assert await store.run(TARGET, "r") == {"a": "1"}


async def test_what_was_given_is_the_callers(store: StateStore) -> None:
    """Does changing what was given leave the store as it was?"""
    fields = {"seq": "1"}
    parts = {"log": b"x"}
    await store.mirror("bootstrap/anna", fields)
    await store.put_tag("r", "t", fields)
    await store.put_run(TARGET, "r", fields)
    await store.put_evidence(TARGET, "r", parts, keep_seconds=3600)
    fields["seq"] = "9"
    parts["log"] = b"y"
    assert await store.mirrored("bootstrap/anna") == {"seq": "1"}
    assert await store.tag("r", "t") == {"seq": "1"}
    assert await store.run(TARGET, "r") == {"seq": "1"}
    assert await store.evidence(TARGET, "r") == {"log": b"x"}


# runs, tags, builds


async def test_run_fields_add_up(store: StateStore) -> None:
    """Do later fields of a run join and replace the earlier ones?"""
    await store.put_run(TARGET, "r", {"phase": "Starting", "build": BUILD})
    await store.put_run(TARGET, "r", {"phase": "Passed"})
    await store.put_run(TARGET, "r", {})
    assert await store.run(TARGET, "r") == {"phase": "Passed", "build": BUILD}


async def test_runs_of_two_targets_are_apart(store: StateStore) -> None:
    """Are runs of one id on two targets two runs?"""
    await store.put_run(TARGET, "r", {"phase": "Passed"})
    await store.put_run(OTHER_TARGET, "r", {"phase": "Failed"})
    assert await store.run(TARGET, "r") == {"phase": "Passed"}
    assert await store.run(OTHER_TARGET, "r") == {"phase": "Failed"}


async def test_no_run_is_empty(store: StateStore) -> None:
    """Is an unknown run an empty dict?"""
    assert await store.run(TARGET, "r") == {}


async def test_many_runs_come_in_the_order_asked_for(store: StateStore) -> None:
    """Do several runs come back in their order, twice if asked twice, and empty where unknown?"""
    await store.put_run(TARGET, "one", {"n": "1"})
    await store.put_run(TARGET, "two", {"n": "2"})
    await store.put_run(OTHER_TARGET, "three", {"n": "3"})
    wanted = ["two", "three", "one", "two"]
    found = await store.runs(TARGET, wanted)
    assert found == [{"n": "2"}, {}, {"n": "1"}, {"n": "2"}]
    assert found == [await store.run(TARGET, run) for run in wanted]


async def test_some_fields_of_many_runs(store: StateStore) -> None:
    """Are only the fields told that are asked for, and those left out that a run has not?"""
    await store.put_run(TARGET, "one", {"a": "1", "b": "", "c": "3"})
    await store.put_run(TARGET, "two", {"b": "2"})
    found = await store.runs(TARGET, ["two", "none", "one"], only=["a", "b", "x"])
    assert found == [{"b": "2"}, {}, {"a": "1", "b": ""}]
    found[2]["a"] = "9"
    assert (await store.run(TARGET, "one"))["a"] == "1"


async def test_no_runs_asked_for_are_none(store: StateStore) -> None:
    """Is it no error to ask for no runs at all?"""
    assert await store.runs(TARGET, []) == []


async def test_as_many_runs_as_allowed(store: StateStore) -> None:
    """Are as many runs read at once as may be, and is one more refused?"""
    await store.put_run(TARGET, "run-0", {"n": "0"})
    names = [f"run-{n}" for n in range(RUNS_AT_ONCE)]
    assert await store.runs(TARGET, names) == [{"n": "0"}] + [{}] * (RUNS_AT_ONCE - 1)
    with pytest.raises(StoreMisused, match="201 runs"):
        await store.runs(TARGET, [*names, "more"])


async def test_tag_is_replaced_whole(store: StateStore) -> None:
    """Is what is known about a tag replaced, and not added to?"""
    await store.put_tag("host:5000/a", "latest", {"digest": "x", "build": "y"})
    await store.put_tag("host:5000/a", "latest", {"digest": "z"})
    assert await store.tag("host:5000/a", "latest") == {"digest": "z"}
    await store.put_tag("host:5000/a", "latest", {})
    assert await store.tag("host:5000/a", "latest") == {}


async def test_build_of_an_index(store: StateStore) -> None:
    """Is the platform manifest behind an index kept, platform by platform?"""
    await store.put_build("sha256:index", "linux/amd64", BUILD)
    await store.put_build("sha256:index", "linux/arm64", OTHER_BUILD)
    assert await store.build("sha256:index", "linux/amd64") == BUILD
    assert await store.build("sha256:index", "linux/arm64") == OTHER_BUILD
    assert await store.build("sha256:other", "linux/amd64") is None


async def test_half_a_character_is_no_error(store: StateStore) -> None:
    """Does text that is no Unicode (half a surrogate, from somebody's JSON) raise nothing?"""
    await store.put_run(TARGET, "r", {"message": "half \ud83d of it", "phase": "Failed"})
    assert (await store.run(TARGET, "r"))["phase"] == "Failed"


# coverage


async def test_seen_builds_are_newest_first(store: StateStore) -> None:
    """Do the builds of a target come back newest first, in whatever order they were noted?"""
    for build, at in (("b", 200.5), ("a", 100.25), ("c", 300.125)):
        await store.note_seen(TARGET, build, at=at)
    newest_first = [SeenBuild("c", 300.125), SeenBuild("b", 200.5), SeenBuild("a", 100.25)]
    assert await store.seen_builds(TARGET) == newest_first


async def test_first_time_a_build_was_seen_stands(store: StateStore) -> None:
    """Does a build keep its first time when it is noted again, later or earlier?"""
    for at in (200.0, 200.0, 300.0, 100.0):
        await store.note_seen(TARGET, BUILD, at=at)
    assert await store.seen_builds(TARGET) == [SeenBuild(BUILD, 200.0)]


async def test_builds_seen_at_one_moment_have_an_order(store: StateStore) -> None:
    """Is the order of what was seen at one moment always the same: by build?"""
    for build in ("b", "c", "a"):
        await store.note_seen(TARGET, build, at=1.0)
    assert [seen.build for seen in await store.seen_builds(TARGET)] == ["c", "b", "a"]


async def test_seen_builds_of_two_targets_are_apart(store: StateStore) -> None:
    """Has each target seen its own builds, at its own time, and one that saw none, none?"""
    await store.note_seen(TARGET, BUILD, at=1.0)
    await store.note_seen(OTHER_TARGET, BUILD, at=2.0)
    assert await store.seen_builds(TARGET) == [SeenBuild(BUILD, 1.0)]
    assert await store.seen_builds(OTHER_TARGET) == [SeenBuild(BUILD, 2.0)]
    assert await store.seen_builds("nobody") == []


async def test_seen_builds_are_bounded(store: StateStore) -> None:
    """Are only the newest kept, of each target, whatever is noted late?"""
    for n in range(1, BOUND + 3):
        await store.note_seen(TARGET, f"build-{n}", at=float(n))
    await store.note_seen(TARGET, "late", at=0.5)
    await store.note_seen(OTHER_TARGET, "build-1", at=1.0)
    kept = [SeenBuild(f"build-{n}", float(n)) for n in range(BOUND + 2, 2, -1)]
    assert await store.seen_builds(TARGET) == kept
    assert await store.seen_builds(OTHER_TARGET) == [SeenBuild("build-1", 1.0)]


@pytest.mark.parametrize("at", [float("nan"), float("inf")])
async def test_build_seen_at_no_time_is_refused(store: StateStore, at: float) -> None:
    """Is a time refused that would be newer than all others for ever?"""
    with pytest.raises(StoreMisused, match="no time"):
        await store.note_seen(TARGET, BUILD, at=at)
    assert await store.seen_builds(TARGET) == []


async def test_claims_of_a_target(filled: StateStore) -> None:
    """Are all claims of a target listed, by run and build: settled, pending and refilled ones?"""
    newer = Claim(TARGET, OTHER_BUILD, "20261124t060000z-2b2b2b2b", ANNA.owner)
    forgotten = [Claim(TARGET, f"sha256:{n}", "", ANNA.owner) for n in (2, 1)]
    elsewhere = Claim(OTHER_TARGET, BUILD, "r", "bootstrap/cleo")
    await filled.claim(newer, epoch="first", seen_grants=0)
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.settle(ANNA)
    await filled.refill(META, [elsewhere, *forgotten])
    assert await filled.claims_of(TARGET) == [*forgotten[::-1], ANNA, newer]
    assert await filled.claims_of(OTHER_TARGET) == [elsewhere]


async def test_claims_of_a_target_are_those_that_stand(filled: StateStore) -> None:
    """Is a claim that was given back not among them, and is a retaken one there as it is now?"""
    other = Claim(TARGET, OTHER_BUILD, "20261124t060000z-2b2b2b2b", ANNA.owner)
    await filled.claim(ANNA, epoch="first", seen_grants=0)
    await filled.claim(other, epoch="first", seen_grants=0)
    await filled.retake(BERT, epoch="first", seen_grants=0, instead_of=ANNA.run)
    await filled.release(other)
    assert await filled.claims_of(TARGET) == [BERT]


async def test_coverage_of_a_target(filled: StateStore) -> None:
    """Can it be told how many of the builds that were seen have been tested?"""
    for n in range(4):
        await filled.note_seen(TARGET, f"sha256:{n}", at=float(n))
    for n in (1, 3):
        wanted = Claim(TARGET, f"sha256:{n}", f"run-{n}", ANNA.owner)
        await filled.claim(wanted, epoch="first", seen_grants=0)
    tested = {claim.build for claim in await filled.claims_of(TARGET)}
    seen = [seen.build for seen in await filled.seen_builds(TARGET)]
    assert [build in tested for build in seen] == [True, False, True, False]


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.note_seen("a:b", BUILD, at=1.0),
        lambda store: store.seen_builds("a:b"),
        lambda store: store.claims_of("a:b"),
        lambda store: store.places("a:b"),
        lambda store: store.transitions("a:b", []),
        lambda store: store.runs("a:b", []),
        lambda store: store.put_run("a:b", "r", {}),
        lambda store: store.put_evidence("a:b", "r", {}, keep_seconds=1.0),
        lambda store: store.evidence("a:b", "r"),
        lambda store: store.has_evidence("a:b", "r"),
    ],
    ids=[
        "note_seen",
        "seen_builds",
        "claims_of",
        "places",
        "transitions",
        "runs",
        "put_run",
        "put_evidence",
        "evidence",
        "has",
    ],
)
async def test_every_question_about_no_target_is_refused(
    store: StateStore, ask: Callable[[StateStore], Awaitable[object]]
) -> None:
    """Is a name that would run into another key refused, whatever is asked about it?"""
    with pytest.raises(StoreMisused, match="slug"):
        await ask(store)


# history


async def test_history_is_newest_first(store: StateStore) -> None:
    """Do transitions come back newest first, in whatever order they were added?"""
    one, two, three = (transition(n, 100.0 + n, body=b"%d" % n) for n in (1, 2, 3))
    await store.append([two, three])
    await store.append([one])
    assert await store.history(TARGET) == [three, two, one]


async def test_history_of_one_target_and_of_all(store: StateStore) -> None:
    """Are the transitions of a target found alone, and together with all others?"""
    ours, theirs = transition(1, 100.0), transition(2, 101.0, target=OTHER_TARGET)
    await store.append([ours, theirs])
    assert await store.history(TARGET) == [ours]
    assert await store.history() == [theirs, ours]


async def test_transition_is_added_once(store: StateStore) -> None:
    """Is an id that is there not added again, even with another body, time and target?"""
    first = transition(1, 100.0, body=b"first")
    await store.append([first, transition(1, 200.0, body=b"second")])
    await store.append([transition(1, 300.0, target=OTHER_TARGET, body=b"third")])
    assert await store.history() == await store.history(TARGET) == [first]
    assert await store.history(OTHER_TARGET) == []


async def test_transition_of_no_target(store: StateStore) -> None:
    """Is what is of no target in the history of all, in none of a target, and as bounded?"""
    idle = [transition(n, 100.0 + n, target="") for n in range(7)]
    await store.append(idle)
    assert await store.history() == await store.history("") == idle[:1:-1]
    assert await store.history(TARGET) == []


async def test_history_at_one_moment_has_an_order(store: StateStore) -> None:
    """Is the order of what happened at one moment always the same: by id?"""
    one, two, three = (transition(n, 100.0) for n in (1, 2, 3))
    await store.append([three, one, two])
    assert await store.history() == [three, two, one]


async def test_history_is_limited(store: StateStore) -> None:
    """Does the caller get as many as it asked for, the newest?"""
    one, two, three = (transition(n, 100.0 + n) for n in (1, 2, 3))
    await store.append([one, two, three])
    assert await store.history(limit=2) == [three, two]
    assert await store.history(limit=0) == []


async def test_history_before_a_time(store: StateStore) -> None:
    """Can a caller read on from the oldest it has, which is not repeated?"""
    one, two, three = (transition(n, 100.125 + n) for n in (1, 2, 3))
    await store.append([one, two, three])
    assert await store.history(before=three.at) == [two, one]
    assert await store.history(before=three.at, limit=1) == [two]


@pytest.mark.parametrize("target", [None, TARGET, "nobody"])
@pytest.mark.parametrize(("limit", "before"), [(100, None), (2, None), (0, None), (2, 3.0)])
async def test_places_are_those_of_the_history(
    store: StateStore, target: str | None, limit: int, before: float | None
) -> None:
    """Are the places of a history those of its transitions, which can be read by them?"""
    await store.append([transition(n, float(n)) for n in range(4)])
    await store.append([transition(4, 2.0, target=OTHER_TARGET)])
    found = await store.history(target, limit=limit, before=before)
    places = await store.places(target, limit=limit, before=before)
    assert places == [Place(each.id, each.at) for each in found]
    assert await store.transitions(target, places) == found


async def test_transitions_are_in_the_order_of_their_places(store: StateStore) -> None:
    """Are they told as they were asked for, but for those that are gone?"""
    one, two = transition(1, 1.0), transition(2, 2.0, body=b"[]")
    await store.append([one, two])
    gone = Place("gone", 1.5)
    asked = [Place(one.id, one.at), gone, Place(two.id, two.at)]
    assert await store.transitions(TARGET, asked) == [one, two]
    assert await store.transitions(TARGET, []) == []


async def test_times_and_bodies_are_exact(store: StateStore) -> None:
    """Do a time with fractions and a body of any bytes come back exactly?"""
    exact = transition(1, 1795413600.123456, body=bytes(range(256)))
    await store.append([exact])
    assert await store.history() == [exact]


async def test_history_is_bounded(store: StateStore) -> None:
    """Are only the newest kept, of each target and of all?"""
    ours = [transition(n, 100.0 + n) for n in range(7)]
    theirs = [transition(10 + n, 200.0 + n, target=OTHER_TARGET) for n in range(3)]
    await store.append(ours)
    await store.append(theirs)
    assert await store.history() == [*theirs[::-1], ours[6], ours[5]]
    assert await store.history(TARGET) == ours[:1:-1]


async def test_forgotten_transition_does_not_come_back(store: StateStore) -> None:
    """Does one that was trimmed away stay away when it is sent again?"""
    ours = [transition(n, 100.0 + n) for n in range(7)]
    await store.append(ours)
    await store.append(ours[:2])
    assert await store.history(TARGET) == await store.history() == ours[:1:-1]


async def test_many_transitions_at_once(store: StateStore) -> None:
    """Does a catching up of hundreds arrive whole?"""
    await store.append([transition(n, 100.0 + n) for n in range(250)])
    assert [item.at for item in await store.history()] == [349.0, 348.0, 347.0, 346.0, 345.0]


async def test_empty_append_is_nothing(store: StateStore) -> None:
    """Is nothing to add no error?"""
    await store.append([])
    assert await store.history() == []


@pytest.mark.parametrize(
    "bad",
    [transition(1, float("nan")), transition(1, 1.0, body=b"x" * (BODY_BYTES + 1))],
    ids=["no time", "too large"],
)
async def test_unusable_transition_is_refused(store: StateStore, bad: Transition) -> None:
    """Is a transition refused that has no time or is too large, and nothing of its batch kept?"""
    with pytest.raises(StoreMisused):
        await store.append([transition(2, 1.0), bad])
    assert await store.history() == []


# evidence


async def test_evidence_comes_back(store: StateStore) -> None:
    """Does evidence come back byte for byte?"""
    parts = {"node.log": bytes(range(256)), "reason": "näher".encode()}
    await store.put_evidence(TARGET, "r", parts, keep_seconds=3600)
    assert await store.evidence(TARGET, "r") == parts


async def test_evidence_can_be_asked_for_without_its_parts(store: StateStore) -> None:
    """Does the store say of which runs it has evidence?"""
    assert not await store.has_evidence(TARGET, "r")
    await store.put_evidence(TARGET, "r", {"log": b"x"}, keep_seconds=3600)
    assert await store.has_evidence(TARGET, "r")
    assert not await store.has_evidence(OTHER_TARGET, "r")


async def test_evidence_of_two_targets_is_apart(store: StateStore) -> None:
    """Do runs of one id on two targets, which are two runs, have evidence of their own?"""
    await store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=3600)
    await store.put_evidence(OTHER_TARGET, "r", {"b": b"2"}, keep_seconds=3600)
    assert await store.evidence(TARGET, "r") == {"a": b"1"}
    assert await store.evidence(OTHER_TARGET, "r") == {"b": b"2"}


async def test_evidence_is_replaced(store: StateStore) -> None:
    """Does later evidence of a run replace what was kept?"""
    await store.put_evidence(TARGET, "r", {"a": b"1", "b": b"2"}, keep_seconds=3600)
    await store.put_evidence(TARGET, "r", {"a": b"3"}, keep_seconds=3600)
    assert await store.evidence(TARGET, "r") == {"a": b"3"}


async def test_evidence_expires(store: StateStore) -> None:
    """Is evidence gone after its time?"""
    await store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=0.01)
    async with asyncio.timeout(100):
        while await store.evidence(TARGET, "r"):  # noqa: ASYNC110 only the backend knows its time
            await asyncio.sleep(0)
    assert await store.evidence(TARGET, "r") == {}


async def test_too_much_evidence_is_refused(store: StateStore) -> None:
    """Is more than the bound refused, all parts counted, and what was kept left alone?"""
    await store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=3600)
    half = b"x" * (EVIDENCE_BYTES // 2)
    with pytest.raises(StoreMisused):
        await store.put_evidence(TARGET, "r", {"a": half, "b": half, "c": b"x"}, keep_seconds=3600)
    assert await store.evidence(TARGET, "r") == {"a": b"1"}


async def test_as_much_evidence_as_allowed(store: StateStore) -> None:
    """Can a store take the most that it allows?"""
    await store.put_evidence(TARGET, "r", {"a": b"x" * EVIDENCE_BYTES}, keep_seconds=3600)
    assert len((await store.evidence(TARGET, "r"))["a"]) == EVIDENCE_BYTES


async def test_no_evidence_is_empty(store: StateStore) -> None:
    """Is a run without evidence an empty dict?"""
    assert await store.evidence(TARGET, "r") == {}


async def test_no_warnings_of_a_store_that_cannot_tell(store: StateStore) -> None:
    """Does every backend answer an inspection with a list of sentences?"""
    assert all(isinstance(warning, str) for warning in await store.inspect())
