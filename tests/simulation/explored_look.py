"""What a look at the explored world sees, and what the real machine decides on it."""

from datetime import timedelta
from functools import cache
from random import Random
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from controller.domain.build import Resolution
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import (
    Decision,
    Effect,
    Leave,
    Nudge,
    Observation,
)
from controller.domain.followed import Followed
from controller.domain.health.demands import demands_of
from controller.domain.health.observed_time import Attention
from controller.domain.health.soak import Soak
from controller.domain.node_http import Tip
from controller.domain.objects import Pod
from controller.domain.pace.progress import Progress, Stage
from controller.domain.pods.run_pods import Life, view_pods
from controller.domain.record.record import Record
from controller.domain.run import Phase
from controller.domain.target import SyncMode
from controller.engine.claims.ledger import Ledger
from controller.engine.polling.tag_state import TagState
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.reconcile.record_memory import RecordMemory
from tests.fakes import EPOCH
from tests.machine_engine import StillClock, StillCluster, at_once
from tests.machine_objects import (
    RULES,
    SOUND,
    build,
    service,
)
from tests.simulation.explored_objects import (
    as_deployment,
    as_pod,
    as_record,
    number_of,
    told_by,
)
from tests.simulation.explored_state import (
    KEYS,
    NAMES,
    ClaimState,
    Dep,
    PodState,
    State,
    Store,
    put,
)
from tests.simulation.explored_store import as_store

SERVICES = {key: service(name) for key, name in zip(KEYS, NAMES, strict=True)}
LONG = 1e9  # of any duration that is waited for
SYNCED = Progress(stages={"C/state-synced": Stage(9.0)}, heights={"C": 9})


class Seen(NamedTuple):
    """All that a look sees: what is seen alike is decided alike, once. While a run is open, the
    tag is not looked at, and claims only where the other one tests the same build.
    """

    which: int  # Deployment
    dep: Dep
    pod: PodState | None
    ready: bool  # its node has bootstrapped
    sibling: Dep | None  # the other Deployment, without what nobody reads; None: it is not seen
    memory: str | None  # the mirrored record, if it is newer
    told: int
    claims: frozenset[ClaimState]
    pending: ClaimState | None
    leave: bool  # runs may be started
    tag: str
    clock: int
    store_lasts: bool
    refused: bool  # a pin was, a moment ago


def look(s: State, c: int, i: int) -> Seen:
    found, dep = s.pods[i], s.deps[i]
    ready = bool(found and found.up and (found.run, found.real, True) in s.volumes[i])
    record, mirrored = as_record(i, dep.record), as_record(i, s.store.mirror[i])
    newer = mirrored is not None and (record is None or record.seq < mirrored.seq)
    running = record is not None and record.run is not None
    sibling = None if s.apart else s.deps[1 - i]._replace(phase=None, message=None)
    other = as_record(1 - i, sibling.record) if sibling else None
    twin = bool(
        record and record.run and other and other.run and other.run.build == record.run.build
    )
    return Seen(
        which=i,
        dep=dep,
        pod=found if running else None,
        ready=ready and running,
        sibling=sibling,
        memory=s.store.mirror[i] if newer else None,
        told=told_by(mirrored) if mirrored else 0,
        claims=s.store.claims if twin or not running else frozenset(),
        pending=None if running else s.store.pending[i],
        leave=running or may_claim(s, c),
        tag="" if running else s.tag,
        clock=s.clock,
        store_lasts=not s.inside,
        refused=i in s.controls[c].refused and not running,
    )


def may_claim(s: State, c: int) -> bool:
    """Whether the controller has settled, as far as it knows. Once it knows of a loss, all users
    have brought their claims by then, those of patches that were on their way too: the looks of
    each fall into the time for which the others settle.
    """
    control = s.controls[c]
    brought = all(each.joined and not each.owes for each in s.controls)
    knows_of_loss = s.apart and control.joined and not brought
    return control.opened and not control.waits & s.flights and not knows_of_loss


