"""Does what a decision says: the write first, then the effects, in their order."""

from collections.abc import Callable

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import Conflict, Forbidden, LostReply, NotFound, WriteRefused
from controller.domain.decide.observation import ClaimSeen, Decision, GiveBack, Nudge, TakeClaim
from controller.domain.record.write import Write
from controller.engine.claims.ledger import IN_FLIGHT, Ledger
from controller.engine.ports import Cluster
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.reconcile.refused_writes import Part, RefusedWrites, part_of
from store.api import Claim, StateStore, StoreForgot


class Executor:
    """Effects, each safe to repeat; it says whether anything changed: the caller looks again."""

    def __init__(  # noqa: PLR0913 five collaborators, the time and an ear
        self,
        cluster: Cluster,
        store: StateStore,
        ledger: Ledger,
        memory: RecordMemory,
        clock: Clock,
        *,
        nudge: Callable[[str], None],
        refused: RefusedWrites,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._ledger = ledger
        self._memory = memory
        self._clock = clock
        self._nudge = nudge
        self.refused = refused
        self._doubts: dict[tuple[str, str], float] = {}  # target and owner, until when

    def in_doubt(self, key: str, target: str) -> bool:
        """Whether the pin of another Deployment of this target may still be on its way."""
        now = self._clock.monotonic()
        return any(
            of == target and owner != key and now < until
            for (of, owner), until in self._doubts.items()
        )

    async def carry_out(self, key: str, decision: Decision) -> bool:
        """Whether to observe again. Raises what the cluster and the store raise; a write that
        failed its precondition is no error: the next look sees why. Nor is a pin that is refused
        for good, at first: the next look says so on the Deployment, and gives its claim back.
        """
        if decision.write is not None and not await self._write(decision):
            return True
        changed = decision.write is not None
        for effect in decision.effects:
            match effect:
                case TakeClaim():
                    changed |= await self._claim(effect, key)
                case GiveBack(claim):
                    await self._store.release(
                        Claim(claim.target, claim.build, claim.run, claim.owner)
                    )
                case Nudge(other):
                    self._nudge(other)
        return changed

    async def _write(self, decision: Decision) -> bool:
        """Whether it was applied."""
        write, record = decision.write, decision.record
        assert write is not None
        target = record.run.target if record is not None and record.run and write.pins else ""
        self.refused.check(write)
        cached = self._cluster.deployment(write.key)
        try:
            reply = await self._cluster.write(write)
        except LostReply:
            if target:
                now = self._clock.monotonic()
                self._doubts = {of: until for of, until in self._doubts.items() if now < until}
                self._doubts[target, write.key] = now + IN_FLIGHT
            raise
        except (WriteRefused, Forbidden) as error:
            self._doubts.pop((target, write.key), None)
            self._note_refusal(write, error)
            return False
        self._doubts.pop((target, write.key), None)
        if reply.deployment is None and not reply.applied:
            raise NotFound(f"{write.key} is gone")  # the cache will say so: nothing to look at now
        if reply.deployment is not None and reply.deployment.metadata.uid != write.uid:
            raise Conflict(f"{write.key} was made again meanwhile")
        if not reply.applied:
            logger.bind(deployment=write.key).info("write refused, somebody else was first")
            if reply.deployment is not None:
                self._memory.read_anew(reply.deployment, cached)
            return False
        self.refused.taken(write, reply)
        if reply.deployment is not None:
            self._memory.written(reply.deployment, record)
        return True

    def _note_refusal(self, write: Write, error: WriteRefused | Forbidden) -> None:
        """Raises it, unless another look can do something about it."""
        again = self.refused.refused(write, error)
        if part_of(write) is Part.PIN and isinstance(again, WriteRefused) and not again.passing:
            return
        raise again from error

    async def _claim(self, take: TakeClaim, owner: str) -> bool:
        # What siblings test is in their records, whatever the store has forgotten (I8).
        if await self._cluster.refresh(min(self._ledger.calm_at, self._clock.monotonic())):
            return True
        if take.trial is not None:
            # A claim of a run that cannot be pinned would keep others from the build.
            self.refused.check(take.trial)
            try:
                await self._cluster.try_out(take.trial)
            except (WriteRefused, Forbidden) as error:
                self._note_refusal(take.trial, error)
                return True
        self._memory.note_pending(owner, maybe=True)  # before: its reply may be lost
        try:
            claim: ClaimSeen = await self._ledger.claim(take, owner)
        except StoreForgot:
            logger.bind(deployment=owner, target=take.target).warning("claim refused, store forgot")
            return True
        ours = (claim.owner, claim.run) == (owner, take.run)
        logger.bind(
            deployment=owner, target=take.target, build=take.build, run=claim.run, owner=claim.owner
        ).info("claim granted" if ours else "claim stands")
        return True
