"""Gathers everything that a decision about one Deployment is made from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from controller.base.clock import Clock
from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.build import Build
from controller.domain.decide.at_rest import rests
from controller.domain.decide.candidates import candidates
from controller.domain.decide.observation import Choice, Leave, Observation
from controller.domain.decide.observing import (
    contested,
    needs_claims,
    observed_in,
    twin_run,
    with_claims,
)
from controller.domain.defaults import Rules
from controller.domain.followed import Followed
from controller.domain.health.observed_time import Attention
from controller.domain.objects import Deployment
from controller.domain.pace.comparison import PastRun
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record
from controller.domain.run import Reason
from controller.engine.claims.ledger import Ledger, seen
from controller.engine.polling.tag_state import TagState
from controller.engine.ports import Cluster
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.record_memory import RecordMemory
from store.api import (
    StateStore,
    StoreError,
    StoreItemUnusable,
    StoreMisused,
    StoreUnavailable,
)


@dataclass(frozen=True)
class Senses:
    """What observing draws on. Functions of a key are asked about that Deployment."""

    cluster: Cluster
    store: StateStore
    clock: Clock
    rules: Rules
    memory: RecordMemory
    known: KnownRecords
    ledger: Ledger
    state: Callable[[Followed], TagState]  # what a followed reference stands for
    # What the prober knows of the open run; None: nothing yet
    attention: Callable[[str], Attention | None]
    told: Callable[[str], int]  # `seq` of the last step that sinks and history have
    store_lasts: bool = True  # it outlives this process
    no_pin: Callable[[str], str] = lambda _key: ""  # why no pin is taken; empty: one may be
    # `seq` of the last step that all sinks have, whether history has it or not
    heard: Callable[[str], int] = lambda _key: 0
    # What is known beside the record of the open run; None: nothing yet
    facts: Callable[[str], Facts | None] = lambda _key: None
    # Passed runs of the open run's target; None while the store has not told
    earlier: Callable[[str], tuple[PastRun, ...] | None] = lambda _key: None
    # When that target's tag first pointed to which build; None while the store has not told
    order: Callable[[str], Mapping[Build, float] | None] = lambda _key: None


async def observe(senses: Senses, deployment: Deployment, leave: Leave) -> Observation:
    """The values seen now. A store that is away makes the observation poorer, never wrong: without
    its claims nothing is started. So does one key of it that cannot be used, here alone.
    """
    o = look_at(senses, deployment, leave)
    key = deployment.metadata.key
    try:
        await senses.memory.ask(key)
        memory = senses.memory.record(key)
        if not o.memory_known or memory is not o.memory:
            o = replace(o, memory=memory, memory_known=True)
        if needs_claims(o) and not (senses.memory.unclaimed(key) and rests(o)):
            o = await _with_claims(senses, o)
        run = twin_run(o)
        if run is not None:
            claim = await senses.store.claimed(run.target, run.build)
            o = replace(o, claim=seen(claim) if claim and not claim.unreadable else None)
    except (StoreUnavailable, StoreMisused) as error:
        senses.ledger.lost(error)
        alone = isinstance(error, StoreItemUnusable)
        o = replace(o, leave=_without(error) if alone else senses.ledger.leave())
        if o.record is None:  # nor is it known which claim its record has left behind
            o = replace(o, memory=None, memory_known=False)
    return o


def _without(error: StoreError) -> Leave:
    why = f"nothing is started here while the store cannot say what is claimed: {shown(error, 400)}"
    return Leave(False, why, reason=Reason.STORE_TROUBLE, lasting=True)


def look_at(senses: Senses, deployment: Deployment, leave: Leave) -> Observation:
    """As much of the observation as needs no waiting."""
    key = deployment.metadata.key
    reading, others = senses.known.reading(deployment), senses.known.index()
    o = observed_in(reading, senses.cluster.service(key), senses.clock.now())
    if isinstance(o.record, Record):
        senses.memory.note(o.record)
    pods = senses.cluster.pods(key)
    view = reading.view(pods)
    return replace(
        o,
        pods=view.pods if view else tuple(pods),
        view=view,
        memory=senses.memory.record(key),
        memory_known=senses.memory.known(key),
        siblings=others.on(reading.targets, but=key),
        troubled=others.troubled(),
        choices=tuple(_choices(senses, o)),
        leave=leave,
        no_pin=senses.no_pin(key),
        attention=senses.attention(key),
        told=senses.told(key),
        heard=senses.heard(key),
        store_lasts=senses.store_lasts,
        skew=senses.cluster.skew(),
        facts=senses.facts(key),
        earlier=senses.earlier(key),
        order=senses.order(key),
    )


def _choices(senses: Senses, o: Observation) -> Iterator[Choice]:
    if isinstance(o.request, TargetFault) or isinstance(o.record, TargetFault):
        return
    for source, followed in candidates(o.request, o.record):
        state = senses.state(followed)
        yield Choice(
            name=followed.reference,
            source=source,
            resolution=state.resolution,
            trouble=state.error or "",
            lasting=state.lasting,
            no_access=state.no_access,
        )


async def _with_claims(senses: Senses, o: Observation) -> Observation:
    key = o.deployment.metadata.key
    pending = await senses.store.pending(key)
    # While nothing is claimed yet, what an earlier controller asked for may still be on its way.
    senses.memory.note_pending(key, maybe=pending is not None or not senses.ledger.leave().given)
    standing = {}
    for target, build in contested(o):
        claim = await senses.store.claimed(target, build)
        if claim is not None:
            standing[build] = seen(claim)
    return with_claims(o, seen(pending) if pending else None, standing)
