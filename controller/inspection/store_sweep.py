"""What `store gc` finds and clears: what a store keeps though nothing needs it any more."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from controller.base.errors import Fault, Refused, TargetFault, Trouble
from controller.base.text import shown
from controller.domain.record.record import decode_record
from controller.engine.claims.refill import claims_of
from controller.engine.evidence.gatherer import KEEP_SECONDS
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.store_of_cluster import refuse_anothers
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from store import is_memory
from store.api import StateStore, StoreMisused, StoreUnavailable
from store.leftovers import Kind, Leftover, Sweeper

NONE_NAMED = "a memory:// store ends with its process: name the controller's with --store"

_KEY = re.compile(r"[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}")  # of a Deployment


@dataclass(frozen=True)
class Kept:
    """A copy whose Deployment is gone, and that stays all the same."""

    name: str
    why: str  # a half sentence


@dataclass
class Found:
    leftovers: list[Leftover] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


class Sweep:
    """Use inside `sweeping`. Its methods raise Refused for a store that fails."""

    def __init__(self, inspection: Inspection, store: Sweeper) -> None:
        self._inspection = inspection
        self._store = store

    async def find(self) -> Found:
        found = Found()
        now = self._inspection.wiring.around.clock.now().timestamp()
        try:
            async for some in self._store.leftovers(now=now):
                for each in some:
                    if each.kind is Kind.COPY:
                        await self._judge(each, found)
                    else:
                        found.leftovers.append(each)
        except (StoreUnavailable, StoreMisused) as error:
            raise Refused(f"the store cannot be swept: {error}") from error
        found.leftovers.sort(key=lambda each: (list(Kind).index(each.kind), each.name))
        return found

    async def clear(self, leftovers: Iterable[Leftover]) -> AsyncIterator[Leftover]:
        """Those that were cleared, as they are: a Deployment that has come back keeps its copy."""
        for each in leftovers:
            if each.kind is Kind.COPY and await self._is_there(each.name):
                continue
            try:
                cleared = await self._store.clear([each], evidence_seconds=KEEP_SECONDS)
            except (StoreUnavailable, StoreMisused) as error:
                raise Refused(f"the store cannot be swept: {error}") from error
            for done in cleared:
                yield done

    async def _judge(self, copy: Leftover, found: Found) -> None:
        """Whether the copy of a record is needed: its Deployment may be there, or come again."""
        key = copy.name
        if not _KEY.fullmatch(key):
            return found.kept.append(Kept(shown(key, 200), "is the name of no Deployment"))
        try:
            if await self._is_there(key):
                return None
        except Trouble as trouble:
            return found.kept.append(Kept(key, f"cannot be looked for: {trouble}"))
        if not copy.stamp:
            return found.leftovers.append(copy)
        try:
            record = decode_record(copy.stamp, *key.split("/"))
        except TargetFault as fault:
            return found.kept.append(Kept(key, f"cannot be read: {fault}"))
        if record.run is not None:
            why = f"has run {record.run.id} open, which a controller ends first"
            return found.kept.append(Kept(key, shown(why)))
        proves = tuple((claim.target, claim.build) for claim in claims_of(record))
        return found.leftovers.append(replace(copy, proves=proves))

    async def _is_there(self, key: str) -> bool:
        """Asked past the list, which has the labelled ones of some namespaces. Raises Trouble."""
        cluster = self._inspection.cluster
        return cluster.deployment(key) is not None or await cluster.read(key) is not None


@asynccontextmanager
async def sweeping(settings: Settings, around: Surroundings) -> AsyncIterator[Sweep]:
    """Raises Fault where there is nothing to sweep, Refused for a store that is not ours or fails,
    and what `inspecting` raises.
    """
    if is_memory(settings.store.url):
        raise Fault(NONE_NAMED)
    async with inspecting(settings, around) as inspection:
        store: StateStore = await inspection.wiring.store()
        if not isinstance(store, Sweeper):
            raise Fault("this store cannot be swept by us: its own tools can")
        try:
            await refuse_anothers(inspection, store)
        except (StoreUnavailable, StoreMisused) as error:
            raise Refused(f"the store cannot be swept: {error}") from error
        yield Sweep(inspection, store)
