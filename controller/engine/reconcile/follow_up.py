"""What follows when a look has nothing left to decide: people are told, the store catches up, and
the evidence of a run that is over is gathered.
"""

from controller.base.clock import Clock
from controller.base.errors import TargetFault, Trouble, WriteRefused
from controller.domain.decide.observation import Decision, Observation
from controller.domain.objects import Deployment
from controller.domain.record.record import Record
from controller.domain.run import Reason
from controller.engine.claims.ledger import Ledger
from controller.engine.evidence.closing import Closing
from controller.engine.reconcile.refused_writes import RefusedWrites, reason_of
from controller.engine.telling.apart import Apart
from controller.engine.telling.publisher import Publisher
from controller.engine.telling.seen_builds import SeenBuilds
from controller.engine.telling.unrecorded_notices import UnrecordedNotices
from store.api import StoreMisused, StoreUnavailable


class FollowUp:
    """Everything here can be caught up at the next look."""

    def __init__(
        self,
        publisher: Publisher,
        seen_builds: SeenBuilds,
        closing: Closing,
        ledger: Ledger,
        clock: Clock,
        refused: RefusedWrites,
    ) -> None:
        self._publisher = publisher
        self._seen_builds = seen_builds
        self._closing = closing
        self._ledger = ledger
        self._refused = refused
        self._remarks = UnrecordedNotices(publisher.tell, clock)

    async def settled(self, o: Observation) -> None:
        """Nothing is left to decide. Raises what the store raises."""
        if isinstance(o.record, TargetFault):
            await self._remarks.begin(o.deployment, o.record.reason, str(o.record))
            return
        if o.record is None and not o.memory_known and o.leave.lasting:
            await self._remarks.begin(o.deployment, o.leave.reason, o.leave.why)
            return
        spoilt = await self.stands(o)
        if unrecorded := self._refused.unrecorded(o.deployment.metadata.key):
            await self._remarks.begin(o.deployment, *unrecorded)
        elif spoilt is not None:  # tried again whenever the Deployment is looked at
            await self._remarks.begin(o.deployment, Reason.STORE_TROUBLE, str(spoilt))
        else:
            await self._remarks.end(o.deployment)

    async def stands(self, o: Observation) -> Exception | None:
        """The record stands so: what it says is told, whatever else is still to be written. What of
        the store is spoilt for this Deployment alone is returned. Raises what the store raises,
        after the sinks were told.
        """
        spoilt = Apart()
        if not isinstance(o.record, Record) or o.record_text is None:
            return None
        try:
            with spoilt:
                await self._publisher.publish(o.deployment, o.record, o.record_text)
            with spoilt:
                await self._seen_builds.note(o)
            with spoilt:
                await self._closing.settled(o)
        except (StoreUnavailable, StoreMisused) as error:
            self._ledger.lost(error)
            raise
        return spoilt.error

    def began_or_ended(self, o: Observation, decision: Decision) -> None:
        """A decision was carried out that began or ended a run."""
        self._closing.ended(o, decision)

    async def refused(self, deployment: Deployment, error: Trouble) -> None:
        """The Deployment cannot be written, and so does not say it itself."""
        if not (isinstance(error, WriteRefused) and error.passing):
            await self._remarks.begin(deployment, reason_of(error), str(error))

    def forget(self, key: str) -> None:
        self._remarks.forget(key)

    def left(self, key: str) -> None:
        """Another tells of it: how far, is asked of record and store when it is ours again."""
        self._remarks.forget(key)
        self._publisher.forget(key)
