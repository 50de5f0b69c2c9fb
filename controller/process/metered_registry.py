"""Counts what the adapters do, from outside them."""

from controller.base import metric_table as table
from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Busy, NotFound, Refused, Unavailable
from controller.base.metrics import Metrics
from controller.domain.build import Build, Platform, Quota
from controller.domain.evidence import BuildFacts
from controller.domain.reference import Repository
from controller.engine.ports import Registry


class MeteredRegistry:
    """A registry whose requests are counted, and whose followed tags show their age."""

    def __init__(self, registry: Registry, metrics: Metrics, clock: Clock) -> None:
        self._registry = registry
        self._metrics = metrics
        self._clock = clock
        # followed tag to when it was last resolved, seconds since 1970, or first asked for
        self._tags: dict[tuple[str, str], float] = {}

    async def head(self, repository: Repository, reference: str) -> str:
        try:
            digest = await self._registry.head(repository, reference)
        except BootstrapError as error:
            self._metrics.registry_request(repository.registry, _word(error))
            raise
        self._answered(repository)
        if ":" not in reference:
            now = self._clock.now().timestamp()
            self._tags[str(repository), reference] = now
            self._metrics.tag_resolved(str(repository), reference, now)
        return digest

    async def build(self, repository: Repository, digest: str, platform: Platform) -> Build:
        try:
            build = await self._registry.build(repository, digest, platform)
        except BootstrapError as error:
            self._metrics.registry_request(repository.registry, _word(error))
            raise
        self._answered(repository)
        return build

    async def describe(self, repository: Repository, tag: str, build: Build) -> BuildFacts:
        return await self._registry.describe(repository, tag, build)

    def quota(self, repository: Repository) -> Quota | None:
        return self._registry.quota(repository)

    def keep(self, followed: set[tuple[str, str]]) -> None:
        """Shows how old what is known of each tag is. Forgets the tags that nobody follows any
        more: their age must raise no alarm for ever.
        """
        for repository, tag in self._tags.keys() - followed:
            self._metrics.tag_forgotten(repository, tag)
        now = self._clock.now().timestamp()
        self._tags = {tag: self._tags.get(tag, now) for tag in followed}
        ages: dict[tuple[str, ...], float] = {
            tag: max(0.0, now - at) for tag, at in self._tags.items()
        }
        self._metrics.show(table.TAG_AGE, ages)

    def _answered(self, repository: Repository) -> None:
        self._metrics.registry_request(repository.registry, "ok")
        quota = self._registry.quota(repository)
        if quota is not None:
            self._metrics.quota(repository.registry, remaining=quota.remaining, limit=quota.limit)


def _word(error: BootstrapError) -> str:
    match error:
        case Busy():
            return "busy"
        case Unavailable():
            return "unavailable"
        case NotFound():
            return "not_found"
        case Refused():
            return "refused"
        case _:
            return "garbled"
