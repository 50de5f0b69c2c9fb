"""The store of the explored world, as the engine's own rooms use it: claims, refill, mirror."""

from functools import cache
from random import Random

from controller.domain.decide.observation import (
    Decision,
    Effect,
)
from controller.domain.manifest.request import read_request
from controller.domain.run import Phase
from controller.engine.claims.ledger import Ledger
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.reconcile.refused_writes import RefusedWrites
from controller.engine.telling.publisher import Publisher
from store.api import SCHEMA, Claim, Meta
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.fakes import EPOCH
from tests.machine_engine import Ear, StillClock, StillCluster, at_once, still_store
from tests.machine_objects import (
    RULES,
    bare,
    deployment,
)
from tests.simulation.explored_objects import as_deployment, as_record, told_by
from tests.simulation.explored_state import KEYS, ClaimState, Dep, Store, put

TARGET = str(read_request(deployment(), RULES).target)
CLUSTER = "cluster"
STANDING = "0123456789abcdef"  # the epoch of the store, where it has one


def as_store(store: Store) -> MemoryStore:
    """A store in which just this has happened."""
    found = still_store()
    pending = [claim for claim in store.pending if claim]
    settled = [_claim(claim) for claim in store.claims if claim not in pending]
    assert store.epoch or not (pending or settled), "claims that nobody granted"
    if store.epoch:
        at_once(found.refill(Meta(SCHEMA, STANDING, 0, CLUSTER), settled))
    for claim in pending:
        at_once(found.claim(_claim(claim), epoch=STANDING, seen_grants=0))
    for i, text in enumerate(store.mirror):
        if text is not None:
            record = as_record(i, text)
            assert record is not None
            fields = {"seq": str(record.seq), "record": text, "told": str(told_by(record))}
            at_once(found.mirror(KEYS[i], fields))
    return found


def as_state(found: MemoryStore) -> Store:
    """And back."""
    return Store(
        claims=frozenset(_state_of(claim) for claim in at_once(found.claims_of(TARGET))),
        pending=tuple(
            _state_of(claim) if (claim := at_once(found.pending(key))) else None for key in KEYS
        ),
        mirror=tuple(at_once(found.mirrored(key)).get("record") for key in KEYS),
        epoch=at_once(found.meta()) is not None,
    )


def _claim(claim: ClaimState) -> Claim:
    return Claim(TARGET, claim[0], claim[1], KEYS[claim[2]])


def _state_of(claim: Claim) -> ClaimState:
    return claim.build, claim.run, KEYS.index(claim.owner)


class _Exchanged(PassingStore):
    """The store behind is another one by the next call."""

    def exchange(self, store: MemoryStore) -> None:
        self._behind = store


def _opened(
    joined: bool, texts: tuple[str | None, ...], settle: float = 0.0
) -> tuple[Ledger, _Exchanged]:
    """The ledger of a controller that has opened the store when its epoch was the one that stands
    now, or another one.
    """
    before = still_store()
    at_once(before.refill(Meta(SCHEMA, STANDING if joined else "earlier", 0, CLUSTER), ()))
    store, clock = _Exchanged(before), StillClock(lambda: EPOCH)
    records = [record for i, text in enumerate(texts) if (record := as_record(i, text))]
    ledger = Ledger(
        store, clock, Random(0), settle=settle, patience=0.0, records=lambda: iter(records)
    )
    at_once(ledger.open(CLUSTER))
    return ledger, store


@cache
def after_refill(started: bool, store: Store, texts: tuple[str | None, ...]) -> Store:
    """The controller has started and opens the store, or looks at it and finds that it has
    forgotten; these are the records that it sees.
    """
    found = as_store(store)
    ledger, behind = _opened(joined=False, texts=texts)
    behind.exchange(found)
    at_once(ledger.open(CLUSTER) if started else ledger.look())
    return as_state(found)


@cache
def after_look(store: Store, texts: tuple[str | None, ...]) -> Store:
    """The controller looks at a store that has not forgotten anything, not long after a loss."""
    found = as_store(store)
    ledger, behind = _opened(joined=True, texts=texts, settle=1.0)
    behind.exchange(found)
    at_once(ledger.look())
    return as_state(found)


@cache
def after_effect(
    joined: bool, i: int, effect: Effect, store: Store, texts: tuple[str | None, ...]
) -> Store:
    """The controller carries out one effect of a decision about the Deployment."""
    found = as_store(store)
    ledger, behind = _opened(joined, texts)
    behind.exchange(found)
    memory, clock = RecordMemory(behind), StillClock(lambda: EPOCH)
    refused = RefusedWrites(clock, Random(0))
    executor = Executor(
        StillCluster({}), behind, ledger, memory, clock, nudge=lambda _key: None, refused=refused
    )
    only = Decision(Phase.IDLE, "", "", effects=(effect,))
    at_once(executor.carry_out(KEYS[i], only))
    return as_state(found)


@cache
def after_publishing(
    i: int, text: str, mirror: str | None, pending: ClaimState | None
) -> tuple[frozenset[tuple[str, str, str]], str | None, ClaimState | None]:
    """A publisher that has just started: what it tells, the mirror and what is pending after it."""
    record, ear = as_record(i, text), Ear()
    assert record is not None
    found = as_store(
        Store(
            claims=frozenset((pending,)) if pending else frozenset(),
            pending=put((None, None), i, pending),
            mirror=put((None, None), i, mirror),
            epoch=True,
        )
    )
    at_once(
        Publisher(found, ear).publish(as_deployment(i, Dep(1, bare(), *_NOTHING)), record, text)
    )
    told = frozenset((n.id, str(n.phase), n.reason) for n in ear.notices)
    after = as_state(found)
    return told, after.mirror[i], after.pending[i]


_NOTHING = (None, None, None, None)
