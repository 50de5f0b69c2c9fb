"""A world small enough to be explored whole, in which the real machine decides.

Two Deployments of one target, one volume each; one or two active controllers that may crash between
any two effects; patches that land late or whose reply is lost; a store that may forget; a person or
Argo CD that puts the image back or makes the Deployment again; a tag that moves. Time is abstract:
what waits for a delay may happen at any moment, and the 60 seconds of `--settle` are over when
every patch that was then on its way has landed.

States are tuples, so that equal worlds are one; all that follows from a state is a function of it.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from random import Random
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.build import Resolution
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import (
    Decision,
    Effect,
    Leave,
    Nudge,
    Observation,
    TakeClaim,
)
from controller.domain.followed import Followed
from controller.domain.health.attention import Attention
from controller.domain.health.demands import demands_of
from controller.domain.health.soak import Soak
from controller.domain.manifest.request import read_request
from controller.domain.node_http import Tip
from controller.domain.objects import Deployment, Pod
from controller.domain.pods.run_pods import Life, view_pods
from controller.domain.record.record import Record, decode_record
from controller.domain.record.write import Write
from controller.domain.reference import Reference
from controller.domain.run import Phase
from controller.domain.target import SyncMode
from controller.engine.claims.ledger import Ledger
from controller.engine.polling.reference_book import TagState
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.telling.publisher import Publisher
from store.api import SCHEMA, Claim, Meta
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.fakes import EPOCH
from tests.machine_engine import Ear, StillClock, StillCluster, at_once, still_store
from tests.machine_objects import (
    RULES,
    SOUND,
    apply_write,
    bare,
    build,
    deployment,
    pod,
    service,
    word,
)

NAMES = ("one", "two")
KEYS = tuple(f"bootstrap/{name}" for name in NAMES)
SERVICES = {key: service(name) for key, name in zip(KEYS, NAMES, strict=True)}
LONG = 1e9  # of any duration that is waited for


class Violation(AssertionError):
    """An invariant does not hold; the text says which, and where."""


class Dep(NamedTuple):
    """A Deployment, with what is written on it; None where that is not there."""

    uid: int
    image: str  # of node and init container, which are only ever written together
    run: str | None  # id in the pod template
    record: str | None
    phase: str | None
    message: str | None


class PodState(NamedTuple):
    """The one pod of a Deployment."""

    uid: int  # of the Deployment
    image: str
    real: str  # letter of the build that runs in it
    run: str | None  # id that it carries
    data: str | None  # the init container's word; None before it has said one

    @property
    def up(self) -> bool:
        return self.data in ("fresh", "resumed")


Directory = tuple[str, str, bool]  # run, letter of the build that began it, bootstrapped
Flight = tuple[int, int]  # Deployment, number of the write
ClaimState = tuple[str, str, int]  # build, run, owner


class Store(NamedTuple):
    """What of the store is explored: all that a decision can come to depend on."""

    claims: frozenset[ClaimState] = frozenset()
    pending: tuple[ClaimState | None, ...] = (None, None)  # of each Deployment
    mirror: tuple[str | None, ...] = (None, None)  # text of each record
    # The controller whose epoch stands; None after a loss, or before anybody opened it
    holder: int | None = None


class Control(NamedTuple):
    """A controller."""

    busy: int | None = None  # the Deployment that it has in hand
    sent: Flight | None = None  # the patch that it waits for
    effects: tuple[Effect, ...] = ()  # what it still does after that
    # Patches that may still land and began before its start or its last refill
    waits: frozenset[Flight] = frozenset()
    opened: bool = False  # it has opened the store since its start


class Budget(NamedTuple):
    """How many disturbances of each kind are left."""

    flushes: int = 0
    reverts: int = 0
    recreations: int = 0
    tag_moves: int = 0
    crashes: int = 0
    lost_replies: int = 0


class State(NamedTuple):
    """The whole world at one moment, and what is remembered of its past."""

    tag: str  # letter of the build behind the one that is followed
    deps: tuple[Dep, Dep]
    pods: tuple[PodState | None, ...]
    volumes: tuple[frozenset[Directory], ...]
    store: Store
    clock: int  # seconds that have passed, one for each new claim
    controls: tuple[Control, ...]
    flights: frozenset[Flight]  # patches that have not landed yet
    budget: Budget
    started: frozenset[tuple[str, str, int]] = frozenset()  # (build, run, Deployment) that ever ran
    void: frozenset[tuple[str, int]] = frozenset()  # (run, Deployment) whose data another touched
    # (id, phase, reason) of every transition that people were given
    told: frozenset[tuple[str, str, str]] = frozenset()
    again: bool = False  # a Deployment was ever made again
    kept: int = 2  # Deployments that are looked after; one alone can be disturbed more often


Step = tuple[str, object]


def begin(controllers: int, budget: Budget, *, kept: int = 2) -> State:
    fresh = Dep(1, bare(), None, None, None, None)
    return State(
        tag="a",
        deps=(fresh, fresh),
        pods=(None, None),
        volumes=(frozenset(), frozenset()),
        store=Store(holder=0),
        clock=0,
        controls=(Control(opened=True), Control())[:controllers],
        flights=frozenset(),
        budget=budget,
        kept=kept,
    )


def put(items: tuple, index: int, item: object) -> tuple:  # type: ignore[type-arg]
    return (*items[:index], item, *items[index + 1 :])


# From states to the machine's values, each made once

WRITES: list[Write] = []
_NUMBERS: dict[Write, int] = {}


def number_of(write: Write) -> int:
    number = _NUMBERS.setdefault(write, len(WRITES))
    if number == len(WRITES):
        WRITES.append(write)
    return number


@cache
def as_deployment(index: int, dep: Dep) -> Deployment:
    annotations = {names.MESSAGE: dep.message} if dep.message is not None else {}
    return deployment(
        NAMES[index],
        uid=f"uid-{index}-{dep.uid}",
        image=dep.image,
        run_id=dep.run,
        record=dep.record,
        annotations=annotations,
        labels={names.PHASE: dep.phase} if dep.phase is not None else None,
    )


@cache
def landed(index: int, dep: Dep, number: int) -> Dep | None:
    """The Deployment after a patch; None where it is refused."""
    after = apply_write(as_deployment(index, dep), WRITES[number])
    if after is None:
        return None
    template = after.spec.template
    image, init = (
        (containers or [])[0].image
        for containers in (template.spec.containers, template.spec.init_containers)
    )
    if image != init:
        raise Violation(f"I2: node and init container have two images: {image}, {init}")
    return Dep(
        dep.uid,
        image,
        template.metadata.annotation(names.RUN_ID),
        after.metadata.annotation(names.RECORD),
        after.metadata.label(names.PHASE),
        after.metadata.annotation(names.MESSAGE),
    )


@cache
def as_record(index: int, text: str | None) -> Record | None:
    return None if text is None else decode_record(text, "bootstrap", NAMES[index])


@cache
def as_pod(found: PodState) -> Pod:
    said = word(found.run or "", found.data, binary=found.real) if found.data else None
    return pod(
        found.run,
        found.image,
        uid=f"{found.uid}-{found.image}-{found.run}",
        said=said,
        started=EPOCH if found.up else None,
    )


def letter(digest: str) -> str:
    return digest.rpartition(":")[2][0]


class Seen(NamedTuple):
    """All that a look sees: what is seen alike is decided alike, once. While a run is open, neither
    claims nor the tag are looked at.
    """

    which: int  # Deployment
    dep: Dep
    pod: PodState | None
    ready: bool  # its node has bootstrapped
    sibling: str | None  # the other Deployment's record
    memory: str | None  # the mirrored record, if it is newer
    told: int
    claims: frozenset[ClaimState]
    pending: ClaimState | None
    leave: bool  # runs may be started
    tag: str
    clock: int


def look(s: State, c: int, i: int) -> Seen:
    control, found, dep = s.controls[c], s.pods[i], s.deps[i]
    ready = bool(found and found.up and (found.run, found.real, True) in s.volumes[i])
    record, mirrored = as_record(i, dep.record), as_record(i, s.store.mirror[i])
    newer = mirrored is not None and (record is None or record.seq < mirrored.seq)
    running = record is not None and record.run is not None
    return Seen(
        which=i,
        dep=dep,
        pod=found if running else None,
        ready=ready and running,
        sibling=s.deps[1 - i].record,
        memory=s.store.mirror[i] if newer else None,
        told=_told(mirrored) if mirrored else 0,
        claims=frozenset() if running else s.store.claims,
        pending=None if running else s.store.pending[i],
        leave=running or (control.opened and not control.waits & s.flights),
        tag="" if running else s.tag,
        clock=s.clock,
    )


@cache
def decision_on(seen: Seen) -> Decision:
    return decide(_observation(seen))


def _observation(seen: Seen) -> Observation:
    """The engine's own look, at no more than what is seen."""
    i = seen.which
    sibling = Dep(1, bare(), None, seen.sibling, None, None)
    cluster = StillCluster(
        {KEYS[i]: as_deployment(i, seen.dep), KEYS[1 - i]: as_deployment(1 - i, sibling)},
        SERVICES,
        {KEYS[i]: (as_pod(seen.pod),)} if seen.pod else {},
    )
    clock = StillClock(lambda: EPOCH + timedelta(seconds=seen.clock))
    store = as_store(
        Store(
            claims=seen.claims,
            pending=put((None, None), i, seen.pending),
            mirror=put((None, None), i, seen.memory),
        )
    )
    record = as_record(i, seen.dep.record)
    attention = _attention(record, tuple(cluster.pods(KEYS[i])), seen.ready)
    senses = Senses(
        cluster=cluster,
        store=store,
        clock=clock,
        rules=RULES,
        memory=RecordMemory(store),
        ledger=Ledger(store, clock, Random(0), settle=0.0, patience=0.0, records=lambda: ()),
        state=lambda followed: _state(followed, seen.tag),
        attention=lambda _key: attention,
        told=lambda _key: seen.told,
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
    life = view_pods(pods, record.run, "node").life
    healthy = ready and life is not None
    return Attention(
        run=record.run.id,
        looks=9,
        reverted=LONG,
        soak=_long_soak(life) if healthy and life is not None else None,
        answer=SOUND if healthy else None,
        answered_life=life if healthy else None,
    )


def _long_soak(life: Life) -> Soak:
    demands = demands_of(SyncMode.STATE, "fuji")
    held = dict.fromkeys(demands, 9)
    return Soak(life, LONG, 9, held, first={"C": Tip(1, 1.0)}, last={"C": Tip(9, 9.0)})


# The store, as the engine's own rooms use it

TARGET = str(read_request(deployment(), RULES).target)
CLUSTER = "cluster"


def as_store(store: Store) -> MemoryStore:
    """A store in which just this has happened."""
    found, epoch = still_store(), _epoch(store.holder)
    pending = [claim for claim in store.pending if claim]
    settled = [_claim(claim) for claim in store.claims if claim not in pending]
    at_once(found.refill(Meta(SCHEMA, epoch, 0, CLUSTER), settled))
    for claim in pending:
        at_once(found.claim(_claim(claim), epoch=epoch, seen_grants=0))
    for i, text in enumerate(store.mirror):
        if text is not None:
            record = as_record(i, text)
            assert record is not None
            fields = {"seq": str(record.seq), "record": text, "told": str(_told(record))}
            at_once(found.mirror(KEYS[i], fields))
    return found


def as_state(found: MemoryStore) -> Store:
    """And back."""
    meta = at_once(found.meta())
    assert meta is not None
    return Store(
        claims=frozenset(_state_of(claim) for claim in at_once(found.claims_of(TARGET))),
        pending=tuple(
            _state_of(claim) if (claim := at_once(found.pending(key))) else None for key in KEYS
        ),
        mirror=tuple(at_once(found.mirrored(key)).get("record") for key in KEYS),
        holder=next((c for c in (0, 1) if _epoch(c) == meta.epoch), None),
    )


def _told(record: Record) -> int:
    """`seq` of the last step that was told when this record was published."""
    return max((step.seq for step in record.steps), default=record.told)


def _epoch(holder: int | None) -> str:
    return f"{0xF if holder is None else holder:016x}"


def _claim(claim: ClaimState) -> Claim:
    return Claim(TARGET, claim[0], claim[1], KEYS[claim[2]])


def _state_of(claim: Claim) -> ClaimState:
    return claim.build, claim.run, KEYS.index(claim.owner)


class _Exchanged(PassingStore):
    """The store behind is another one by the next call."""

    def exchange(self, store: MemoryStore) -> None:
        self._behind = store


class _Draws(Random):
    """Whose next epoch is known."""

    def __init__(self, c: int) -> None:
        super().__init__(c)
        self._c = c

    def getrandbits(self, k: int, /) -> int:
        return self._c


def _opened(c: int, texts: tuple[str | None, ...]) -> tuple[Ledger, _Exchanged]:
    """The ledger of a controller that has opened some store: another one may stand there now."""
    store, clock = _Exchanged(still_store()), StillClock(lambda: EPOCH)
    records = [record for i, text in enumerate(texts) if (record := as_record(i, text))]
    ledger = Ledger(
        store, clock, _Draws(c), settle=0.0, patience=0.0, records=lambda: iter(records)
    )
    at_once(ledger.open(CLUSTER))
    return ledger, store


@cache
def after_refill(c: int, store: Store, texts: tuple[str | None, ...]) -> Store:
    """The controller opens the store; these are the records that it sees."""
    found = as_store(store)
    ledger, behind = _opened(c, texts)
    behind.exchange(found)
    at_once(ledger.open(CLUSTER))
    return as_state(found)


@cache
def after_effect(
    c: int, i: int, effect: Effect, store: Store, texts: tuple[str | None, ...]
) -> Store:
    """The controller carries out one effect of a decision about the Deployment."""
    found = as_store(store)
    ledger, behind = _opened(c, texts)
    behind.exchange(found)
    memory, clock = RecordMemory(behind), StillClock(lambda: EPOCH)
    executor = Executor(StillCluster({}), behind, ledger, memory, clock, lambda _key: None)
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
        )
    )
    at_once(
        Publisher(found, ear).publish(as_deployment(i, Dep(1, bare(), *_NOTHING)), record, text)
    )
    told = frozenset((n.id, str(n.phase), n.reason) for n in ear.notices)
    after = as_state(found)
    return told, after.mirror[i], after.pending[i]


