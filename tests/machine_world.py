"""A small world of values around the pure machine: what the API server, a kubelet, a volume and the
store would do, one step at a time, without waiting. For tests of the machine and its exploration.
"""

import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.build import Resolution
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import (
    Choice,
    ClaimSeen,
    Decision,
    GiveBack,
    Leave,
    Observation,
    TakeClaim,
)
from controller.domain.decide.verdict import clock_fault
from controller.domain.defaults import Rules
from controller.domain.health.attention import Attention, LastWords, Look, attend
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, read_request
from controller.domain.node_http import NodeAnswer, Tip
from controller.domain.objects import (
    Deployment,
    Pod,
    Service,
)
from controller.domain.pace.comparison import PastRun
from controller.domain.pods.run_pods import Life, view_pods
from controller.domain.record.parts import Facts
from controller.domain.record.pin import PinState, pin_state
from controller.domain.record.record import Record, decode_record
from controller.domain.reference import Reference
from store.api import SCHEMA, Claim, Meta
from store.memory import MemoryStore
from tests.fakes import EPOCH
from tests.machine_objects import RULES, SOUND, apply_write, build, pod, service, word

T = TypeVar("T")
GIVEN = Leave(True)


@dataclass(frozen=True)
class Directory:
    """Data of one run on a volume. binary: build that began it."""

    binary: str
    resumes: int = 0
    done: bool = False


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


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits: a MemoryStore's are such."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("it waits")


