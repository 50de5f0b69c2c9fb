"""One look at one Deployment: observe, decide, apply, until there is nothing more to do."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from loguru import logger

from controller.base.errors import Forbidden, TargetFault
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, Leave, Observation
from controller.domain.manifest.request import RunRequest, read_request
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, record_of
from controller.domain.run import Phase
from controller.engine.evidence.closing import Closing
from controller.engine.polling.wanted import Wanted
from controller.engine.probing.prober import Prober
from controller.engine.reconcile.absent import Absent
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.telling.publisher import Publisher
from controller.engine.telling.remarks import Remarks
from controller.engine.telling.seen_builds import SeenBuilds
from store.api import StoreMisused, StoreUnavailable

# Steps of one look: take up, claim, pin and what follows are five; more is a decision that undoes
# itself, which must not spin.
MOST_STEPS = 12
# Seconds until a start is tried again that waits for another Deployment's pin or run. Siblings are
# nudged when a run ends; this is for all others, and each look asks the store.
BUSY_ELSEWHERE = 15.0
# Seconds until a pass is tried again that newer pods than the watched ones do not bear out; the
# watch will most likely tell sooner.
WATCH_BEHIND = 15.0


class Reconciler:
    """Level-triggered: sees a key, never what happened to it. Reconciles of one target are done one
    at a time, so that its next claim waits for the answer to the last pin.
    """

    def __init__(  # noqa: PLR0913, PLR0917 eight collaborators and two switches
        self,
        senses: Senses,
        executor: Executor,
        publisher: Publisher,
        prober: Prober,
        wanted: Wanted,
        absent: Absent,
        seen_builds: SeenBuilds,
        closing: Closing,
        *,
        nudge: Callable[[str], None],
        max_open_runs: int | None,
        dry_run: bool,
    ) -> None:
        self._senses = senses
        self._executor = executor
        self._publisher = publisher
        self._prober = prober
        self._wanted = wanted
        self._absent = absent
        self._seen_builds = seen_builds
        self._closing = closing
        self._remarks = Remarks(publisher.tell, senses.clock)
        self._nudge = nudge
        self._max_open_runs = max_open_runs
        self._dry_run = dry_run
        self._locks: dict[str, asyncio.Lock] = {}
        self._said: dict[str, tuple[str, str, str]] = {}

    async def reconcile(self, key: str) -> float | None:
        """Seconds until the key wants to be looked at again; None to wait for a change. Raises what
        the cluster and the store raise.
        """
        deployment = self._senses.memory.freshest(key, self._senses.cluster.deployment(key))
        if deployment is None:
            self._wanted.forget(key)
            self._prober.forget(key)
            self._remarks.forget(key)
            return await self._absent.look(key)
        self._absent.present(key)
        async with AsyncExitStack() as held:
            locks = self._lock_names(deployment)
            for name in locks:
                await held.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            try:
                return await self._until_settled(key, locks)
            except Forbidden as error:
                await self._remarks.begin(deployment, "Forbidden", str(error))
                raise

    async def _until_settled(self, key: str, locks: list[str]) -> float | None:
        target = locks[-1]
        for _ in range(MOST_STEPS):
            deployment = self._senses.memory.freshest(key, self._senses.cluster.deployment(key))
            if deployment is None:
                return 0.0
            deployment = await self._not_older(deployment)
            if not set(self._lock_names(deployment)) <= set(locks):
                return 0.0  # another target by now, or free to start: under those locks, then
            o = await observe(self._senses, deployment, self._leave(key, target))
            self._wanted.note(key, o)
            self._follow(key, o)
            decision = decide(o)
            if _passes(o, decision) and not await self._passes_still(key, o):
                logger.bind(deployment=key).debug("decided to wait, the watch is behind the pods")
                return WATCH_BEHIND
            _log(key, decision)
            if self._dry_run:
                self._say(key, decision)
                return self._again_in(decision, o)
            if not await self._executor.carry_out(key, decision):
                await self._publish(o)
                return self._again_in(decision, o)
            if _begins_or_ends_a_run(o, decision):
                self._closing.ended(o, decision)
                for sibling in self._wanted.siblings(key):
                    self._nudge(sibling)
        logger.bind(deployment=key, steps=MOST_STEPS).error("decisions do not settle")
        return None

    async def _passes_still(self, key: str, o: Observation) -> bool:
        """Whether the pods as they are now let the run pass too: a watch may be behind the node
        that answers, and hide a restart of it (I3).
        """
        pods = await self._senses.cluster.read_pods(key)
        return _passes(o, decide(replace(o, pods=tuple(pods))))

    async def _not_older(self, deployment: Deployment) -> Deployment:
        """A record older than one that we know is believed only after a fresh reading (I7)."""
        key = deployment.metadata.key
        known = self._senses.memory.record(key)
        if known is None:
            return deployment
        record = record_of(deployment)
        if record is None or (isinstance(record, Record) and record.seq < known.seq):
            return await self._senses.cluster.read(key) or deployment
        return deployment

    async def _publish(self, o: Observation) -> None:
        if isinstance(o.record, TargetFault):
            await self._remarks.begin(o.deployment, o.record.reason, str(o.record))
            return
        if o.record is None and not o.memory_known and o.leave.lasting:
            await self._remarks.begin(o.deployment, o.leave.reason, o.leave.why)
            return
        await self._remarks.end(o.deployment)
        if o.record is None or o.record_text is None:
            return
        try:
            await self._publisher.publish(o.deployment, o.record, o.record_text)
            await self._seen_builds.note(o)
            await self._closing.settled(o)
        except (StoreUnavailable, StoreMisused) as error:
            self._senses.ledger.lost(error)
            raise

    def _follow(self, key: str, o: Observation) -> None:
        if isinstance(o.record, Record):
            self._prober.follow(key, o.record)

    def _again_in(self, decision: Decision, o: Observation) -> float | None:
        waits = [decision.again_in] if decision.again_in is not None else []
        if not o.leave.given and isinstance(o.request, RunRequest):
            turns = self._senses.ledger.turns_in()
            if turns is not None:
                waits.append(max(1.0, turns))
            elif not self._senses.ledger.trouble:
                waits.append(BUSY_ELSEWHERE)
        return min(waits, default=None)

    def _leave(self, key: str, target: str) -> Leave:
        leave = self._senses.ledger.leave()
        if not leave.given:
            return leave
        if self._executor.in_doubt(key, target):
            return Leave(False, "the pin of another Deployment may still be on its way")
        limit = self._max_open_runs
        if limit is not None and self._open_runs() >= limit:
            return Leave(
                False, f"{limit} runs are open, and --max-open-runs allows no more", lasting=True
            )
        return leave

    def _say(self, key: str, decision: Decision) -> None:
        """A dry run says what it would do, once."""
        said = (decision.phase, decision.reason, decision.message)
        if self._said.get(key) != said:
            self._said[key] = said
            logger.bind(
                deployment=key,
                phase=str(decision.phase),
                reason=str(decision.reason),
                would_write=decision.write is not None,
                would_do=[type(e).__name__ for e in decision.effects],
            ).info(decision.message)

    def _open_runs(self) -> int:
        cluster, memory = self._senses.cluster, self._senses.memory
        records = (memory.record(key) for key in cluster.keys())  # noqa: SIM118 a method of a port
        return sum(record is not None and record.run is not None for record in records)

    def _lock_names(self, deployment: Deployment) -> list[str]:
        """By target; and one for all that may start where the number of open runs is limited. In
        this order always, so that no two wait for each other.
        """
        record = record_of(deployment)
        run = record.run if isinstance(record, Record) else None
        try:
            target = run.target if run else str(read_request(deployment, self._senses.rules).target)
        except TargetFault:
            return [deployment.metadata.key]
        return [target] if run or self._max_open_runs is None else ["", target]


def _begins_or_ends_a_run(o: Observation, decision: Decision) -> bool:
    """What a sibling may do, or says of us, changes with that."""
    before = o.record.run if isinstance(o.record, Record) else None
    after = decision.record.run if decision.record is not None else before
    return (before is None) != (after is None)


def _passes(o: Observation, decision: Decision) -> bool:
    record = decision.record
    outcome = record.outcome() if record is not None and record.run is None else None
    had = isinstance(o.record, Record) and o.record.run is not None
    return had and outcome is not None and outcome.phase is Phase.PASSED


def _log(key: str, decision: Decision) -> None:
    logger.bind(
        deployment=key,
        phase=str(decision.phase),
        reason=str(decision.reason),
        writes=decision.write is not None,
        effects=[type(e).__name__ for e in decision.effects],
    ).debug("decided")
