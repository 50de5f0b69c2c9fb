"""One look at one Deployment: observe, decide, apply, until there is nothing more to do."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from loguru import logger

from controller.base.errors import Forbidden, Unsettled, WriteRefused
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, GiveBack, Observation, TakeClaim
from controller.domain.objects import Deployment
from controller.domain.record.record import Record
from controller.domain.run import Reason
from controller.engine.polling.followed_tags import FollowedTags
from controller.engine.probing.prober import Prober
from controller.engine.reconcile.borne_out import borne_out
from controller.engine.reconcile.executor import Executor
from controller.engine.reconcile.follow_up import FollowUp
from controller.engine.reconcile.gone_deployments import GoneDeployments
from controller.engine.reconcile.leave_to_start import LeaveToStart
from controller.engine.reconcile.observe import Senses, observe
from controller.engine.reconcile.rehearsal import Rehearsal
from controller.engine.reconcile.standing_aside import StandingAside
from store.api import StoreMisused, StoreUnavailable

# Steps of one look: take up, claim, pin and what follows are five; more is a decision that undoes
# itself, which must not spin.
MOST_STEPS = 12
# Seconds until a verdict is tried again that newer pods than the watched ones do not bear out; the
# watch will most likely tell sooner.
WATCH_BEHIND = 15.0


class Reconciler:
    """Level-triggered: sees a key, never what happened to it. Reconciles of one target are done one
    at a time, so that its next claim waits for the answer to the last pin.
    """

    def __init__(  # noqa: PLR0913 seven collaborators, an ear and two switches
        self,
        senses: Senses,
        executor: Executor,
        follow_up: FollowUp,
        prober: Prober,
        followed_tags: FollowedTags,
        absent: GoneDeployments,
        *,
        aside: StandingAside,
        nudge: Callable[[str], None],
        max_open_runs: int | None,
        dry_run: bool,
    ) -> None:
        """nudge: has another Deployment looked at. max_open_runs: None for no limit. dry_run: says
        what it would do, and does nothing.
        """
        self._senses = senses
        self._executor = executor
        self._refused = executor.refused
        self._starts = LeaveToStart(senses, executor, max_open_runs)
        self._follow_up = follow_up
        self._prober = prober
        self._followed_tags = followed_tags
        self._absent = absent
        self._aside = aside
        self._nudge = nudge
        self._dry_run = dry_run
        self._locks = WeakValueDictionary[str, asyncio.Lock]()  # those that somebody holds
        self._rehearsal = Rehearsal(max_open_runs, lambda: senses.known.index().open_runs())

    async def reconcile(self, key: str) -> float | None:
        """Seconds until the key wants to be looked at again; None to wait for a change. Raises what
        the cluster and the store raise.
        """
        deployment = self._senses.memory.freshest(key, self._senses.cluster.deployment(key))
        if deployment is None:
            self._rehearsal.gone(key)
            self._aside.gone(key)
            self._refused.forget(key)
            self._senses.known.changed(key)
            return await self._absent.look(key)
        self._absent.present(key)
        async with AsyncExitStack() as held:
            locks = self._starts.lock_names(deployment)
            for name in locks:
                await held.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            try:
                return await self._until_settled(key, locks)
            except (Forbidden, WriteRefused, Unsettled) as error:
                await self._follow_up.refused(deployment, error)
                raise

    async def _until_settled(self, key: str, locks: list[str]) -> float | None:
        target = locks[-1]
        said = ""
        for _ in range(MOST_STEPS):
            deployment = self._senses.memory.freshest(key, self._senses.cluster.deployment(key))
            if deployment is None:
                return 0.0
            if self._aside.leaves(deployment):
                return None
            deployment = await self._aside.taken_up(deployment)
            deployment = await self._not_older(deployment)
            if not set(self._starts.lock_names(deployment)) <= set(locks):
                return 0.0  # another target by now, or free to start: under those locks, then
            self._refused.look(deployment)
            o = await observe(self._senses, deployment, self._starts.leave(key, target))
            self._followed_tags.note(key, o)
            self._follow(key, o)
            decision = decide(o)
            still = await borne_out(o, decision, self._senses.cluster.read_pods)
            if still is None:
                logger.bind(deployment=key).debug("decided to wait, the watch is behind the pods")
                return WATCH_BEHIND
            o, decision = still
            _log(key, decision)
            if self._dry_run:
                self._rehearsal.say(key, self._rehearsal.of(o))
                return self._again_in(decision, o)
            said = f"{decision.phase}, {decision.reason}"
            if _claims(decision) and self._senses.known.went_unheard():
                continue  # nothing is claimed on a picture of others that is not what stands (I1)
            decision = await self._without_cosmetics(o, decision)
            if not await self._carried_out(o, decision):
                if await self._has_settled(key, o):
                    return self._again_in(decision, o)
            else:
                self._after(key, o, decision)
        error = Unsettled(
            f"what is decided of {key} is undone at once, {MOST_STEPS} times in a row ({said}):"
            " somebody else, or a policy of the cluster, writes what the controller writes"
        )
        self._refused.unsettled(key, error)
        raise error

    async def _without_cosmetics(self, o: Observation, decision: Decision) -> Decision:
        """Label and message wait for their own delay, and nothing else waits for them."""
        write = decision.write
        if write is None and _claims(decision):
            return decision  # its pin is to be tried
        if write is None:
            pin = decision.reason != Reason.WRITE_REFUSED
            self._refused.nothing_to_write(o.deployment.metadata.key, pin=pin)
            return decision
        if not write.only_says:
            return decision
        await self._follow_up.stands(o)
        return decision if self._refused.holds(write) is None else replace(decision, write=None)

    async def _carried_out(self, o: Observation, decision: Decision) -> bool:
        """As the executor says. Where a write is refused, what stands already is told."""
        try:
            return await self._executor.carry_out(o.deployment.metadata.key, decision)
        except (WriteRefused, Forbidden, Unsettled):
            if decision.write is not None and decision.write.only_says:
                return False
            with suppress(StoreUnavailable, StoreMisused):  # noted by then
                await self._follow_up.stands(o)
            raise

    def _after(self, key: str, o: Observation, decision: Decision) -> None:
        """A decision was carried out: what a sibling may do, or says of us, may change with it."""
        turned = _begins_or_ends_a_run(o, decision)
        if turned:
            self._follow_up.began_or_ended(o, decision)
        if turned or any(isinstance(effect, GiveBack) for effect in decision.effects):
            for sibling in self._followed_tags.siblings(key):
                self._nudge(sibling)

    async def _has_settled(self, key: str, o: Observation) -> bool:
        """Whether nothing more is to be written: the record may have to say what people were told
        of just now.
        """
        await self._follow_up.settled(o)
        return self._senses.told(key) <= o.told and self._senses.heard(key) <= o.heard

    async def _not_older(self, deployment: Deployment) -> Deployment:
        """A record older than one that we know is believed only after a fresh reading (I7), and our
        own writing, where the cache never shows it, no longer than until one.
        """
        key, cluster, memory = deployment.metadata.key, self._senses.cluster, self._senses.memory
        overdue, known = memory.overdue_in(key), memory.record(key)
        record = self._senses.known.reading(deployment).record
        older = record is None or (isinstance(record, Record) and known and record.seq < known.seq)
        if not (known and older) and (overdue is None or overdue > 0):
            return deployment
        cached = cluster.deployment(key)
        found = await cluster.read(key)
        if found is None:
            return deployment
        memory.read_anew(found, cached)
        return found

    def _follow(self, key: str, o: Observation) -> None:
        if isinstance(o.record, Record):
            self._prober.follow(key, o.record)

    def _again_in(self, decision: Decision, o: Observation) -> float | None:
        key = o.deployment.metadata.key
        overdue = self._senses.memory.overdue_in(key)
        waits = (
            decision.again_in,
            self._starts.again_in(o),
            self._refused.again_in(key),
            None if overdue is None else max(1.0, overdue),
        )
        return min((seconds for seconds in waits if seconds is not None), default=None)


def _begins_or_ends_a_run(o: Observation, decision: Decision) -> bool:
    before = o.record.run if isinstance(o.record, Record) else None
    after = decision.record.run if decision.record is not None else before
    return (before is None) != (after is None)


def _claims(decision: Decision) -> bool:
    return any(isinstance(effect, TakeClaim) for effect in decision.effects)


def _log(key: str, decision: Decision) -> None:
    logger.bind(
        deployment=key,
        phase=str(decision.phase),
        reason=str(decision.reason),
        writes=decision.write is not None,
        effects=[type(e).__name__ for e in decision.effects],
    ).debug("decided")