_NOTHING = (None, None, None, None)


# What may happen next


def work(s: State) -> Iterator[tuple[Step, State]]:
    """What controllers, kubelets and the API server do without being disturbed."""
    for c, control in enumerate(s.controls):
        if not control.opened:
            yield ("open", c), refilled(s, c)
        if control.busy is None:
            for i in range(s.kept):
                after = looked(s, c, i)
                if after is not None:
                    yield ("look", (c, i)), after
        elif control.sent is None:
            yield ("effect", (c, control.effects[0])), effect_done(s, c)
    for flight in sorted(s.flights):
        yield ("lands", flight), flown(s, flight)
    for i in (0, 1):
        after = kubelet(s, i)
        if after is not None:
            yield ("kubelet", i), after


def looked(s: State, c: int, i: int) -> State | None:
    """Observe and decide; None where there is nothing to do.

    What happened is published when nothing is left to decide, which in truth is after each patch or
    two, and here at the latest before a record would have to drop a step that nobody was told.
    """
    before, record = s, as_record(i, s.deps[i].record)
    if record and len(record.steps) >= RULES.steps - 1:
        s = published(s, i)
    what = to_do(look(s, c, i))
    if what.record is not None:
        check_verdict(s, i, what.record)
    if what.write is not None:
        flight = (i, what.write)
        control = s.controls[c]._replace(busy=i, sent=flight, effects=what.effects)
        return s._replace(controls=put(s.controls, c, control), flights=s.flights | {flight})
    if what.effects:
        control = s.controls[c]._replace(busy=i, effects=what.effects)
        return s._replace(controls=put(s.controls, c, control))
    after = published(s, i)
    return after if after != before else None


