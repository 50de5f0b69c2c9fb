"""Grants claims: the engine's side of the store's, and whether runs may start now (I8).

A store is believed only after this controller has refilled it from the records that it sees. That
is done at every start, for a store that was rolled back looks like one that was not; and again
whenever a claim or a look finds another epoch or fewer grants than were seen. After a start, and
after a store that had forgotten, nothing is claimed until a patch of a controller that is gone can
no longer be on its way [15], and until all others that use the store have brought what they know.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from random import Random

from loguru import logger

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.text import shown
from controller.domain.decide.observation import ClaimSeen, Leave, TakeClaim
from controller.domain.record.record import Record
from controller.domain.run import Reason
from controller.engine.claims.own_memory import name_in
from controller.engine.claims.refill import all_is_seen, refill, remembers, see_anew
from store.api import (
    SCHEMA,
    Claim,
    Meta,
    StateStore,
    StoreForgot,
    StoreItemUnusable,
    StoreMisused,
    StoreUnavailable,
)

# Seconds after which a patch that was on its way has landed or never will, whatever became of its
# reply: the API server gives a patch 34 s [15]. It is why `--settle` is as long.
IN_FLIGHT = 60.0

# Seconds: at the start the records were listed a moment ago.
FIRST_SEEN = 10.0

_NOTHING = Meta(SCHEMA, "", 0, "")  # no memory is like it: who asks is told that it was forgotten


class Ledger:
    """Grants claims, or says why not."""

    def __init__(  # noqa: PLR0913 three collaborators, two numbers and two ears
        self,
        store: StateStore,
        clock: Clock,
        random: Random,
        *,
        settle: float,
        patience: float,
        records: Callable[[], Iterable[Record]],
        on_refill: Callable[[], None] = lambda: None,
        refresh: Callable[[float], Awaitable[object]] = all_is_seen,
    ) -> None:
        """settle: seconds after a start, or after the store had forgotten, in which nothing is
        claimed. patience: seconds for which the store may be away before the Deployments' owners
        are told. records: those that are seen now, for a refill. on_refill: is called after each
        before which the store may have lost something. refresh: sees to it that `records` are as
        they were at that moment (monotonic seconds) or later; raises Trouble where it cannot.
        """
        self._store = store
        self._clock = clock
        self._random = random
        self._settle = settle
        self._patience = patience
        self._records = records
        self._on_refill = on_refill
        self._refresh = refresh
        self._cluster: tuple[str, ...] = ()
        self._known: Meta | None = None  # what stood when we last heard of it, in the joint epoch
        self._begin_to_settle()
        self._trouble = "the store has not been asked yet"
        self._away_since: float | None = clock.monotonic()
        self._final = False
        self._failure = ""
        self._is_lost = asyncio.Event()
        self._opening = asyncio.Lock()  # a refill may take seconds

    @property
    def trouble(self) -> str:
        """Why the store cannot be used now; empty while it can."""
        return self._trouble

    @property
    def failure(self) -> str:
        """What the store failed with, if it did."""
        return self._failure

    async def open(self, *cluster: str) -> None:
        """Refills the store from the records and joins those who use it. Raises what the store
        raises.

        cluster: the cluster's names, as `cluster_ids` gives them; a store that belongs to another
        is not touched.
        """
        async with self._opening:
            await self._open(*cluster)

    async def _open(self, *cluster: str) -> None:
        self._cluster = cluster
        try:
            whose = await name_in(self._store, cluster)
            ours = Meta(SCHEMA, f"{self._random.getrandbits(64):016x}", 0, whose)
            young = FIRST_SEEN if self._known is None else 0.0
            await see_anew(self._refresh, self._clock.monotonic() - young)
            stands, claims = await refill(
                self._store, ours, self._records(), self._clock, known=self._known
            )
        except (StoreUnavailable, StoreMisused) as error:
            self.lost(error)
            raise
        forgot = self._known is not None and self._known.epoch != stands.epoch
        if forgot:
            logger.bind(claims=claims).warning("store had forgotten, refilled from records")
            self._begin_to_settle()
        doubted = bool(self._trouble) or forgot
        self._note(stands)
        self._trouble, self._failure, self._away_since, self._final = "", "", None, False
        self._is_lost.clear()
        if doubted:
            self._on_refill()

    async def look(self) -> None:
        """Refills a store that has forgotten before anybody asks for a claim: others, who do not
        see our records, may ask first. After a loss it is refilled once more in any case: what a
        patch pinned that was on its way then stands in a record by now. Raises what the store
        raises.
        """
        known = self._known
        if known is None or self._trouble:
            return
        try:
            found = await self._store.meta()
        except (StoreUnavailable, StoreMisused) as error:
            self.lost(error)
            raise
        late = self._clock.monotonic() < self._landed_at
        if found is None or late or not remembers(found, known):
            await self.open(*self._cluster)
        else:
            self._note(found)

    @property
    def calm_at(self) -> float:
        """Monotonic seconds from which claims are granted: what was pinned before they were has
        landed by then.
        """
        return self._calm_at

    def _begin_to_settle(self) -> None:
        now = self._clock.monotonic()
        self._calm_at = now + self._settle
        self._landed_at = now + min(self._settle, IN_FLIGHT)

    def _note(self, found: Meta) -> None:
        """Answers may come in another order than they were given in: grants never go down."""
        if not remembers(self._known, found):
            self._known = found

    def lost(self, error: StoreUnavailable | StoreMisused) -> None:
        """Notes that the store failed somebody; not that one key or value of it did, which fails
        nobody else.
        """
        if isinstance(error, StoreItemUnusable):
            return
        self._trouble = self._failure = str(error)
        self._final = isinstance(error, StoreMisused)
        self._is_lost.set()
        if self._away_since is None:
            self._away_since = self._clock.monotonic()

    def admit(self) -> None:
        """For whoever else uses the store. Raises StoreUnavailable until it was opened once, and
        StoreMisused while it is another cluster's, or a person must mend it.
        """
        if self._final:
            raise StoreMisused(self._trouble)
        if self._known is None:
            raise StoreUnavailable(self._trouble)

    async def until_lost(self) -> None:
        """Returns when the store has failed somebody since it was last opened."""
        await self._is_lost.wait()

    async def mend(self) -> None:
        """Opens again after a loss; nothing while all is well. Raises what the store raises."""
        if self._trouble and self._cluster:
            await self.open(*self._cluster)

    def leave(self) -> Leave:
        """Whether claims are granted now."""
        now = self._clock.monotonic()
        if self._trouble:
            away = now - self._away_since if self._away_since is not None else 0.0
            return Leave(
                False,
                f"nothing new is started while the store is away: {self._trouble}",
                reason=Reason.STORE_TROUBLE,
                lasting=self._final or away >= self._patience,
            )
        if now < self._calm_at:
            settle = format_duration(self._settle)
            return Leave(False, f"nothing is started for {settle} after a start (--settle)")
        return Leave(True)

    def turns_in(self) -> float | None:
        """Seconds until `leave` says something else by the passing of time alone; None for never:
        when the store is back, everything is looked at again anyway.
        """
        now = self._clock.monotonic()
        if not self._trouble:
            return self._calm_at - now if now < self._calm_at else None
        since = now if self._away_since is None else self._away_since
        left = since + self._patience - now
        return left if left > 0 and not self._final else None

    async def claim(self, take: TakeClaim, owner: str) -> ClaimSeen:
        """The claim that stands after asking for one. Raises StoreForgot after having refilled,
        now or since it was decided to ask: the caller decides again.
        """
        if self._clock.monotonic() < self._calm_at:
            raise StoreForgot("nothing is claimed yet: others may still bring their claims")
        wanted = Claim(take.target, take.build, take.run, owner)
        known = self._known or _NOTHING
        try:
            if take.by_person and take.instead_of is not None:
                got, grants = await self._store.retake(
                    wanted,
                    epoch=known.epoch,
                    seen_grants=known.grants,
                    instead_of=take.instead_of,
                    beside=take.beside,
                )
            else:
                got, grants = await self._store.claim(
                    wanted,
                    epoch=known.epoch,
                    seen_grants=known.grants,
                    instead_of=take.instead_of,
                    beside=take.beside,
                )
        except StoreForgot:
            async with self._opening:
                if self._known is None or self._known.epoch == known.epoch:
                    await self._open(*self._cluster)  # nobody has since
            raise
        except (StoreUnavailable, StoreMisused) as error:
            self.lost(error)
            raise
        if self._known is not None and self._known.epoch == known.epoch:
            self._note(replace(known, grants=grants))
        return seen(got)


def seen(claim: Claim) -> ClaimSeen:
    return ClaimSeen(
        claim.target, claim.build, claim.run, claim.owner, shown(claim.unreadable, 600)
    )