def following(answer: NodeAnswer, at: float) -> NodeAnswer:
    """A bootstrapped node that follows its chains, unless the answer says how it does."""
    if not answer.ready or answer.tips:
        return answer
    return replace(answer, tips={"C": Tip(int(at), at - 2), "P": Tip(int(at) // 60, at - 60)})


def record_or_fault(found: Deployment) -> Record | TargetFault | None:
    meta = found.metadata
    text = meta.annotation(names.RECORD)
    if text is None:
        return None
    try:
        return decode_record(text, meta.namespace, meta.name)
    except TargetFault as fault:
        return fault


def observation(
    found: Deployment, *, service_: Service | None = None, rules: Rules = RULES, **more: Any
) -> Observation:
    """What a look at this Deployment sees, as far as the manifest tells it."""
    request: RunRequest | TargetFault
    port: int | TargetFault
    try:
        request = read_request(found, rules)
    except TargetFault as fault:
        request = fault
    try:
        port = node_port(found, service_ or service(found.metadata.name))
    except TargetFault as fault:
        port = fault
    values: dict[str, Any] = {"now": EPOCH, "skew": 0.0, **more}
    return Observation(
        deployment=found,
        record_text=found.metadata.annotation(names.RECORD),
        record=record_or_fault(found),
        request=request,
        port=port,
        rules=rules,
        **values,
    )


@dataclass
class World:
    """One cluster, one registry and one store, all at rest between two calls.

    tags: tag to the letter of the build behind it; None is a registry that does not answer.
    manager: who writes what is not ours. ahead: seconds that our wall clock is ahead of a chain's.
    words, facts, earlier: what the prober has read beside.
    """

    rules: Rules = RULES
    tags: dict[str, str | None] = field(default_factory=lambda: {"latest": "a"})
    deployments: dict[str, Deployment] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    pods: dict[str, tuple[Pod, ...]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Directory]] = field(default_factory=dict)
    attention: dict[str, Attention] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    leave: Leave = GIVEN
    memory_known: bool = True
    skew: float | None = 0.0
    ahead: float = 0.0
    words: dict[str, LastWords] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    earlier: tuple[PastRun, ...] | None = None
    manager: str = ""
    now: datetime = EPOCH
    grants: int = 0
    refused: int = 0
    pods_made: int = 0

    def __post_init__(self) -> None:
        at_once(self.store.refill(Meta(SCHEMA, "epoch", 0, "cluster"), []))

    def add(self, found: Deployment) -> str:
        key = found.metadata.key
        self.deployments[key] = found
        self.services.setdefault(key, service(found.metadata.name))
        return key

    def record(self, key: str) -> Record:
        found = record_or_fault(self.deployments[key])
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

    def observe(self, key: str) -> Observation:
        found = self.deployments[key]
        o = observation(
            found,
            service_=self.services.get(key),
            rules=self.rules,
            now=self.now,
            pods=self.pods.get(key, ()),
            memory=self._mirrored(key),
            memory_known=self.memory_known,
            siblings=tuple(self._siblings(key)),
            leave=self.leave,
            attention=self.attention.get(key),
            manager=self.manager,
            skew=self.skew,
            facts=self.facts.get(key),
            earlier=self.earlier,
        )
        if self.services.get(key) is None:
            o = replace(o, port=TargetFault("NoService", "there is no Service"))
        claim = at_once(self.store.pending(key))
        pending = ClaimSeen(claim.target, claim.build, claim.run, claim.owner) if claim else None
        record = o.record if isinstance(o.record, Record) else None
        if pending and record and pending.run <= record.last_run:
            pending = None
        if record is not None and record.run is not None:
            pending = None
        choices = []
        if isinstance(o.request, RunRequest):
            choices = [self._choice(o.request, *wish) for wish in _wishes(o.request, record)]
        return replace(o, pending=pending, choices=tuple(choices))

    def _mirrored(self, key: str) -> Record | None:
        fields = at_once(self.store.mirrored(key))
        namespace, _, name = key.partition("/")
        return decode_record(fields["record"], namespace, name) if "record" in fields else None

    def _siblings(self, key: str) -> list[Record]:
        others = (record_or_fault(d) for k, d in self.deployments.items() if k != key)
        return [r for r in others if isinstance(r, Record)]

    def _choice(self, request: RunRequest, source: str, name: str) -> Choice:
        letter = name[7] if ":" in name else self.tags.get(name)
        if letter is None:
            return Choice(name, source, trouble="the registry is away", lasting=False)
        digest = build(letter)
        claim = at_once(self.store.claimed(str(request.target), digest))
        stands = ClaimSeen(claim.target, claim.build, claim.run, claim.owner) if claim else None
        return Choice(name, source, Resolution(digest, digest), claim=stands)

    def look(self, key: str) -> Decision:
        """Observe, decide, and do it in the executor's order."""
        decision = decide(self.observe(key))
        self.carry_out(key, decision)
        return decision

    def carry_out(self, key: str, decision: Decision) -> None:
        if decision.write is not None:
            after = apply_write(self.deployments[key], decision.write)
            if after is None:
                self.refused += 1
                return
            self.deployments[key] = after
        for effect in decision.effects:
            match effect:
                case TakeClaim():
                    self._claim(key, effect)
                case GiveBack(claim):
                    released = Claim(claim.target, claim.build, claim.run, claim.owner)
                    at_once(self.store.release(released))
                case _:
                    pass

    def _claim(self, key: str, take: TakeClaim) -> None:
        wanted = Claim(take.target, take.build, take.run, key)
        if take.by_person and take.instead_of is not None:
            work = self.store.retake(
                wanted, epoch="epoch", seen_grants=0, instead_of=take.instead_of
            )
        else:
            work = self.store.claim(
                wanted, epoch="epoch", seen_grants=0, instead_of=take.instead_of
            )
        _, self.grants = at_once(work)

    def settle(self, key: str, *, most: int = 12) -> Decision:
        """Looks until a look changes nothing, then publishes as the engine does."""
        for _ in range(most):
            decision = self.look(key)
            if decision.write is None and not any(
                isinstance(e, TakeClaim | GiveBack) for e in decision.effects
            ):
                self.publish(key)
                return decision
        raise AssertionError(f"decisions on {key} do not settle")

    def publish(self, key: str) -> None:
        """The mirror, and the claim whose run has come to be."""
        text = self.deployments[key].metadata.annotation(names.RECORD)
        record = record_or_fault(self.deployments[key])
        if text is None or not isinstance(record, Record):
            return
        at_once(self.store.mirror(key, {"seq": str(record.seq), "record": text}))
        claim = at_once(self.store.pending(key))
        if claim is not None and claim.run <= record.last_run:
            at_once(self.store.settle(claim))

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
            before = Attention(record.run.id, observed=record.run.observed)
        pods = view_pods(self.pods.get(key, ()), record.run, "node")
        run, at = record.run, self.now.timestamp()
        now = attend(
            before,
            Look(
                at=at,
                now=at + self.ahead,
                life=pods.life,
                answer=following(answer, at) if pods.life is not None and answer else None,
                obstacles=pods.obstacles,
                started=bool(run.started or pods.started) and not run.fault,
                judged=not run.fault,
                reverted=pin_state(self.deployments[key], run, record) is PinState.REVERTED,
                phase=run.phase,
                mode=run.mode,
                network=run.network,
                ends=pods.ends,
                words=self.words.get(key),
                clock_fault=clock_fault(self.skew, self.rules),
            ),
            gap,
            self.rules,
        )
        self.attention[key] = now
        return now

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


def _wishes(request: RunRequest, record: Record | None) -> list[tuple[str, str]]:
    """As `engine.observe.wishes` has it."""
    found = []
    if request.first is not None:
        found.append(("test-build", request.first))
    digest = request.node.reference.digest
    if digest is not None and (record is None or digest not in record.builds()):
        found.append(("image", digest))
    return [*found, ("tag", request.track)]