class ToDo(NamedTuple):
    """What of a decision is explored."""

    write: int | None = None  # its number
    record: Record | None = None
    effects: tuple[Effect, ...] = ()


@cache
def to_do(seen: Seen) -> ToDo:
    decision = decision_on(seen)
    effects = tuple(e for e in decision.effects if not isinstance(e, Nudge))
    if only_says(as_record(seen.which, seen.dep.record), decision):
        return ToDo(effects=effects)
    write = number_of(decision.write) if decision.write is not None else None
    return ToDo(write, decision.record, effects)


def only_says(old: Record | None, decision: Decision) -> bool:
    """Whether a write changes nothing but what an idle Deployment says of itself. Those are left
    out, for each would double the world; `check_settled` does them.
    """
    new = decision.record
    if old is None or new is None or decision.effects or new.phase is not Phase.IDLE:
        return False
    saying = ("seq", "reason", "message", "since", "told", "steps")
    return with_fields(new, **{name: getattr(old, name) for name in saying}) == old


def published(s: State, i: int) -> State:
    """History, sinks and mirror follow from the record, once nothing is left to decide (I4)."""
    text, store = s.deps[i].record, s.store
    record = as_record(i, text)
    if record is None:
        return s
    said, mirror, pending = after_publishing(i, text or "", store.mirror[i], store.pending[i])
    told = s.told | said
    if len({identity for identity, _, _ in told}) != len(told):
        raise Violation(f"I4: two transitions have one id: {sorted(told)}")
    if store.holder is None and told == s.told:
        return s  # a mirror that was lost is not missed before somebody refills the store
    store = store._replace(
        mirror=put(store.mirror, i, mirror), pending=put(store.pending, i, pending)
    )
    return s._replace(store=store, told=told)


