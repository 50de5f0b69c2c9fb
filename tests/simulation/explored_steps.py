"""What may happen next in the explored world."""

import json
from collections.abc import Iterator

from controller.domain.decide.observation import (
    TakeClaim,
)
from controller.domain.reference import Reference
from tests.machine_objects import (
    RULES,
    bare,
)
from tests.simulation.explored_invariants import (
    check_told,
    check_verdict,
    check_wiped,
    check_write,
)
from tests.simulation.explored_look import look, may_claim, to_do
from tests.simulation.explored_objects import WRITES, as_record, landed, letter
from tests.simulation.explored_state import (
    KEYS,
    Control,
    Dep,
    Flight,
    PodState,
    State,
    Step,
    Store,
    Violation,
    put,
)
from tests.simulation.explored_store import (
    after_effect,
    after_look,
    after_publishing,
    after_refill,
)


def work(s: State) -> Iterator[tuple[Step, State]]:
    """What controllers, kubelets and the API server do without being disturbed."""
    for c, control in enumerate(s.controls):
        if not control.joined or (control.owes and not control.waits & s.flights):
            yield ("looks at the store" if control.opened else "open", c), refilled(s, c)
        if control.busy is None:
            for i in s.watched(c) if control.opened or not s.inside else ():
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
    yield from _delays(s)


def _delays(s: State) -> Iterator[tuple[Step, State]]:
    """It is time to try a pin again that was refused."""
    for c, control in enumerate(s.controls):
        for i in sorted(control.refused):
            again = control._replace(refused=control.refused - {i})
            yield ("may pin again", (c, i)), s._replace(controls=put(s.controls, c, again))


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
    if told == s.told and not any(control.joined for control in s.controls):
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
    if isinstance(effect, TakeClaim) and control.joined and not may_claim(s, c):
        return s  # it was decided before the store was refilled: decided again
    after = after_effect(control.joined, i, effect, store, texts(s, c))
    if isinstance(effect, TakeClaim) and not control.joined:
        return opened(s, c, after, waits=s.flights)  # StoreForgot: refilled, and decides again
    granted = isinstance(effect, TakeClaim) and (effect.build, effect.run, i) in after.claims
    return s._replace(clock=s.clock + granted, store=after)


def refilled(s: State, c: int) -> State:
    """A controller has started, and opens the store; or it finds that the store has forgotten."""
    control = s.controls[c]
    if control.owes and control.joined:
        after = after_look(s.store, texts(s, c))
        settled = control._replace(owes=False)
        return s._replace(store=after, controls=put(s.controls, c, settled))
    after = after_refill(not control.opened, s.store, texts(s, c))
    return opened(s, c, after, waits=s.flights if control.opened else control.waits)


def opened(s: State, c: int, store: Store, *, waits: frozenset[Flight]) -> State:
    """The store was given what the records prove, and the controller has joined its epoch."""
    assert store.epoch
    control = s.controls[c]._replace(opened=True, joined=True, waits=waits, owes=s.apart)
    return s._replace(store=store, controls=put(s.controls, c, control))


def texts(s: State, c: int) -> tuple[str | None, ...]:
    """Of all records that the controller sees."""
    seen = s.watched(c) if s.apart else (0, 1)
    return tuple(dep.record if i in seen else None for i, dep in enumerate(s.deps))


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
    check_told(s, i, before, after)
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
    if s.inside:
        s = ended(s, 0)
    return s._replace(pods=put(s.pods, i, made), volumes=put(s.volumes, i, volume), started=started)


def ended(s: State, c: int) -> State:
    """A controller's process is over, and starts anew: what it had in hand is left where it was."""
    return s._replace(
        controls=put(s.controls, c, Control(waits=s.flights)),
        store=Store() if s.inside else s.store,
    )


def disturbances(s: State) -> Iterator[tuple[Step, State]]:
    budget = s.budget
    for c, control in enumerate(s.controls):
        if budget.crashes and (control.busy is not None or control.opened):
            after = ended(s, c)._replace(budget=budget._replace(crashes=budget.crashes - 1))
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
    yield from _refusals(s)
    yield from _ends(s)
    if budget.flushes and s.store.epoch:
        yield (
            ("flush", None),
            s._replace(
                store=Store(),
                controls=tuple(control._replace(joined=False) for control in s.controls),
                budget=budget._replace(flushes=budget.flushes - 1),
            ),
        )
    if budget.tag_moves:
        yield (
            ("tag moves", None),
            s._replace(
                tag=chr(ord(s.tag) + 1), budget=budget._replace(tag_moves=budget.tag_moves - 1)
            ),
        )


def _refusals(s: State) -> Iterator[tuple[Step, State]]:
    """The API server does not take a pin, though all that it expects is there."""
    for c, control in enumerate(s.controls):
        sent = control.sent
        if s.budget.refusals and sent is not None and sent in s.flights and WRITES[sent[1]].pins:
            yield ("pin is refused", c), pin_refused(s, c)


def pin_refused(s: State, c: int) -> State:
    """It never lands, and who has sent it is told."""
    control = s.controls[c]
    assert control.sent is not None
    refused = control.refused | {control.sent[0]}
    told = control._replace(busy=None, sent=None, effects=(), refused=refused)
    controls = put(s.controls, c, told)
    return s._replace(
        flights=s.flights - {control.sent},
        controls=tuple(each._replace(waits=each.waits - {control.sent}) for each in controls),
        budget=s.budget._replace(refusals=s.budget.refusals - 1),
    )


def _ends(s: State) -> Iterator[tuple[Step, State]]:
    """A node ends at the block that it ends at always, and is started again."""
    left = s.budget.ends
    for i, found in enumerate(s.pods):
        if left and found is not None and found.up:
            again = found._replace(ends=found.ends + 1)
            after = s._replace(pods=put(s.pods, i, again), budget=s.budget._replace(ends=left - 1))
            yield ("node ends", i), after


def text_of(step: Step) -> str:
    kind, what = step
    if kind == "lands" and isinstance(what, tuple):
        write = WRITES[what[1]]
        seq = json.loads(write.record or "{}").get("seq")
        return f"lands {KEYS[what[0]]} seq {seq} {write.phase} pins={write.pins}: {write.message}"
    return f"{kind} {what}"
