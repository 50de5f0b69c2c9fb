"""One look at one Deployment for `explain`: what the controller would see, and would decide."""

from dataclasses import dataclass, replace

from controller.base.clock import Clock
from controller.base.errors import Fault, NoAccess, Refused, Trouble
from controller.domain.build import Resolution
from controller.domain.decide.candidates import candidates
from controller.domain.decide.machine import decide
from controller.domain.decide.messages.waiting import why_pin_refused
from controller.domain.decide.observation import Decision, Leave, Observation
from controller.domain.decide.verdict import clock_fault
from controller.domain.defaults import Rules
from controller.domain.followed import Followed
from controller.domain.health.conditions import Condition, Span
from controller.domain.health.look import Look
from controller.domain.health.observed_time import Attention, attend
from controller.domain.manifest.request import RunRequest, node_container_name
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import Deployment
from controller.domain.pace.progress import Progress
from controller.domain.pods.obstacles import refused_pods
from controller.domain.pods.run_pods import RunPods, address_of, view_pods
from controller.domain.record.record import OpenRun, Record, record_of
from controller.domain.run import Reason
from controller.engine.claims.ledger import Ledger
from controller.engine.polling.tag_state import TagState
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.reconcile.record_memory import RecordMemory
from controller.inspection.custody import who_looks_after
from controller.inspection.deployments import Inspection
from controller.inspection.progress_and_coverage import Remembered, of_record, recall
from controller.inspection.store_ownership import check_ours
from controller.kube.lease_object import read_holder
from store import ReadOnlyStore, is_memory, open_store
from store.api import StateStore, StoreMisused, StoreUnavailable


@dataclass(frozen=True)
class Explanation:
    """Everything that a decision about one Deployment rests on, and the decision."""

    observation: Observation
    decision: Decision
    states: dict[Followed, TagState]  # what the registry said of each tag and digest it was asked
    pods: RunPods | None  # of the open run; None: no run is open
    answer: NodeAnswer | None  # of the open run's node; None: it was not asked
    remembered: Remembered  # what the store knows beside, or the record where no store lasts
    store_trouble: str  # why the store tells nothing, in one sentence; empty: it does
    lease: str  # who is active, in words
    custody: str  # who looks after a Deployment with a monitor, in words; empty: it has none


async def explain_deployment(i: Inspection, key: str) -> Explanation:
    """Looks once at everything, as the controller would, and decides, and does nothing."""
    deployment = i.cluster.deployment(key)
    if deployment is None:
        raise Refused(f"{key} is not labelled, or not there")
    clock, rules = i.wiring.around.clock, Rules()
    store, why_not = await _believed(i)
    random = i.wiring.around.random
    ledger = Ledger(store, clock, random, settle=0.0, patience=0.0, records=lambda: ())
    states: dict[Followed, TagState] = {}
    attention: list[Attention] = []
    memory = RecordMemory(store)
    senses = Senses(
        cluster=i.cluster,
        store=store,
        clock=clock,
        rules=rules,
        memory=memory,
        known=KnownRecords(i.cluster, memory, rules),
        ledger=ledger,
        state=lambda followed: states.get(followed, TagState()),
        attention=lambda _key: attention[0] if attention else None,
        told=lambda _key: 0,
        no_pin=lambda _key: _refused_pin(deployment),
    )
    first = await observe(senses, deployment, Leave(True))
    record = first.record if isinstance(first.record, Record) else None
    if isinstance(first.request, RunRequest):
        states.update(await _resolve(i, first.request, record))
    remembered = of_record(first) if why_not else await recall(store, first)
    pods, answer = None, None
    if record is not None and record.run is not None:
        container, refusal = node_container_name(deployment), refused_pods(deployment)
        pods = view_pods(first.pods, record.run, container, refusal)
        answer = await _ask(i, first, pods)
        # Only the node's own word counts: what this machine meets on the way there, a port that is
        # closed or somebody else who listens, says nothing of what the controller meets.
        heard = answer if answer and answer.kind is AnswerKind.ANSWERED else None
        attention.append(_attention(first, record.run, pods, heard, clock, remembered.progress))
    senses.known.doubt()  # nobody has told it what changed meanwhile
    o = await observe(senses, deployment, Leave(True))
    trouble, lease = why_not or ledger.failure, await _lease(i, key)
    custody = await who_looks_after(i, deployment, lease)
    return Explanation(o, decide(o), states, pods, answer, remembered, trouble, lease, custody)


def _refused_pin(deployment: Deployment) -> str:
    """What the controller was told when it tried last, as its record says; empty: nothing is."""
    record = record_of(deployment)
    if not isinstance(record, Record) or record.reason != Reason.WRITE_REFUSED:
        return ""
    return why_pin_refused(record.message)


async def _believed(i: Inspection) -> tuple[StateStore, str]:
    """The store that was named; or an empty one, and why: a sentence."""
    store = await i.wiring.store()
    if is_memory(i.wiring.settings.store.url):
        return ReadOnlyStore(store), "none is named (--store): what only it knows is not told here"
    try:
        await check_ours(store, i.inspected())
    except StoreMisused as error:
        return ReadOnlyStore(await open_store("memory://")), f"not believed: {error}"
    except StoreUnavailable:
        pass  # the ledger finds that out too, and says it
    return ReadOnlyStore(store), ""


def _attention(
    o: Observation,
    run: OpenRun,
    pods: RunPods,
    answer: NodeAnswer | None,
    clock: Clock,
    noted: Progress | None,
) -> Attention:
    """What one look shows: no time has passed, so nothing is decided by it. What it cannot tell of
    the conditions that the record names is as it was.
    """
    look = Look(
        at=clock.monotonic(),
        now=clock.now().timestamp(),
        life=pods.life,
        answer=answer,
        obstacles=pods.obstacles,
        started=bool(run.started),
        phase=run.phase,
        mode=run.mode,
        network=run.network,
        clock_fault=clock_fault(o.skew, o.rules),
    )
    said = {told.type: told.message for told in run.conditions}
    spans = {c: Span(0.0, said.get(c, "")) for c in Condition if c in said or c in run.trouble}
    seen = attend(Attention(run.id, synced=run.seen.synced, spans=spans), look, 0.0, o.rules)
    return replace(seen, progress=noted) if noted else seen


async def _resolve(
    i: Inspection, request: RunRequest, record: Record | None
) -> dict[Followed, TagState]:
    states = {}
    registry = await i.wiring.registry()
    for _, followed in candidates(request, record):
        repository = followed.repository
        try:
            digest = await registry.head(repository, followed.reference)
            build = await registry.build(repository, digest, followed.platform)
        except (Trouble, Fault) as error:
            shut = isinstance(error, NoAccess)
            states[followed] = TagState(error=str(error), lasting=True, failures=1, no_access=shut)
        else:
            quota, now = registry.quota(repository), i.wiring.around.clock.now()
            states[followed] = TagState(Resolution(digest, build), now, quota=quota)
    return states


async def _ask(i: Inspection, o: Observation, pods: RunPods) -> NodeAnswer | None:
    if not isinstance(o.port, int):
        return None
    address = address_of(o.deployment, pods, o.port)
    return await (await i.wiring.probe(i.client)).ask(address) if address else None


async def _lease(i: Inspection, key: str) -> str:
    """Who is active for this Deployment's namespace, in words."""
    homes, namespace = i.wiring.homes(i.client), key.partition("/")[0]
    try:
        holder = await read_holder(i.client, namespace if namespace in homes else homes[0])
    except Trouble as trouble:
        return f"unknown: {trouble}"
    return holder or "nobody: no controller is active here"