def effect_done(s: State, c: int) -> State:
    """The first effect that is left; each is one step, so a crash fits between any two."""
    control, store = s.controls[c], s.store
    effect, *rest = control.effects
    i = control.busy
    assert i is not None
    control = control._replace(effects=tuple(rest), busy=i if rest else None)
    s = s._replace(controls=put(s.controls, c, control))
    after = after_effect(c, i, effect, store, texts(s))
    if after.holder != store.holder:
        return opened(s, c, after, waits=s.flights)  # StoreForgot: refilled, and decides again
    granted = isinstance(effect, TakeClaim) and (effect.build, effect.run, i) in after.claims
    return s._replace(clock=s.clock + granted, store=after)


def refilled(s: State, c: int) -> State:
    """A controller has started, and opens the store."""
    return opened(s, c, after_refill(c, s.store, texts(s)), waits=s.controls[c].waits)


def opened(s: State, c: int, store: Store, *, waits: frozenset[Flight]) -> State:
    """The store was given what the records prove, and belongs to this controller's epoch."""
    control = s.controls[c]._replace(opened=True, waits=waits)
    return s._replace(store=store, controls=put(s.controls, c, control))


def texts(s: State) -> tuple[str | None, ...]:
    return tuple(dep.record for dep in s.deps)


def flown(s: State, flight: Flight) -> State:
    """The patch reaches the API server; whoever waits for it is answered."""
    i, number = flight
    before = s.deps[i]
    after = landed(i, before, number)
    controls = tuple(
        _answered(control, flight, applied=after is not None)._replace(
            waits=control.waits - {flight}
        )
        for control in s.controls
    )
    s = s._replace(flights=s.flights - {flight}, controls=controls)
    if after is None:
        return s
    check_write(i, before, after)
    return s._replace(deps=put(s.deps, i, after), void=s.void | _voided(i, after))


