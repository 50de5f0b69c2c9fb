"""A small world of values around the pure machine: what the API server, a kubelet, a volume and the
store would do, one step at a time, without waiting. For tests of the machine and its exploration.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from controller.domain import names
from controller.domain.build import Resolution
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, Leave, Observation
from controller.domain.decide.observing import observed
from controller.domain.decide.run_notes import taken_up
from controller.domain.decide.verdict import clock_fault
from controller.domain.defaults import Rules
from controller.domain.followed import Followed
from controller.domain.health.look import LastWords, Overheard, look_of
from controller.domain.health.observed_time import Attention, attend
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.node_log.running import read_running
from controller.domain.notice import Notice
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.pace.comparison import PastRun
from controller.domain.pods.obstacles import refused_pods
from controller.domain.pods.run_pods import Life, view_pods
from controller.domain.record.belief import sibling_record
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from controller.engine.claims.guarded_store import GuardedStore
from controller.engine.claims.ledger import Ledger
from controller.engine.polling.tag_state import TagState
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.reconcile.refused_writes import RefusedWrites
from controller.engine.telling.publisher import Publisher
from store.api import Claim
from store.memory import MemoryStore
from tests.fakes import EPOCH
from tests.kube_samples.objects import written_by
from tests.machine_engine import Ear, StillClock, StillCluster, at_once, still_store
from tests.machine_objects import RULES, SOUND, build, pod, service, word

GIVEN = Leave(True)
_IMAGES = {"f:spec": {"f:template": {"f:spec": {"f:containers": {
    'k:{"name":"node"}': {"f:image": {}}}}}}}  # fmt: skip


@dataclass(frozen=True)
class Directory:
    """Data of one run on a volume."""

    binary: str  # build that began it
    resumes: int = 0


def prepare_data(
    volume: Mapping[str, Directory], run: str | None, binary: str
) -> tuple[dict[str, Directory], str | None]:
    """The init container (I6): the volume after it, and its word; None where it waits."""
    if run is None or any(other > run for other in volume):
        return dict(volume), None
    own = volume.get(run)
    if own is not None and own.binary != binary:
        return dict(volume), word(run, "foreign", resumes=own.resumes, binary=binary)
    if own is None:
        return {run: Directory(binary)}, word(run, "fresh", binary=binary)
    own = replace(own, resumes=own.resumes + 1)
    return {run: own}, word(run, "resumed", resumes=own.resumes, binary=binary)


def following(answer: NodeAnswer, at: float, network: str = "local") -> NodeAnswer:
    """A live node, unless the answer says otherwise: it has just made its checks, names its
    network, and follows its chains once it has bootstrapped.
    """
    if answer.kind is not AnswerKind.ANSWERED:
        return answer
    if answer.checked is None:
        answer = replace(answer, checked=at, checked_all=at)
    answer = replace(answer, network=answer.network or network)
    if not answer.ready or answer.tips:
        return answer
    return replace(answer, tips={"C": Tip(int(at), at - 2), "P": Tip(int(at) // 60, at - 60)})


def observation(found: Deployment, *, rules: Rules = RULES, **more: Any) -> Observation:
    """What a look at this Deployment sees, as far as the manifest tells it."""
    seen = observed(found, service(found.metadata.name), rules, EPOCH)
    return replace(seen, **{"skew": 0.0, **more})


class Bookkeeping:
    """The engine's side of one store: believed from the first, unless it is never reached."""

    def __init__(
        self, store: MemoryStore, clock: StillClock, records: Collection[Record], *, reached: bool
    ) -> None:
        """records: it is refilled with what they prove; none where it knows what was claimed."""
        self.kept = store
        self.ledger = Ledger(
            store, clock, Random(0), settle=0.0, patience=0.0, records=lambda: records
        )
        self.store = GuardedStore(store, self.ledger.admit)
        self.ear = Ear()
        self.publisher = Publisher(self.store, self.ear)
        if reached:
            at_once(self.ledger.open("cluster"))


