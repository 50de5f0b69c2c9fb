"""What stands on all Deployments, read once for each version of them."""

from controller.base.clock import Clock
from controller.domain.decide.reading import Reading
from controller.domain.defaults import Rules
from controller.domain.objects import Deployment
from controller.domain.record.index import RecordIndex
from controller.engine.ports import Cluster
from controller.engine.reconcile.record_memory import RecordMemory

AT_ONCE = 50  # Deployments that are read before others have their turn


class KnownRecords:
    """Whoever hears of a change says its key (`changed`); it is read when somebody next asks, so
    that an answer is never older than the cache and our own writing. As many as there are labelled
    Deployments.
    """

    def __init__(self, cluster: Cluster, memory: RecordMemory, rules: Rules) -> None:
        self._cluster = cluster
        self._memory = memory
        self._rules = rules
        self._readings: dict[str, Reading] = {}
        self._indexed: dict[str, Reading] = {}
        self._index = RecordIndex()
        self._stale: set[str] = set()
        self._all_stale = True
        memory.on_object(self.changed)

    def changed(self, key: str) -> None:
        """Another version may stand there."""
        self._stale.add(key)

    def doubt(self) -> None:
        """Changes may have gone unheard: all is compared before the next answer."""
        self._all_stale = True

    async def read_all(self, clock: Clock) -> None:
        """Reads all that stand, and lets others have their turn meanwhile: ten thousand records
        take a second.
        """
        for number, key in enumerate(self._cluster.keys()):
            deployment = self._standing(key)
            if deployment is not None:
                _ = self.reading(deployment).believed
            if number % AT_ONCE == 0:
                await clock.sleep(0)

    def reading(self, deployment: Deployment) -> Reading:
        key = deployment.metadata.key
        known = self._readings.get(key)
        if known is None or known.deployment is not deployment:
            known = self._readings[key] = Reading(deployment, self._rules, known)
        return known

    def index(self) -> RecordIndex:
        """Of what is believed of each Deployment, as it stands now."""
        if self._all_stale or self._stale:
            self._catch_up()
        return self._index

    def went_unheard(self) -> bool:
        """Compares all that is known with all that stands, version by version, and says whether a
        change had not been heard of; by then it is. It walks over everything.
        """
        stale = self._stale | {key for key in self._every_key() if not self._is_current(key)}
        unheard = bool(stale - self._stale)
        self._stale = stale
        return unheard

    def _catch_up(self) -> None:
        stale = self._every_key() if self._all_stale else self._stale
        self._stale, self._all_stale = set(), False
        for key in stale:
            deployment = self._standing(key)
            if deployment is None:
                self._readings.pop(key, None)
                if self._indexed.pop(key, None) is not None:
                    self._index.put(key, None)
                continue
            reading = self.reading(deployment)
            if self._indexed.get(key) is not reading:
                self._indexed[key] = reading
                self._index.put(key, reading.believed)

    def _every_key(self) -> set[str]:
        return {*self._cluster.keys(), *self._indexed, *self._readings}

    def _standing(self, key: str) -> Deployment | None:
        return self._memory.freshest(key, self._cluster.deployment(key))

    def _is_current(self, key: str) -> bool:
        known, standing = self._indexed.get(key), self._standing(key)
        return standing is (known.deployment if known else None)
