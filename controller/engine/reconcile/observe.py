"""Gathers everything that a decision about one Deployment is made from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from controller.base.clock import Clock
from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.decide.candidates import candidates
from controller.domain.decide.observation import Choice, ClaimSeen, Leave, Observation
from controller.domain.defaults import Rules
from controller.domain.followed import Followed
from controller.domain.health.attention import Attention
from controller.domain.manifest.field_owners import image_manager
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, node_container_name, read_request
from controller.domain.objects import Deployment
from controller.domain.pace.comparison import PastRun
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record, record_of
from controller.engine.claims.ledger import Ledger, seen
from controller.engine.polling.reference_book import TagState
from controller.engine.ports import Cluster
from controller.engine.reconcile.record_memory import Memory
from store.api import StateStore, StoreMisused, StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Senses:
    """What observing draws on. state: what a followed reference stands for. attention: what the
    prober knows of a Deployment's open run; facts, earlier: what is known beside it. told: `seq` of
    the last step that all sinks have.
    """

    cluster: Cluster
    store: StateStore
    clock: Clock
    rules: Rules
    memory: Memory
    ledger: Ledger
    state: Callable[[Followed], TagState]
    attention: Callable[[str], Attention | None]
    told: Callable[[str], int]
    facts: Callable[[str], Facts | None] = lambda _key: None
    earlier: Callable[[str], tuple[PastRun, ...] | None] = lambda _key: None


async def observe(senses: Senses, deployment: Deployment, leave: Leave) -> Observation:
    """The values seen now. A store that is away makes the observation poorer, never wrong: without
    its claims nothing is started.
    """
    o = look_at(senses, deployment, leave)
    key = deployment.metadata.key
    try:
        await senses.memory.ask(key)
        memory = senses.memory.record(key)
        o = replace(o, memory=memory, memory_known=True)
        if not isinstance(o.record, TargetFault):
            o = await _with_claims(senses, o)
    except (StoreUnavailable, StoreMisused) as error:
        senses.ledger.lost(error)
        o = replace(o, leave=senses.ledger.leave())
        if o.record is None:  # nor is it known which claim its record has left behind
            o = replace(o, memory=None, memory_known=False)
    return o


def look_at(senses: Senses, deployment: Deployment, leave: Leave) -> Observation:
    """As much of the observation as needs no waiting."""
    meta, key = deployment.metadata, deployment.metadata.key
    text = meta.annotation(names.RECORD)
    record = record_of(deployment)
    if isinstance(record, Record):
        senses.memory.note(record)
    request = _or_fault(lambda: read_request(deployment, senses.rules))
    port = _or_fault(lambda: node_port(deployment, senses.cluster.service(key)))
    choices: tuple[Choice, ...] = ()
    if isinstance(request, RunRequest) and not isinstance(record, TargetFault):
        choices = tuple(_choices(senses, request, record))
    return Observation(
        now=senses.clock.now(),
        deployment=deployment,
        record_text=text,
        record=record,
        request=request,
        port=port,
        rules=senses.rules,
        pods=tuple(senses.cluster.pods(key)),
        memory=senses.memory.record(key),
        memory_known=senses.memory.known(key),
        siblings=tuple(siblings(senses.cluster, key)),
        choices=choices,
        leave=leave,
        attention=senses.attention(key),
        told=senses.told(key),
        manager=image_manager(deployment, node_container_name(deployment)) or "",
        skew=senses.cluster.skew(),
        facts=senses.facts(key),
        earlier=senses.earlier(key),
    )


def siblings(cluster: Cluster, key: str) -> Iterator[Record]:
    """The records of all other labelled Deployments, of whatever target: a record says itself which
    targets its builds were tested on.
    """
    keys = cluster.keys()
    for other in keys:
        deployment = cluster.deployment(other) if other != key else None
        if deployment is None:
            continue
        record = record_of(deployment)
        if isinstance(record, Record):
            yield record


def _choices(senses: Senses, request: RunRequest, record: Record | None) -> Iterator[Choice]:
    for source, followed in candidates(request, record):
        state = senses.state(followed)
        yield Choice(
            name=followed.reference,
            source=source,
            resolution=state.resolution,
            trouble=state.error or "",
            lasting=state.lasting,
        )


async def _with_claims(senses: Senses, o: Observation) -> Observation:
    key = o.deployment.metadata.key
    record = o.record if isinstance(o.record, Record) else None
    if record is not None and record.run is not None:
        return o  # an open run needs no claim: it has its own
    claim = await senses.store.pending(key)
    pending = seen(claim) if claim else None
    if pending is not None and record is not None and pending.run <= record.last_run:
        pending = None  # its run has come to be; the publisher settles it
    if not isinstance(o.request, RunRequest):
        return replace(o, pending=pending)
    choices = []
    for choice in o.choices:
        stands: ClaimSeen | None = None
        if choice.resolution is not None:
            target = str(o.request.target)
            found = await senses.store.claimed(target, choice.resolution.build)
            stands = seen(found) if found else None
        choices.append(replace(choice, claim=stands))
    return replace(o, pending=pending, choices=tuple(choices))


def _or_fault(read: Callable[[], T]) -> T | TargetFault:
    try:
        return read()
    except TargetFault as fault:
        return fault
