"""What follows when a look has nothing left to decide: people are told, the store catches up, and
the evidence of a run that is over is gathered.
"""

from controller.base.clock import Clock
from controller.base.errors import Forbidden, TargetFault
from controller.domain.decide.observation import Decision, Observation
from controller.domain.objects import Deployment
from controller.domain.run import Reason
from controller.engine.claims.ledger import Ledger
from controller.engine.evidence.closing import Closing
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
    ) -> None:
        self._publisher = publisher
        self._seen_builds = seen_builds
        self._closing = closing
        self._ledger = ledger
        self._remarks = UnrecordedNotices(publisher.tell, clock)

    async def settled(self, o: Observation) -> None:
        """Nothing is left to decide. Raises what the store raises."""
        if isinstance(o.record, TargetFault):
            await self._remarks.begin(o.deployment, o.record.reason, str(o.record))
            return
        if o.record is None and not o.memory_known and o.leave.lasting:
            await self._remarks.begin(o.deployment, o.leave.reason, o.leave.why)
            return
        spoilt = Apart()
        if o.record is not None and o.record_text is not None:
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
        if spoilt.error is not None:  # tried again whenever the Deployment is looked at
            await self._remarks.begin(o.deployment, Reason.STORE_TROUBLE, str(spoilt.error))
        else:
            await self._remarks.end(o.deployment)

    def began_or_ended(self, o: Observation, decision: Decision) -> None:
        """A decision was carried out that began or ended a run."""
        self._closing.ended(o, decision)

    async def forbidden(self, deployment: Deployment, error: Forbidden) -> None:
        """The Deployment may not be written."""
        await self._remarks.begin(deployment, "Forbidden", str(error))

    def forget(self, key: str) -> None:
        self._remarks.forget(key)

    def left(self, key: str) -> None:
        """Another tells of it: how far, is asked of record and store when it is ours again."""
        self._remarks.forget(key)
        self._publisher.forget(key)