def _answered(control: Control, flight: Flight, *, applied: bool) -> Control:
    if control.sent != flight:
        return control
    effects = control.effects if applied else ()
    return control._replace(sent=None, effects=effects, busy=control.busy if effects else None)


def _voided(i: int, dep: Dep) -> set[tuple[str, int]]:
    record = as_record(i, dep.record)
    outcomes = record.outcomes if record else ()
    return {(o.run, i) for o in outcomes if o.reason == "ForeignData"}


def kubelet(s: State, i: int) -> State | None:
    """The pod follows the template; the init container decides about the data (I6)."""
    dep, found, volume = s.deps[i], s.pods[i], s.volumes[i]
    if dep.run is None:
        return None  # it waits in its init container and touches nothing
    if found and (found.uid, found.image, found.run) == (dep.uid, dep.image, dep.run):
        own = next((d for d in volume if d[0] == found.run), None)
        if not found.up or own is None or own[2]:
            return None
        return s._replace(volumes=put(s.volumes, i, volume - {own} | {(own[0], own[1], True)}))
    digest = Reference.parse(dep.image).digest
    real = letter(digest) if digest else s.tag
    data: str | None = None
    if not any(d[0] > dep.run for d in volume):
        own = next((d for d in volume if d[0] == dep.run), None)
        if own is None:
            check_wiped(s, i, dep.run)
            volume, data = frozenset({(dep.run, real, False)}), "fresh"
        else:
            data = "resumed" if own[1] == real else "foreign"
    made = PodState(dep.uid, dep.image, real, dep.run, data)
    started = s.started | {(real, dep.run, i)} if made.up else s.started
    return s._replace(pods=put(s.pods, i, made), volumes=put(s.volumes, i, volume), started=started)


