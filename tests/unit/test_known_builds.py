"""Many builds are shown without reading many runs, and what was not looked through is said."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from controller.page.library import Library
from controller.views.known_builds import RUNS_LOOKED_THROUGH, KnownBuilds, known_builds
from controller.views.paging import LOOKED_THROUGH
from controller.views.reading import Reading
from store.api import Claim, Meta, StateStore, Transition
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.machine_engine import at_once, still_store
from tests.many_runs import build, commit, index, remember, run_of, version
from tests.page_desk import FUJI, MAINNET, FakeSource, record_of

TARGETS = (FUJI, MAINNET)


@dataclass
class Counting(PassingStore):
    """Notes how many runs are asked for, in whole and in part."""

    behind: StateStore
    whole: int = 0
    named: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.behind)

    async def runs(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        self.whole += 0 if only else len(runs)
        self.named += len(runs) if only else 0
        return await super().runs(target, runs, only=only)


def filled(count: int) -> MemoryStore:
    """So many runs on each target, all of other builds."""
    store = still_store()
    at_once(store.refill(Meta(1, "e", 0, "c"), []))
    for position, target in enumerate(TARGETS):
        numbers = range(position, 2 * count, 2)
        at_once(remember(store, target, numbers, heavy=False))
    return store


def library(store: StateStore) -> Library:
    source = FakeSource(store)
    for target in TARGETS:
        source.put(record_of(target, "idle"), target, "Idle")
    return Library(source)


def known(store: StateStore) -> KnownBuilds:
    return at_once(known_builds(Reading(store, []), TARGETS))


@pytest.mark.parametrize("count", [20, 400])
def test_a_page_of_builds_reads_its_own_runs(count: int) -> None:
    """Are as many runs read for ten builds as they have, however many builds there are?"""
    store = Counting(filled(count))
    found = at_once(library(store).builds(10))
    assert [each.build for each in found.items] == [build(2 * count - 1 - n) for n in range(10)]
    assert (store.whole, store.named) == (10, 0)


def test_the_next_page_begins_where_the_last_ended() -> None:
    """Does each page follow the one before it, though a build of that one was tested again?"""
    store = filled(20)
    first = at_once(library(store).builds(15))
    last = first.items[-1].build
    assert at_once(library(store).builds(1, first.more)).items[0].build == build(24)
    again = Claim(FUJI, last, run_of(99), "bootstrap/none")
    meta = at_once(store.meta())
    assert meta is not None
    at_once(store.retake(again, epoch="e", seen_grants=0, instead_of=_run(store, last)))
    second = at_once(library(store).builds(500, first.more))
    assert [each.build for each in second.items] == [build(n) for n in range(24, -1, -1)]
    assert second.more is None


def _run(store: StateStore, digest: str) -> str:
    claims = [at_once(store.claimed(target, digest)) for target in TARGETS]
    return next(claim.run for claim in claims if claim is not None)


@pytest.mark.parametrize("digest", [build(7), build(7).removeprefix("sha256:")])
def test_one_build_reads_its_own_runs(digest: str) -> None:
    """Is the page of a build made without reading the runs of others?"""
    store = Counting(filled(50))
    found = at_once(library(store).build(digest))
    assert (found.build, found.version) == (build(7), f"avalanchego/{version(7)}")
    assert (store.whole, store.named) == (1, 0)


def test_an_index_is_looked_for_by_names_alone() -> None:
    """Are no more than the names of other runs read to find a build by its index?"""
    store = Counting(filled(50))
    assert at_once(library(store).build(index(7))).build == build(7)
    assert (store.whole, store.named) == (1, 100)


def test_names_are_the_truth_of_whole_runs() -> None:
    """Does a look at names alone say the same of each build as its whole runs do?"""
    found = known(filled(5))
    names, views = at_once(found.names()), at_once(found.views(found.digests))
    assert [_called(each) for each in names] == [_called(each) for each in views]
    assert names[0].commit == commit(9)
    assert [each.targets[0].state for each in names] == ["passed"] * 10


def _called(each: object) -> list[object]:
    names = ("build", "indexes", "tags", "version", "commit", "seen")
    return [getattr(each, name) for name in names]


def test_builds_beyond_the_bound_are_nameless_and_it_is_said() -> None:
    """Is no build left out that is too old to be looked at, and is it said that some are?"""
    store = still_store()
    claims = [Claim(FUJI, build(n), run_of(n), "o") for n in range(RUNS_LOOKED_THROUGH + 1)]
    at_once(store.refill(Meta(1, "e", 0, "c"), claims))
    for number in (0, 1):
        at_once(store.put_run(FUJI, run_of(number), {"phase": "Passed", "version": f"v{number}"}))
    reading = Reading(store, [])
    found = at_once(known_builds(reading, [FUJI]))
    names = at_once(found.names())
    assert [each.version for each in names[-2:]] == ["v1", ""]
    assert (len(names), names[-1].targets[0].state) == (RUNS_LOOKED_THROUGH + 1, "claimed")
    assert str(RUNS_LOOKED_THROUGH) in reading.partial


@pytest.mark.parametrize("more", [0, 1])
def test_ends_beyond_the_bound_are_said_to_be_missing(more: int) -> None:
    """Is a search through the history told to be partial once it was given up, and only then?"""
    store, old = still_store(), b'{"phase":"Passed","run":"20261121t060000z-aaaaaaaa"}'
    lines = [Transition(f"t{n:06}", FUJI, 100.0 + n, b"{}") for n in range(LOOKED_THROUGH - 1)]
    lines += [Transition(f"e{n}", FUJI, 1.0 + n, old) for n in range(1 + more)]
    at_once(store.append(lines))
    reading = Reading(store, [])
    at_once(reading.ended(FUJI, limit=5))
    assert bool(reading.partial) is bool(more)
    reading = Reading(store, [])
    at_once(reading.targets_of("20261121t060000z-aaaaaaaa"))
    assert bool(reading.partial) is bool(more)
