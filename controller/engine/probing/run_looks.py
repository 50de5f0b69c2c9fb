"""One open run that is looked at: its pod, its node, and what is known beside."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import TargetFault
from controller.domain.build import Build
from controller.domain.decide.run_notes import taken_up
from controller.domain.decide.verdict import clock_fault
from controller.domain.defaults import Rules
from controller.domain.health.look import Overheard, look_of
from controller.domain.health.observed_time import Attention, attend
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import node_container_name
from controller.domain.node_http import NodeAnswer
from controller.domain.objects import Deployment
from controller.domain.pace.comparison import PastRun
from controller.domain.pace.noted_progress import encode_progress
from controller.domain.pace.words import describe_progress, standing_stages
from controller.domain.pods.obstacles import refused_pods
from controller.domain.pods.run_pods import RunPods, address_of, view_pods
from controller.domain.record.record import OpenRun, Record
from controller.engine.ports import Cluster, NodeProbe, Registry, StateStore, Witness
from controller.engine.probing.earlier_runs import number_of, passed_runs
from controller.engine.probing.last_words import LastWordsReader
from controller.engine.probing.run_facts import RunFactsReader
from controller.engine.probing.running_log import RunningLogReader
from store.api import StoreMisused, StoreUnavailable

# Seconds between two notes of observed time and progress in the store: what a crash can cost a
# timeout, and one small write for each open run.
CHECKPOINT = 300.0
RESTED = 60.0  # seconds between two that are there for a counter that stands and moves by turns
# Seconds after which earlier runs are read again: another Deployment of the target may have passed.
EARLIER_KEPT = 6 * 3600.0


@dataclass(frozen=True)
class Probing:
    """What looking draws on."""

    cluster: Cluster
    probe: NodeProbe
    store: StateStore
    registry: Registry
    witness: Witness


class RunLooks:
    """See `Prober`."""

    def __init__(
        self,
        probing: Probing,
        clock: Clock,
        record: Record,
        interval: float,
        rules: Rules,
    ) -> None:
        self.record = record  # the newest; the run that is open in it is always this one
        run = self.run
        self.facts = run.facts
        self.earlier: tuple[PastRun, ...] | None = None  # passed; None: the store has not told
        # When the target's tag first pointed to which build; None: the store has not told
        self.order: Mapping[Build, float] | None = None
        self.attention = Attention(run.id)
        self.reverted = False  # the pin is taken back now
        self.woken = asyncio.Event()  # a look is due before its time
        self.task: asyncio.Task[None] | None = None  # what looks, once it was begun
        self._on = probing
        self._clock = clock
        self._rules = rules
        # An interval is up to a tenth longer than it is said to be.
        self._gap = max(interval * rules.gap_factor, 1.1 * interval + rules.longest_look)
        self._run_facts = RunFactsReader(probing.registry, probing.witness, clock)
        self._words = LastWordsReader(probing.witness)
        self._running = RunningLogReader(probing.witness, clock)
        self._overheard: Overheard | None = None  # to be looked at with the next look
        self._after: RunPods | None = None  # as seen at the end of the last look
        self._noted = run.observed
        self._noted_phase = run.phase
        self._turned_at = -RESTED  # monotonic seconds, of the last note for a counter's sake
        self._noted_standing: tuple[str, ...] = ()  # the stages that stood then
        self._earlier_at = 0.0

    @property
    def run(self) -> OpenRun:
        assert self.record.run is not None
        return self.record.run

    async def begin(self) -> None:
        """Takes up what an earlier controller observed."""
        if self.attention.looks:
            return
        fields = await self._recalled()
        self.attention = taken_up(
            self.run,
            observed=number_of(fields, "observed"),
            blind=number_of(fields, "blind"),
            progress=fields.get("progress", ""),
        )

    async def look(self) -> None:
        record, run, key = self.record, self.run, self.record.key
        self._after = None
        deployment = self._on.cluster.deployment(key)
        if deployment is None:
            return  # nothing to look at is a gap in observation
        container = node_container_name(deployment)
        refusal = refused_pods(deployment)
        before = view_pods(self._on.cluster.pods(key), run, container, refusal)
        answer = await self._ask(key, deployment, before)
        words = await self._words.read(before)
        after = view_pods(self._on.cluster.pods(key), run, container, refusal)
        look = look_of(
            record,
            deployment,
            before,
            after,
            answer,
            at=self._clock.monotonic(),
            now=self._clock.now().timestamp(),
            words=words,
            clock_fault=clock_fault(self._on.cluster.skew(), self._rules),
            overheard=self._overheard,
            unheard=self._words.waits,
            stale=not self._on.cluster.pods_are_live(key),
        )
        self.reverted = look.reverted
        self.attention = attend(self.attention, look, self._gap, self._rules)
        self.facts = await self._run_facts.read(self.facts, run, after.pod, container, look.answer)
        await self._read_earlier()
        self._after = after

    async def listen(self) -> None:
        """Reads for the next look what the node writes: nobody need wait for it."""
        if self._after is not None:
            self._overheard = await self._running.read(self.run, self._after, self.attention)

    async def save(self) -> None:
        """Notes in the store what a crash should not cost: rarely, when the phase changes, and when
        a counter comes to stand or moves again.
        """
        attention, run, now = self.attention, self.run, self._clock.monotonic()
        standing = standing_stages(attention.progress)
        turned = standing != self._noted_standing and now - self._turned_at >= RESTED
        moved = run.phase is not self._noted_phase
        if attention.observed - self._noted < CHECKPOINT and not moved and not turned:
            return
        self._noted, self._noted_phase = attention.observed, run.phase
        self._turned_at = now if turned else self._turned_at
        self._noted_standing = standing
        try:
            fields = {
                "observed": f"{attention.observed:.0f}",
                "blind": f"{attention.blind:.0f}",
                "progress": encode_progress(attention.progress),
                "pace": "; ".join(
                    describe_progress(attention.progress, finished=attention.bootstrapped)
                ),
            }
            await self._on.store.put_run(run.target, run.id, fields)
        except (StoreUnavailable, StoreMisused) as error:
            logger.bind(run=run.id, error=str(error)).debug("progress not noted")

    async def _ask(self, key: str, deployment: Deployment, pods: RunPods) -> NodeAnswer | None:
        try:
            port = node_port(deployment, self._on.cluster.service(key))
        except TargetFault:
            return None  # the machine says so; there is nobody to ask
        address = address_of(deployment, pods, port)
        return await self._on.probe.ask(address) if address is not None else None

    async def _read_earlier(self) -> None:
        """Before the end of the run needs them, and now and then anew."""
        now = self._clock.monotonic()
        if self.earlier is not None and now - self._earlier_at < EARLIER_KEPT:
            return
        try:
            seen = await self._on.store.seen_builds(self.run.target)
            self.earlier = await passed_runs(self._on.store, self.run.target, before=self.run.id)
            self.order = {each.build: each.at for each in seen}
            self._earlier_at = now
        except (StoreUnavailable, StoreMisused) as error:
            logger.bind(run=self.run.id, error=str(error)).debug("earlier runs not read")

    async def _recalled(self) -> Mapping[str, str]:
        """What an earlier controller noted; the record's own seconds are not fewer by more than a
        checkpoint.
        """
        try:
            return await self._on.store.run(self.run.target, self.run.id)
        except (StoreUnavailable, StoreMisused) as error:
            logger.bind(run=self.run.id, error=str(error)).debug("observed time not recalled")
            return {}