def disturbances(s: State) -> Iterator[tuple[Step, State]]:
    budget = s.budget
    for c, control in enumerate(s.controls):
        if budget.crashes and (control.busy is not None or control.opened):
            store = s.store._replace(holder=None) if s.store.holder == c else s.store
            after = s._replace(
                controls=put(s.controls, c, Control(waits=s.flights)),
                store=store,
                budget=budget._replace(crashes=budget.crashes - 1),
            )
            if after.controls != s.controls:
                yield ("crash", c), after
        if budget.lost_replies and control.sent in s.flights:
            lost = control._replace(busy=None, sent=None, effects=())
            yield (
                ("lost reply", c),
                s._replace(
                    controls=put(s.controls, c, lost),
                    budget=budget._replace(lost_replies=budget.lost_replies - 1),
                ),
            )
    for i, dep in enumerate(s.deps):
        if budget.reverts and dep.image != bare():
            yield (
                ("revert", i),
                s._replace(
                    deps=put(s.deps, i, dep._replace(image=bare())),
                    budget=budget._replace(reverts=budget.reverts - 1),
                ),
            )
        if budget.recreations and dep.record is not None:
            again = Dep(dep.uid + 1, bare(), None, None, None, None)
            yield (
                ("made again", i),
                s._replace(
                    deps=put(s.deps, i, again),
                    pods=put(s.pods, i, None),
                    budget=budget._replace(recreations=budget.recreations - 1),
                    again=True,
                ),
            )
    if budget.flushes and s.store.holder is not None:
        yield (
            ("flush", None),
            s._replace(store=Store(), budget=budget._replace(flushes=budget.flushes - 1)),
        )
    if budget.tag_moves:
        yield (
            ("tag moves", None),
            s._replace(
                tag=chr(ord(s.tag) + 1), budget=budget._replace(tag_moves=budget.tag_moves - 1)
            ),
        )


# What must always hold


def check_write(i: int, before: Dep, after: Dep) -> None:
    """I2: the image of an open run is changed only to put its own pin back. I5: one by one."""
    old, new = as_record(i, before.record), as_record(i, after.record)
    if new is None:
        raise Violation("I5: a write without a record")
    if old is not None and new.seq != old.seq + 1:
        raise Violation(f"I5: record {old.seq} was followed by {new.seq}")
    if after.image != before.image and (new.run is None or after.image != new.run.image):
        raise Violation(f"I2: the image was changed to {after.image}, which is no run's")
    if old and old.run and new.run and old.run.id != new.run.id:
        raise Violation(f"I2: run {old.run.id} was replaced by {new.run.id}")


