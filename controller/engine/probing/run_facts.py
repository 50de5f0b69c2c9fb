"""What is known of a run beside its record: asked once of the registry, and once for each pod."""

from controller.base.clock import Clock
from controller.domain.evidence import BuildFacts, Place
from controller.domain.node_http import NodeAnswer
from controller.domain.objects import Container, Pod
from controller.domain.record.parts import Facts, revised
from controller.domain.record.record import OpenRun
from controller.domain.reference import Reference, ReferenceFault
from controller.domain.run import Phase
from controller.engine.ports import Registry, Witness

# A registry that could not tell is asked again so often, and so many seconds later.
TRIES = 3
RETRY = 3600.0
_TAGS = 5  # names of the same build that a record keeps


class RunFactsReader:
    """For one run. Nothing is decided by what could not be had."""

    def __init__(self, registry: Registry, witness: Witness, clock: Clock) -> None:
        self._registry = registry
        self._witness = witness
        self._clock = clock
        self._tries = 0
        self._asked_at = 0.0
        self._placed = ""
        self._place_tries = 0
        self._place_asked_at = 0.0
        self._unread = False

    async def read(
        self, facts: Facts, run: OpenRun, pod: Pod | None, container: str, answer: NodeAnswer | None
    ) -> Facts:
        """The facts, with what is new."""
        if self._is_due(run):
            facts = await self._described(facts, run)
        if pod is not None and pod.spec.node_name and self._is_to_be_placed(run, pod):
            place = await self._witness.place(pod)
            self._place_tries = TRIES if not place.unread else self._place_tries + 1
            self._place_asked_at = self._clock.monotonic()
            facts = _placed(facts, place)
            facts = revised(facts, requests=_requests(pod.spec.container(container)))
        if answer is not None and answer.commit:
            facts = revised(facts, version=answer.version, commit=answer.commit)
        return facts

    def _is_due(self, run: OpenRun) -> bool:
        """A registry that hangs would interrupt a soak: none is asked again during one."""
        if self._tries == 0:
            return True
        if run.phase is Phase.SOAKING:
            return False
        late = self._clock.monotonic() - self._asked_at >= RETRY
        return self._unread and self._tries < TRIES and late

    def _is_to_be_placed(self, run: OpenRun, pod: Pod) -> bool:
        """Once for each pod, and again as a registry is: a right may be granted meanwhile."""
        if self._placed != pod.metadata.uid:
            self._placed, self._place_tries = pod.metadata.uid, 0
            return True
        if run.phase is Phase.SOAKING or self._place_tries >= TRIES:
            return False
        return self._clock.monotonic() - self._place_asked_at >= RETRY

    async def _described(self, facts: Facts, run: OpenRun) -> Facts:
        self._tries += 1
        self._asked_at = self._clock.monotonic()
        try:
            reference = Reference.parse(run.image)
        except ReferenceFault:
            return facts  # no image that we have pinned
        found = await self._registry.describe(reference.repository, reference.tag or "", run.build)
        self._unread = bool(found.unread)
        return _told(facts, found)


def _told(facts: Facts, found: BuildFacts) -> Facts:
    """A registry that tells less than it once did takes nothing back."""
    return revised(
        facts,
        image_version=found.version or facts.image_version,
        image_commit=found.commit or facts.image_commit,
        tags=found.tags[:_TAGS] or facts.tags,
    )


def _placed(facts: Facts, place: Place) -> Facts:
    """What could not be read of the same machine stays as it was."""
    same = place.node == facts.node
    return revised(
        facts,
        node=place.node,
        type=place.instance_type or (facts.type if same else ""),
        zone=place.zone or (facts.zone if same else ""),
        storage=place.storage_class or facts.storage,
    )


def _requests(container: Container | None) -> str:
    """Such as `cpu=8,memory=16Gi`."""
    wanted = ((container.resources or {}).get("requests") or {}) if container else {}
    return ",".join(f"{name}={wanted[name]}" for name in sorted(wanted))