@dataclass
class World:
    """One cluster, one registry and one store, all at rest between two calls. The engine that looks
    at them remembers no record from one look to the next, as if it had just started.
    """

    rules: Rules = RULES
    # Tag to the letter of the build behind it; None: the registry does not answer
    tags: dict[str, str | None] = field(default_factory=lambda: {"latest": "a"})
    deployments: dict[str, Deployment] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    pods: dict[str, tuple[Pod, ...]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Directory]] = field(default_factory=dict)
    attention: dict[str, Attention] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=still_store)
    leave: Leave = GIVEN  # whether runs may be started, as the ledger would say
    memory_known: bool = True  # False: the store is never reached
    store_lasts: bool = True  # False: it ends with the controller, see `begin_anew`
    skew: float | None = 0.0  # seconds of our clock before the API server's; None: not known
    ahead: float = 0.0  # seconds of our clock before a chain's
    log: dict[str, str] = field(default_factory=dict)  # of the node that runs, where it was read
    unread: dict[str, str] = field(default_factory=dict)  # why that log could not be read
    words: dict[str, LastWords] = field(default_factory=dict)  # words, facts, earlier: what the
    facts: dict[str, Facts] = field(default_factory=dict)  # prober has read beside
    earlier: tuple[PastRun, ...] | None = None
    unheard: set[str] = field(default_factory=set)  # Deployments whose pods' watch fails
    order: Mapping[str, float] | None = None  # what the store told of the tag's builds
    named: bool = True  # nodes say on which network they are
    manager: str = ""  # who writes what is not ours
    now: datetime = EPOCH
    pods_made: int = 0

    def __post_init__(self) -> None:
        self._clock = StillClock(lambda: self.now)
        self._books: Bookkeeping | None = None

    def add(self, found: Deployment) -> str:
        key = found.metadata.key
        self.deployments[key] = found
        self.services.setdefault(key, service(found.metadata.name))
        return key

    def record(self, key: str) -> Record:
        found = record_of(self.deployments[key])
        assert isinstance(found, Record)
        return found

    def image(self, key: str) -> str:
        container = self.deployments[key].spec.template.spec.container("node")
        assert container is not None
        return container.image

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def change(self, key: str, found: Deployment) -> None:
        """Somebody else writes the Deployment."""
        self.deployments[key] = found

    def _cluster(self) -> StillCluster:
        return StillCluster(self.deployments, self.services, self.pods, self.skew)

    def _bookkeeping(self) -> Bookkeeping:
        """Of the store that stands here now."""
        if self._books is None or self._books.kept is not self.store:
            records = () if self.store_lasts else tuple(self._records())
            self._books = Bookkeeping(self.store, self._clock, records, reached=self.memory_known)
        return self._books

    def _records(self) -> Iterator[Record]:
        for found in self.deployments.values():
            record = sibling_record(found)
            if record is not None:
                yield record

    def begin_anew(self) -> None:
        """Another process of the controller: what no record says is gone."""
        self.store = still_store()
        self.attention.clear()

    @property
    def notices(self) -> list[Notice]:
        """All that this process has told."""
        return self._bookkeeping().ear.notices

    def _state(self, followed: Followed) -> TagState:
        name = followed.reference
        letter = name[7] if followed.fixed else self.tags.get(name)
        if letter is None:
            return TagState(error="the registry is away")
        return TagState(Resolution(build(letter), build(letter)))

    def observe(self, key: str) -> Observation:
        books = self._bookkeeping()
        cluster, memory = self._cluster(), RecordMemory(books.store)
        senses = Senses(
            cluster=cluster,
            store=books.store,
            clock=self._clock,
            rules=self.rules,
            memory=memory,
            known=KnownRecords(cluster, memory, self.rules),
            ledger=books.ledger,
            state=self._state,
            attention=self.attention.get,
            # While the store lasts a record keeps its steps, for tests to read.
            told=lambda _key: 0 if self.store_lasts else books.publisher.told(key),
            store_lasts=self.store_lasts,
            facts=self.facts.get,
            earlier=lambda _key: self.earlier,
            order=lambda _key: self.order,
        )
        o = at_once(observe(senses, self.deployments[key], self.leave))
        if not self.manager:
            return o
        return replace(o, deployment=written_by(o.deployment, self.manager, _IMAGES))

    def look(self, key: str) -> Decision:
        """Observe, decide, and do it."""
        decision = decide(self.observe(key))
        self.carry_out(key, decision)
        return decision

    def carry_out(self, key: str, decision: Decision) -> bool:
        """Whether anything changed."""
        books = self._bookkeeping()
        executor = Executor(
            self._cluster(),
            books.store,
            books.ledger,
            RecordMemory(books.store),
            self._clock,
            nudge=lambda _key: None,
            refused=RefusedWrites(self._clock, Random(0)),
        )
        return at_once(executor.carry_out(key, decision))

    def settle(self, key: str, *, most: int = 12) -> Decision:
        """Looks until a look changes nothing, then publishes as the engine does."""
        for _ in range(most):
            o = self.observe(key)
            decision = decide(o)
            if not self.carry_out(key, decision):
                publisher = self._bookkeeping().publisher
                if isinstance(o.record, Record) and o.record_text is not None:
                    at_once(publisher.publish(o.deployment, o.record, o.record_text))
                if self.store_lasts or publisher.told(key) == o.told:
                    return decision
        raise AssertionError(f"decisions on {key} do not settle")

    def kubelet(self, key: str) -> None:
        """The pod follows the template: Recreate, init container, node."""
        template = self.deployments[key].spec.template
        run = template.metadata.annotation(names.RUN_ID)
        image = self.image(key)
        standing = self.pods.get(key, ())
        if standing and standing[0].metadata.annotation(names.RUN_ID) == run:
            container = standing[0].spec.container("node")
            if container is not None and container.image == image:
                return
        digest = Reference.parse(image).digest or build(self.tags.get("latest") or "a")
        volume, said = prepare_data(self.volumes.get(key, {}), run, digest)
        self.volumes[key] = volume
        self.pods_made += 1
        started = said is not None and json.loads(said)["data"] != "foreign"
        made = pod(
            run,
            image,
            uid=f"pod-{self.pods_made}",
            said=said,
            started=self.now if started else None,
        )
        self.pods[key] = (made,)

    def probe(
        self, key: str, answer: NodeAnswer | None = SOUND, *, seconds: float = 30.0, gap: float = 90
    ) -> Attention:
        """Time passes, then one look of the prober; it asks only a node that runs."""
        self.pass_time(seconds)
        record = self.record(key)
        assert record.run is not None
        before = self.attention.get(key)
        if before is None or before.run != record.run.id:
            before = taken_up(record.run)
        refusal = refused_pods(self.deployments[key])
        pods = view_pods(self.pods.get(key, ()), record.run, "node", refusal)
        at, named = self.now.timestamp(), record.run.network if self.named else ""
        look = look_of(
            record,
            self.deployments[key],
            pods,
            pods,
            following(answer, at, named) if pods.life is not None and answer else None,
            at=at,
            now=at + self.ahead,
            words=self.words.get(key),
            clock_fault=clock_fault(self.skew, self.rules),
            overheard=self._overheard(key, pods.life),
            stale=key in self.unheard,
        )
        now = attend(before, look, gap, self.rules)
        self.attention[key] = now
        return now

    def _overheard(self, key: str, life: Life | None) -> Overheard | None:
        log, unread = self.log.get(key, ""), self.unread.get(key, "")
        if life is None or not log + unread:
            return None
        return Overheard(life, read_running(log, self.now.timestamp()), unread)

    def take_claim(self, key: str) -> Claim:
        """Looks until the claim of what is due is taken, and no further."""
        for _ in range(4):
            claim = at_once(self.store.pending(key))
            if claim is not None:
                return claim
            self.look(key)
        raise AssertionError(f"nothing is claimed: {self.record(key).message}")

    def start_run(self, key: str) -> str:
        """Pins what is due; the id of the run."""
        self.settle(key)
        run = self.record(key).run
        assert run is not None, self.record(key).message
        return run.id

    def bootstrap(self, key: str) -> str:
        """A run whose node has started and said that it has bootstrapped; its id."""
        run = self.start_run(key)
        self.kubelet(key)
        self.settle(key)
        self.probe(key)
        self.settle(key)
        return run

    def pass_run(self, key: str) -> str:
        """A run that passes; its id."""
        run = self.bootstrap(key)
        self.finish(key)
        outcome = self.record(key).outcome()
        assert outcome is not None
        assert outcome.run == run
        return run

    def finish(self, key: str) -> None:
        """Looks until the open run is over, at a node that is well."""
        run = self.record(key).run
        for _ in range(100):
            current = self.record(key).run
            if run is None or current is None or current.id != run.id:
                return
            self.probe(key)
            self.settle(key)
        raise AssertionError(f"it does not end: {self.record(key).message}")

    def life(self, key: str) -> Life | None:
        run = self.record(key).run
        return view_pods(self.pods.get(key, ()), run, "node").life if run else None
