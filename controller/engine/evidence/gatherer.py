"""Gathers the evidence of runs that are over and gives it to the store, in the background: no
decision waits for it, and none is changed by it.
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.domain.evidence import Bundle
from controller.engine.evidence.bundle import read_bundle
from controller.engine.evidence.parts import Ended
from controller.engine.ports import StateStore, Witness
from store.api import StoreMisused, StoreUnavailable

if TYPE_CHECKING:
    from loguru import Logger

__all__ = ["KEEP_SECONDS", "Ended", "Gatherer"]

# Long enough to be found after a release's freeze and somebody's holiday, and a store of a hundred
# failures a month then holds some hundred megabytes at the very most.
KEEP_SECONDS = 30 * 86400.0

# A store that is away is asked again for a night: the last hundred tries are five to ten minutes
# apart. What waits is in memory, so its number is bounded too.
PATIENCE = BackoffPolicy(first=1.0, cap=300.0)
ATTEMPTS = 100
MOST_WAITING = 32

# Runs that are not gathered again by this process, each a few names. More than there are
# Deployments, or the store is asked at each look of those that are too many.
_REMEMBERED = 16_384

_Place = tuple[str, str]


class Gatherer:
    """Use from one event loop."""

    def __init__(
        self,
        witness: Witness,
        store: StateStore,
        clock: Clock,
        random: Random,
        *,
        secrets: Sequence[str] = (),
    ) -> None:
        """secrets: texts that no evidence may hold, beside what `base.redact` knows by itself."""
        self._witness = witness
        self._store = store
        self._clock = clock
        self._random = random
        self._secrets = tuple(secrets)
        self._begun = BoundedMap[_Place, None](_REMEMBERED)
        self._waiting: dict[_Place, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, ended: Ended) -> None:
        """Gathers, unless that was begun before. Returns at once."""
        place = ended.place
        if not self._note(place):
            return
        while len(self._waiting) >= MOST_WAITING:
            self._drop(next(iter(self._waiting)))
        task = asyncio.create_task(self._gather(ended), name=f"evidence {' '.join(place)}")
        self._waiting[place] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def has_begun(self, target: str, run: str) -> bool:
        """Whether it is known that nothing is to be gathered of the run any more."""
        return (target, run) in self._begun

    async def ensure(self, ended: Ended) -> None:
        """As `begin`, where the store has nothing of the run: for one that ended under an earlier
        controller. A store that is away is asked at the next call, and never again once it has
        answered. Nothing for a run so old that its evidence would have expired.
        """
        place = ended.place
        age = self._clock.now().timestamp() - ended.outcome.at
        if place in self._begun or age > KEEP_SECONDS:
            return
        try:
            there = await self._store.has_evidence(*place)
        except (StoreUnavailable, StoreMisused) as error:
            _bound(place).bind(error=str(error)).debug("store not asked for evidence")
            return
        if there:
            self._note(place)
        else:
            self.begin(ended)

    async def stop(self) -> None:
        """Ends what is under way: the next controller gathers what is missing."""
        self._waiting.clear()
        await stop_all(list(self._tasks))

    def _note(self, place: _Place) -> bool:
        """Whether it is new."""
        if place in self._begun:
            return False
        self._begun[place] = None
        return True

    def _drop(self, place: _Place) -> None:
        self._waiting.pop(place).cancel()
        _bound(place).bind(waiting=MOST_WAITING).warning("evidence dropped, too much of it waits")

    async def _gather(self, ended: Ended) -> None:
        place = ended.place
        try:
            bundle = await read_bundle(self._witness, ended, self._clock, self._secrets)
            await self._keep(place, bundle)
        except Exception:  # noqa: BLE001 a mistake of ours must cost no more than this evidence
            _bound(place).exception("evidence not gathered")
        finally:
            if self._waiting.get(place) is asyncio.current_task():
                del self._waiting[place]

    async def _keep(self, place: _Place, bundle: Bundle) -> None:
        backoff = Backoff(PATIENCE, self._clock, self._random)
        size = sum(len(part) for part in bundle.parts.values())
        log = _bound(place).bind(parts=sorted(bundle.parts), bytes=size)
        while True:
            try:
                await self._store.put_evidence(*place, bundle.parts, keep_seconds=KEEP_SECONDS)
            except StoreMisused as error:
                log.bind(error=str(error)).error("evidence not kept, the store takes none")
                return
            except StoreUnavailable as error:
                if backoff.failures + 1 >= ATTEMPTS:
                    log.bind(error=str(error)).error("evidence not kept, the store stayed away")
                    return
                if backoff.failures == 0:
                    log.bind(error=str(error)).warning("evidence waits for the store")
                await self._clock.sleep(backoff.next_delay())
            else:
                log.info("evidence kept")
                return


def _bound(place: _Place) -> "Logger":
    return logger.bind(target=place[0], run=place[1])
