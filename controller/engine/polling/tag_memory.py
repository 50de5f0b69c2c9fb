"""TagMemory: what was learned of tags and builds, in this process and, when it can be reached, in
the store. The store's troubles are told elsewhere: here it is only done without.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from loguru import logger

from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.text import shown
from controller.domain.build import Build, Platform
from controller.engine.ports import StateStore
from store.api import StoreError, StoreItemUnusable, StoreUnavailable

# Seconds. A store that is away may take its whole time limit to say so: not at each poll.
STORE_PAUSE = 30.0
# In this process: all that is followed at any time, many times over; the store keeps the rest.
BUILDS_KEPT = 1000
# Seconds after which the store is told again of a tag of which nothing changed, but when it was
# asked and what is left of the quota: a thousand tags are 67 commands a second where each poll
# tells, and 13 so.
TOLD_EVERY = 300.0
_TAGS_KEPT = 16_384  # of which is known what the store was told; of one more it is told anew
_PASSING = frozenset({"at", "quota_limit", "quota_remaining"})


class _LeftAlone(StoreUnavailable):
    """It failed a moment ago and was not asked."""


class TagMemory:
    """An index holds the same build for ever: what is known is never asked again."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._away_until = -math.inf
        self._builds = BoundedMap[tuple[str, Platform], Build](BUILDS_KEPT)
        self._unstored = BoundedMap[tuple[str, Platform], Build](BUILDS_KEPT)
        # What the store was told of a tag, but for what passes, and in which monotonic second
        self._told = BoundedMap[tuple[str, str], tuple[dict[str, str], float]](_TAGS_KEPT)

    async def build(self, digest: str, platform: Platform) -> Build | None:
        """The platform manifest behind a digest, if this process or the store knows it."""
        known = self._builds.get((digest, platform))
        if known is not None:
            return known
        with self._doing_without():
            known = await self._reachable().build(digest, str(platform))
            if known is not None:
                self._builds[digest, platform] = known
        return known

    def learn(self, digest: str, platform: Platform, build: Build) -> None:
        """Notes what the registry said; `save` brings it to the store."""
        self._builds[digest, platform] = build
        self._unstored[digest, platform] = build

    async def save(self) -> None:
        """Brings to the store what it has not got yet; what fails is left for the next time."""
        with self._doing_without():
            for (digest, platform), build in list(self._unstored.items()):
                try:
                    await self._reachable().put_build(digest, str(platform), build)
                except StoreItemUnusable as error:
                    logger.bind(why=shown(error, 400)).warning(
                        "a build cannot be kept in the store"
                    )
                self._unstored.pop((digest, platform), None)

    async def save_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        """Replaces what the store says of a tag, unless it says the same but for times and quota,
        and was told so not long ago. If that fails, the next poll says it anew.
        """
        now = self._clock.monotonic()
        lasting = {name: value for name, value in fields.items() if name not in _PASSING}
        before, at = self._told.get((repository, tag), ({}, -math.inf))
        if lasting == before and now - at < TOLD_EVERY:
            return
        with self._doing_without():
            await self._reachable().put_tag(repository, tag, fields)
            self._told[repository, tag] = lasting, now

    def refilled(self) -> None:
        """The store may have forgotten everything: of each tag it is told at the next poll."""
        self._told.clear()

    def _reachable(self) -> StateStore:
        if self._clock.monotonic() < self._away_until:
            raise _LeftAlone
        return self._store

    @contextmanager
    def _doing_without(self) -> Iterator[None]:
        """Leaves the block when the store fails, or failed a moment ago."""
        try:
            yield
        except _LeftAlone:
            pass
        except StoreItemUnusable as error:  # which is not the store's trouble
            logger.bind(why=shown(error, 400)).debug("a tag is followed without the store")
        except StoreError as error:
            self._away_until = self._clock.monotonic() + STORE_PAUSE
            logger.bind(error=shown(error), delay_seconds=STORE_PAUSE).debug(
                "tags are followed without the store"
            )
