"""The index of records, beside the plain walk over all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.domain.record.index import RecordIndex
from controller.domain.record.parts import ToldCondition
from controller.domain.record.record import SCHEMA, Outcome, Record
from controller.domain.run import Phase, Reason
from tests.machine_objects import build, deployment
from tests.machine_world import World

TARGETS = ("fuji-p-chain", "fuji-c-chain-full-sync", "mainnet-p-chain")
KEYS = tuple(f"bootstrap/d{number}" for number in range(5))


def _a_run() -> Record:
    world = World()
    key = world.add(deployment())
    world.start_run(key)
    return world.record(key)


RUN = _a_run().run
assert RUN is not None

runs = st.none() | st.builds(
    lambda target, letter, told: replace(
        RUN, target=target, build=build(letter), conditions=(told,) if told else ()
    ),
    st.sampled_from(TARGETS),
    st.sampled_from("abc"),
    st.none() | st.just(ToldCondition(type="Still", since=1, message="it stands")),
)
outcomes = st.builds(
    lambda target, letter, reason: Outcome(
        run=RUN.id,
        build=build(letter),
        target=target,
        phase=Phase.FAILED,
        reason=reason,
        at=9,
        began=1,
    ),
    st.sampled_from(TARGETS),
    st.sampled_from("abc"),
    st.sampled_from((Reason.NETWORK_TROUBLE, Reason.STALLED)),
)
tested = st.dictionaries(
    st.sampled_from(TARGETS), st.lists(st.sampled_from("abc").map(build), max_size=2).map(tuple)
)
records = st.none() | st.builds(
    lambda run, ended, known: Record(
        schema=SCHEMA,
        namespace="bootstrap",
        name="",
        uid="uid",
        run=run,
        outcomes=tuple(ended),
        tested=known,
    ),
    runs,
    st.lists(outcomes, max_size=2),
    tested,
)
histories = st.lists(st.tuples(st.sampled_from(KEYS), records), max_size=25)


def _speaks_of(record: Record, target: str) -> bool:
    at_run = record.run is not None and record.run.target == target
    return at_run or target in record.tested or any(o.target == target for o in record.outcomes)


def _tells(record: Record) -> bool:
    now = record.run is not None and bool(record.run.conditions)
    return now or any(o.reason == Reason.NETWORK_TROUBLE for o in record.outcomes)


@given(histories, st.sets(st.sampled_from(TARGETS)), st.sampled_from(KEYS))
def test_it_answers_as_a_walk_over_all_would(
    history: list[tuple[str, Record | None]], targets: set[str], own: str
) -> None:
    """Records come, change and go in any order: is each question answered as by looking at every
    one of those that stand?
    """
    index, standing = RecordIndex(), dict[str, Record]()
    for key, found in history:
        record = replace(found, name=key.partition("/")[2]) if found is not None else None
        index.put(key, record)
        standing.pop(key, None)
        if record is not None:
            standing[key] = record
        walk = [standing[each] for each in sorted(standing)]
        speak = [r for r in walk if any(_speaks_of(r, target) for target in targets)]
        assert list(index.on(targets, but=own)) == [r for r in speak if r.key != own]
        assert list(index.troubled()) == [r for r in walk if _tells(r)]
        assert index.open_runs() == {r.key for r in walk if r.run is not None}
        assert sorted(r.key for r in index.records()) == sorted(standing)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_kept_of_what_is_gone(target: str) -> None:
    """A record is taken out: does nothing of it stay, not even its target?"""
    index = RecordIndex()
    record = replace(_a_run(), tested={target: (build("a"),)})
    index.put(record.key, record)
    index.put(record.key, None)
    assert not any(vars(index).values())
