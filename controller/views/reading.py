"""Reads the views: from the records, which are the truth of the last runs, and from the store,
which remembers more. What the store cannot tell is missing, and `trouble` says why.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from controller.domain.record.record import Record
from controller.domain.run import OVER, is_of_build
from controller.engine.telling.history_body import body_of
from controller.views.history_sift import Sift
from controller.views.paging import LOOKED_THROUGH, PAGE, PARTIAL, Search
from controller.views.run import RunView
from controller.views.run_sources import joined, of_fields, of_open, of_outcome
from controller.views.traces import AT_ONCE
from store.api import StateStore, StoreMisused, StoreUnavailable

_LEAST = 100  # transitions that are read at once


@dataclass
class Reading:
    """records: of all Deployments that are seen. store: of the controller, or an empty one."""

    store: StateStore
    records: Sequence[Record]
    trouble: str = ""  # why the store told less than was asked, in one sentence; empty: it did not
    partial: str = ""  # how far was looked, where older ones may be missing; empty: far enough
    _remembered: dict[tuple[str, str], RunView] = field(init=False)

    def __post_init__(self) -> None:
        self._remembered = {run.key: run for run in _remembered(self.records)}

    def targets(self) -> list[str]:
        """Slugs of all that the records tell of, sorted."""
        found = {target for record in self.records for target in record.tested}
        return sorted(found | {target for target, _ in self._remembered})

    def tested(self, target: str) -> dict[str, str]:
        """What the records know of the target: each build, with the id of its last run; empty where
        that is forgotten.
        """
        last = {build: "" for record in self.records for build in record.tested.get(target, ())}
        for run in self._remembered.values():
            if run.target == target:
                last[run.build] = max(last.get(run.build, ""), run.run)
        return last

    async def run(self, target: str, run: str) -> RunView | None:
        """None for one that nobody remembers."""
        found = await self.runs_of(target, [run])
        return found[0] if found else None

    async def runs_of(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[RunView]:
        """Those that are remembered, in the order of their ids as given. only: fields of the
        store's hash that are needed, which is quicker; none: all.
        """
        known: dict[str, RunView] = {}
        for at in range(0, len(runs), AT_ONCE):
            some = runs[at : at + AT_ONCE]
            try:
                fields = await self.store.runs(target, some, only=only)
            except (StoreUnavailable, StoreMisused) as error:
                self.missed(error)
                break
            told = zip(some, fields, strict=True)
            known |= {run: of_fields(target, run, of) for run, of in told if of}
        found = []
        for run in runs:
            ours, kept = self._remembered.get((target, run)), known.get(run)
            if ours is not None and kept is not None:
                found.append(joined(ours, kept))
            else:
                found += [each for each in (ours, kept) if each is not None]
        return found

    async def ended(self, target: str, *, limit: int, before: float | None = None) -> list[RunView]:
        """The target's runs that are over, newest first. before: seconds since 1970 of their end;
        None: up to now.
        """
        ours = [run for run in self._remembered.values() if run.target == target]
        ends = {run.run: run.ended.timestamp() for run in ours if run.ended is not None}
        if before is not None:
            ends = {run: at for run, at in ends.items() if at < before}
        ends |= await self._ends(target, limit, before)
        newest = sorted(ends, key=lambda run: (ends[run], run), reverse=True)[:limit]
        return await self.runs_of(target, newest)

    async def runs_of_builds(self, target: str, builds: Iterable[str]) -> list[RunView]:
        """All that are remembered of these builds on the target, the latest decided first."""
        wanted = set(builds)
        ids = {run.run for run in self._remembered.values() if run.target == target}
        try:
            claims = [await self.store.claimed(target, build) for build in sorted(wanted)]
            ids |= {claim.run for claim in claims if claim is not None and claim.run}
        except (StoreUnavailable, StoreMisused) as error:
            self.missed(error)
        picks = Sift(frozenset(wanted)).may_fit
        ids |= set(await self._ends(target, LOOKED_THROUGH, None, picks))
        mine = sorted((run for run in ids if is_of_build(run, *wanted)), reverse=True)
        return [run for run in await self.runs_of(target, mine) if run.build in wanted]

    async def targets_of(self, run: str) -> list[str]:
        """Targets that have a run of this id, as far as records and the newest history tell."""
        found = {target for target, each in self._remembered if each == run}
        search = Search(self.store, None, picks=lambda identity: f".{run}." in identity)
        try:
            async for page in search.pages():
                found |= {each.target for each in page if each.target}
        except (StoreUnavailable, StoreMisused) as error:
            self.missed(error)
        self._looked(search)
        return sorted(found)

    def open(self, target: str | None = None) -> list[RunView]:
        """What the records say of the runs that are open; of one target, or of all."""
        return [
            run for run in self._remembered.values() if run.open and target in (None, run.target)
        ]

    async def with_progress(self, run: RunView) -> RunView:
        """The run with what only the store knows of it."""
        return await self.run(*run.key) or run

    async def _ends(
        self,
        target: str,
        limit: int,
        before: float | None,
        picks: Callable[[str], bool] | None = None,
    ) -> dict[str, float]:
        """Run to when it ended, as the history has it: the newest `limit` or more. picks: as
        `Search` takes it.
        """
        found: dict[str, float] = {}
        # A run has some five transitions: what a few runs need is no page of a thousand.
        size = min(PAGE, max(_LEAST, 10 * limit))
        search = Search(self.store, target, before, size, picks=picks)
        try:
            async for page in search.pages():
                for each in page:
                    body = body_of(each)
                    if body.get("phase") in OVER and body.get("run"):
                        found.setdefault(body["run"], each.at)
                if len(found) >= limit:
                    break
        except (StoreUnavailable, StoreMisused) as error:
            self.missed(error)
        self._looked(search)
        return found

    def _looked(self, search: Search) -> None:
        if search.cut:
            self.partial = self.partial or PARTIAL

    def missed(self, error: Exception) -> None:
        """The store did not tell what it was asked."""
        self.trouble = self.trouble or str(error)


def _remembered(records: Iterable[Record]) -> Iterator[RunView]:
    for record in records:
        yield from (of_outcome(record, outcome) for outcome in record.outcomes)
        if record.run is not None:
            yield of_open(record, record.run)