def check_verdict(s: State, i: int, record: Record) -> None:
    """I3: what passes is a pod of the run's own id and image, on data of its own build alone."""
    outcome, found = record.outcome(), s.pods[i]
    if record.run is not None or outcome is None or outcome.phase is not Phase.PASSED:
        return
    old = as_record(i, s.deps[i].record)
    if old is None or old.run is None or old.run.id != outcome.run:
        return
    real = letter(outcome.build)
    shape = (outcome.run, real, old.run.image)
    if found is None or not found.up or (found.run, found.real, found.image) != shape:
        raise Violation(f"I3: run {outcome.run} passes on {found}")
    if (outcome.run, real, True) not in s.volumes[i]:
        raise Violation(f"I3: run {outcome.run} passes on {s.volumes[i]}")
    strangers = {b for b, run, at in s.started if (run, at) == (outcome.run, i)} - {real}
    if strangers:
        raise Violation(f"I3: run {outcome.run} passes on data that {strangers} touched")


def check_wiped(s: State, i: int, run: str) -> None:
    """I2, I6: the data of an open run is never removed."""
    record = as_record(i, s.deps[i].record)
    opened = record.run.id if record and record.run else run
    if opened != run and any(d[0] == opened for d in s.volumes[i]):
        raise Violation(f"I2: the data of run {opened} was removed")


def check(s: State) -> None:
    """I1: a build is started at most once; I6: no run goes on on another build's data."""
    starts: dict[str, set[tuple[str, int]]] = {}
    for real, run, i in s.started:
        if run.endswith(real * 8) and (run, i) not in s.void:
            starts.setdefault(real, set()).add((run, i))
    for real, runs in starts.items():
        if len(runs) > 1:
            raise Violation(f"I1: build {real} was started by {sorted(runs)}")
    for i, dep in enumerate(s.deps):
        record, found = as_record(i, dep.record), s.pods[i]
        if record is None or record.run is None or found is None or not found.up:
            continue
        own = found.run == record.run.id and found.image == dep.image == record.run.image
        if own and any(d[0] == found.run and d[1] != found.real for d in s.volumes[i]):
            raise Violation(f"I6: run {found.run} runs on data of another build")


def check_settled(s: State) -> None:
    """At rest: nothing is open, the tag's build was tested, and each run's end was told once."""
    records = [r for r in (as_record(i, d.record) for i, d in enumerate(s.deps)) if r]
    if any(r.run for r in records):
        raise Violation("at rest with an open run")
    given_up = any(r.phase is Phase.BLOCKED and r.reason == "ForeignData" for r in records)
    if not given_up and not any(
        build(s.tag) in builds for r in records for builds in r.tested.values()
    ):
        raise Violation(f"at rest, and nobody has tested build {s.tag}: {records}")
    for i in range(s.kept):
        check_quiet(s, i)
    for i, claim in enumerate(s.store.pending):
        record = as_record(i, s.deps[i].record)
        if claim and not (record and record.inherited == claim[1]):
            raise Violation(f"at rest with a claim that leads nowhere: {claim}")
    if s.again:
        return
    ends: dict[tuple[str, str], int] = {}
    for identity, phase, _ in s.told:
        _, name, run, _ = identity.split(".")
        over = phase in (Phase.PASSED, Phase.FAILED, Phase.ABORTED)
        ends[name, run] = ends.get((name, run), 0) + over
    for (name, run), count in ends.items():
        if run != "idle" and count != 1:
            raise Violation(f"I4: the end of {name}'s run {run} was told {count} times")


def check_quiet(s: State, i: int) -> None:
    """A few looks say all that there is to say; then nothing is written any more."""
    for _ in range(3):
        decision = decision_on(look(s, 0, i))
        if decision.write is None:
            if any(not isinstance(effect, Nudge) for effect in decision.effects):
                raise Violation(f"at rest with effects: {decision.effects}")
            return
        after = landed(i, s.deps[i], number_of(decision.write))
        assert after is not None
        s = s._replace(deps=put(s.deps, i, after))
    raise Violation(f"{KEYS[i]} does not stop to be written")


def text_of(step: Step) -> str:
    kind, what = step
    if kind == "lands" and isinstance(what, tuple):
        write = WRITES[what[1]]
        seq = json.loads(write.record or "{}").get("seq")
        return f"lands {KEYS[what[0]]} seq {seq} {write.phase} pins={write.pins}: {write.message}"
    return f"{kind} {what}"
