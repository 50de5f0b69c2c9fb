"""Reads the views: from the records, which are the truth of the last runs, and from the store,
which remembers more. What the store cannot tell is missing, and `trouble` says why.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, nextafter

from controller.domain.record.record import Record
from controller.domain.run import OPEN, OVER
from controller.engine.telling.history_body import body_of
from controller.views.build import (
    ABORTED,
    CLAIMED,
    FAILED,
    PASSED,
    PASSED_BY,
    BuildOnTarget,
    BuildView,
)
from controller.views.build import OPEN as OPEN_STATE
from controller.views.parts import moment
from controller.views.run import RunView
from controller.views.run_sources import joined, of_fields, of_open, of_outcome
from store.api import StateStore, StoreMisused, StoreUnavailable

_AT_ONCE = 200  # runs that a store tells of in one answer
_PAGE = 1000  # transitions read at once
# Transitions that are looked through for the runs of one target: a run has about five.
LOOKED_THROUGH = 10_000

_STATES = {"Passed": PASSED, "Failed": FAILED, "Aborted": ABORTED}


@dataclass
class Reading:
    """records: of all Deployments that are seen. store: of the controller, or an empty one."""

    store: StateStore
    records: Sequence[Record]
    trouble: str = ""  # why the store told less than was asked, in one sentence; empty: it did not
    _remembered: dict[tuple[str, str], RunView] = field(init=False)

    def __post_init__(self) -> None:
        self._remembered = {run.key: run for run in _remembered(self.records)}

    def targets(self) -> list[str]:
        """Slugs of all that the records tell of, sorted."""
        found = {target for record in self.records for target in record.tested}
        return sorted(found | {target for target, _ in self._remembered})

    async def run(self, target: str, run: str) -> RunView | None:
        """None for one that nobody remembers."""
        found = await self.runs_of(target, [run])
        return found[0] if found else None

    async def runs_of(self, target: str, runs: Sequence[str]) -> list[RunView]:
        """Those that are remembered, in the order of their ids as given."""
        known: dict[str, RunView] = {}
        for at in range(0, len(runs), _AT_ONCE):
            some = runs[at : at + _AT_ONCE]
            try:
                fields = await self.store.runs(target, some)
            except (StoreUnavailable, StoreMisused) as error:
                self._missed(error)
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
        ends = {f"-{build.partition(':')[2][:8]}" for build in wanted}  # of their runs' ids
        ids = {run.run for run in self._remembered.values() if run.target == target}
        try:
            claims = [await self.store.claimed(target, build) for build in sorted(wanted)]
            ids |= {claim.run for claim in claims if claim is not None and claim.run}
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
        ids |= set(await self._ends(target, LOOKED_THROUGH, None))
        mine = sorted((run for run in ids if run[-9:] in ends), reverse=True)
        return [run for run in await self.runs_of(target, mine) if run.build in wanted]

    async def targets_of(self, run: str) -> list[str]:
        """Targets that have a run of this id, as far as records and the newest history tell."""
        found = {target for target, each in self._remembered if each == run}
        before, looked = None, 0
        try:
            while looked < LOOKED_THROUGH:
                page = await self.store.history(None, limit=_PAGE, before=before)
                looked += len(page)
                found |= {x.target for x in page if x.target and f".{run}." in x.id}
                if len(page) < _PAGE or (last := nextafter(page[-1].at, inf)) == before:
                    break
                before = last
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
        return sorted(found)

    def open(self, target: str | None = None) -> list[RunView]:
        """What the records say of the runs that are open; of one target, or of all."""
        return [
            run for run in self._remembered.values() if run.open and target in (None, run.target)
        ]

    async def with_progress(self, run: RunView) -> RunView:
        """The run with what only the store knows of it."""
        return await self.run(*run.key) or run

    async def builds(self, targets: Iterable[str]) -> list[BuildView]:
        """Every build that a tag pointed to or that was tested on one of the targets, newest
        first.
        """
        rows: dict[str, dict[str, BuildOnTarget]] = {}
        for target in targets:
            for build, on in (await self._on(target)).items():
                rows.setdefault(build, {})[target] = on
        found = [_build(build, list(on.values())) for build, on in rows.items()]
        return sorted(found, key=_newest, reverse=True)

    async def _on(self, target: str) -> dict[str, BuildOnTarget]:
        """By build."""
        claims, seen = [], {}
        try:
            seen = {each.build: each.at for each in await self.store.seen_builds(target)}
            claims = await self.store.claims_of(target)
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
        runs = {claim.build: claim.run for claim in claims}
        for run in self._remembered.values():
            if run.target == target:
                runs[run.build] = max(runs.get(run.build, ""), run.run)
        for record in self.records:
            for build in record.tested.get(target, ()):
                runs.setdefault(build, "")
        ids = sorted(filter(None, runs.values()))
        known = {run.run: run for run in await self.runs_of(target, ids)}
        found = {}
        for build in {*runs, *seen}:
            last = known.get(runs.get(build, ""))
            state = _state(last) if last else CLAIMED if build in runs else PASSED_BY
            at = moment(seen.get(build, 0.0))
            found[build] = BuildOnTarget(target=target, state=state, run=last, seen=at)
        return found

    async def _ends(self, target: str, limit: int, before: float | None) -> dict[str, float]:
        """Run to when it ended, as the history has it: the newest `limit` or more."""
        found: dict[str, float] = {}
        looked = 0
        try:
            while len(found) < limit and looked < LOOKED_THROUGH:
                page = await self.store.history(target, limit=_PAGE, before=before)
                looked += len(page)
                for each in page:
                    body = body_of(each)
                    if body.get("phase") in OVER and body.get("run"):
                        found.setdefault(body["run"], each.at)
                if len(page) < _PAGE or (last := nextafter(page[-1].at, inf)) == before:
                    break
                before = last  # more of the last second may follow
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
        return found

    def _missed(self, error: Exception) -> None:
        self.trouble = self.trouble or str(error)


def _remembered(records: Iterable[Record]) -> Iterator[RunView]:
    for record in records:
        yield from (of_outcome(record, outcome) for outcome in record.outcomes)
        if record.run is not None:
            yield of_open(record, record.run)


def _state(run: RunView) -> str:
    return OPEN_STATE if run.phase in OPEN else _STATES.get(run.phase, CLAIMED)


def _build(build: str, on: list[BuildOnTarget]) -> BuildView:
    runs = [each.run for each in on if each.run]
    seen = [each.seen for each in on if each.seen]
    return BuildView(
        build=build,
        indexes=tuple(sorted({run.index for run in runs if run.index})),
        tags=tuple(dict.fromkeys(tag for run in runs for tag in run.tags)),
        version=next((run.version for run in runs if run.version), ""),
        commit=next((run.commit for run in runs if run.commit), ""),
        seen=min(seen, default=None),
        targets=tuple(sorted(on, key=lambda each: each.target)),
    )


def _newest(build: BuildView) -> tuple[float, str]:
    """When it was last heard of, and what makes the order certain."""
    moments = [each.run.decided for each in build.targets if each.run and each.run.decided]
    moments += [build.seen] if build.seen else []
    return max((at.timestamp() for at in moments), default=0.0), build.build
