"""Deployments that are not there: their open run is given up after a while, their claim back."""

from loguru import logger

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.decide.next_record import closed
from controller.domain.decide.observation import Observation
from controller.domain.defaults import Rules
from controller.domain.metadata import Metadata
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, encode_record
from controller.domain.run import Phase, Reason
from controller.engine.ports import Cluster, StateStore
from controller.engine.reconcile.record_memory import RecordMemory
from controller.engine.telling.publisher import Publisher

_NO_MANIFEST = TargetFault("Gone", "the Deployment is not there")


class GoneDeployments:
    """A record without a Deployment lives on in memory and in the store, and is written there."""

    def __init__(
        self,
        cluster: Cluster,
        store: StateStore,
        memory: RecordMemory,
        publisher: Publisher,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._memory = memory
        self._publisher = publisher
        self._clock = clock
        self._rules = rules
        self._since: dict[str, float] = {}

    def present(self, key: str) -> None:
        self._since.pop(key, None)

    async def look(self, key: str) -> float | None:
        """Seconds until the next look. Raises what the cluster and the store raise."""
        await self._memory.ask(key)
        record, pending = self._memory.record(key), await self._store.pending(key)
        if (record is None or record.run is None) and pending is None:
            self._forget(key)
            return None
        now = self._clock.monotonic()
        gone = now - self._since.setdefault(key, now)
        if gone < self._rules.gone_patience:
            logger.bind(deployment=key, gone_seconds=round(gone)).debug("deployment is gone")
            return self._rules.gone_patience - gone
        found = await self._cluster.read(key)
        if found is not None and found.metadata.label(names.TEST) == "true":
            self._forget(key)  # it stands in a namespace that another controller watches
            return None
        if record is not None and record.run is not None:
            how = "has lost its label" if found is not None else "was deleted"
            why = f"the Deployment {how} {format_duration(gone)} ago and did not come back"
            await self._close(record, why)
        if pending is not None:
            # Nobody is left to fence: a patch tests the uid of an object that is not there.
            await self._store.release(pending)
        self._forget(key)
        return None

    async def _close(self, record: Record, why: str) -> None:
        ghost = Deployment(
            metadata=Metadata(name=record.name, namespace=record.namespace, uid=record.uid)
        )
        o = Observation(
            now=self._clock.now(),
            deployment=ghost,
            record_text=None,
            record=record,
            request=_NO_MANIFEST,
            port=_NO_MANIFEST,
            configuration="",
            rules=self._rules,
            told=self._publisher.told(record.key),
            heard=self._publisher.heard(record.key),
        )
        record = closed(o, record, Phase.ABORTED, Reason.DEPLOYMENT_GONE, why)
        # Remembered only once it is published: if the store is away now, it is done again.
        await self._publisher.publish(ghost, record, encode_record(record, self._rules))
        self._memory.note(record)

    def _forget(self, key: str) -> None:
        self._since.pop(key, None)
        self._memory.forget(key)
        self._publisher.forget(key)