@cache
def decision_on(seen: Seen) -> Decision:
    return decide(_observation(seen))


def _observation(seen: Seen) -> Observation:
    """The engine's own look, at no more than what is seen."""
    i = seen.which
    deployments = {KEYS[i]: as_deployment(i, seen.dep)}
    if seen.sibling is not None:
        deployments[KEYS[1 - i]] = as_deployment(1 - i, seen.sibling)
    cluster = StillCluster(
        deployments,
        SERVICES,
        {KEYS[i]: (as_pod(seen.pod),)} if seen.pod else {},
    )
    clock = StillClock(lambda: EPOCH + timedelta(seconds=seen.clock))
    store = as_store(
        Store(
            claims=seen.claims,
            pending=put((None, None), i, seen.pending),
            mirror=put((None, None), i, seen.memory),
            epoch=True,
        )
    )
    record = as_record(i, seen.dep.record)
    attention = _attention(record, tuple(cluster.pods(KEYS[i])), seen.ready)
    memory = RecordMemory(store)
    senses = Senses(
        cluster=cluster,
        store=store,
        clock=clock,
        rules=RULES,
        memory=memory,
        known=KnownRecords(cluster, memory, RULES),
        ledger=Ledger(store, clock, Random(0), settle=0.0, patience=0.0, records=lambda: ()),
        state=lambda followed: _state(followed, seen.tag),
        attention=lambda _key: attention,
        told=lambda _key: seen.told,
        store_lasts=seen.store_lasts,
        no_pin=lambda _key: "it is refused" if seen.refused else "",
    )
    leave = Leave(seen.leave, "" if seen.leave else "settling")
    return at_once(observe(senses, as_deployment(i, seen.dep), leave))


def _state(followed: Followed, tag: str) -> TagState:
    digest = followed.reference if followed.fixed else build(tag)
    return TagState(Resolution(digest, digest))


def _attention(record: Record | None, pods: tuple[Pod, ...], ready: bool) -> Attention | None:
    """As long as anybody may wish, of what is there now."""
    if record is None or record.run is None:
        return None
    view = view_pods(pods, record.run, "node")
    life = view.life
    healthy = ready and life is not None
    return Attention(
        run=record.run.id,
        looks=9,
        heard=view.ends,
        reverted=LONG,
        soak=_long_soak(life) if healthy and life is not None else None,
        answer=SOUND if healthy else None,
        answered_life=life if healthy else None,
        progress=SYNCED if healthy else Progress(),
    )


def _long_soak(life: Life) -> Soak:
    demands = demands_of(SyncMode.STATE, "fuji")
    held = dict.fromkeys(demands, 9)
    tips = {"first": {"C": Tip(1, 1.0)}, "last": {"C": Tip(9, 9.0)}}
    return Soak(life, LONG, 9, held, named=9, **tips)


class ToDo(NamedTuple):
    """What of a decision is explored."""

    write: int | None = None  # its number
    record: Record | None = None
    effects: tuple[Effect, ...] = ()


@cache
def to_do(seen: Seen) -> ToDo:
    decision = decision_on(seen)
    effects = tuple(e for e in decision.effects if not isinstance(e, Nudge))
    # Where no store outlives the controller, each write notes what people were told by then.
    if seen.store_lasts and only_says(as_record(seen.which, seen.dep.record), decision):
        return ToDo(effects=effects)
    write = number_of(decision.write) if decision.write is not None else None
    return ToDo(write, decision.record, effects)


def only_says(old: Record | None, decision: Decision) -> bool:
    """Whether a write changes nothing but what an idle Deployment says of itself, or what is noted
    of what people were told. Those are left out, for each would double the world; `check_settled`
    does them.
    """
    new = decision.record
    if old is None or new is None or decision.effects:
        return False
    noted = ("seq", "told", "heard", "steps")
    saying = ("reason", "message", "since") if new.phase is Phase.IDLE else ()
    return with_fields(new, **{name: getattr(old, name) for name in (*noted, *saying)}) == old
