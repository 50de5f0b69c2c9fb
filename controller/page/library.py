"""What pages and API show, read from the source: both say the same."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.base.text import shown
from controller.page.source import Source
from controller.views.build import BuildView
from controller.views.deployment import DeploymentView, of_deployment
from controller.views.known_builds import Place, known_builds
from controller.views.parts import View
from controller.views.poll import PollView, poll_of
from controller.views.reading import Reading
from controller.views.run import RunView
from controller.views.target import TargetView
from controller.views.time_left import TimeLeftView, time_left_of
from store.api import StoreMisused, StoreUnavailable

BOXES = 20  # last runs of a target in the matrix
_AHEAD = 20  # runs of one target that may end in one second
_LEAST_DIGITS = 6  # of a digest: fewer may mean many
_OFFERED_FROM = 200  # newest builds among which the nearest to an unknown one are found


class NotLeading(Exception):
    """This controller knows nothing of the runs; `str()` says who does."""


class Unknown(Exception):
    """Nobody knows what was asked for."""

    def __init__(self, what: str, asked: str, known: Iterable[str], partial: str = "") -> None:
        """partial: how far was looked, where it may be missing for that; empty: far enough."""
        near = difflib.get_close_matches(asked[:200], list(known), n=3, cutoff=0.3)
        offer = f" The nearest: {', '.join(near)}." if near else ""
        looked = f" It may be older: {partial}." if partial else ""
        super().__init__(f"There is no such {what}.{offer}{looked}")


class OpenRunView(View, frozen=True, kw_only=True):
    """An open run with its estimate."""

    run: RunView
    left: TimeLeftView | None = None  # None: nothing is known of its progress


class RunPageView(View, frozen=True, kw_only=True):
    """A run with what is kept of it."""

    run: RunView
    left: TimeLeftView | None = None  # of an open run
    evidence: tuple[str, ...] = ()  # names of the parts that are kept


@dataclass(frozen=True)
class SomeBuilds:
    """A page of them."""

    items: tuple[BuildView, ...]  # newest first
    more: Place | None  # of the last one, where others come after it


@dataclass
class Library:
    """One reading, of one moment. Raises NotLeading where there is none."""

    source: Source

    def __post_init__(self) -> None:
        reading = self.source.reading()
        if reading is None:
            raise NotLeading(self.source.standing)
        self.reading: Reading = reading

    @property
    def trouble(self) -> str:
        """Why less is told than could be; empty: it is not."""
        return shown("; ".join(filter(None, (self.reading.trouble, self.reading.partial))), 300)

    def deployments(self) -> list[DeploymentView]:
        return [of_deployment(each) for each in self.source.deployments()]

    def slugs(self) -> list[str]:
        """Of all targets: those that Deployments ask for, and those that records tell of."""
        asked = {each.target for each in self.deployments() if each.target}
        return sorted(asked | set(self.reading.targets()))

    async def targets(self, runs: int = BOXES) -> list[TargetView]:
        """runs: how many of each that are over."""
        return [await self.target(slug, runs) for slug in self.slugs()]

    async def target(self, slug: str, runs: int, before: str = "") -> TargetView:
        """before: id of a run; only what ended before it. Raises Unknown."""
        if slug not in self.slugs():
            raise Unknown("target", slug, self.slugs())
        return TargetView(
            target=slug,
            deployments=tuple(d.deployment for d in self.deployments() if d.target == slug),
            open=tuple([await self.reading.with_progress(r) for r in self.reading.open(slug)]),
            runs=tuple(await self._ended(slug, runs, before)),
        )

    async def open_runs(self, target: str | None = None) -> list[OpenRunView]:
        found = []
        for each in self.reading.open(target):
            run = await self.reading.with_progress(each)
            found.append(OpenRunView(run=run, left=await self._left(run)))
        return found

    async def run(self, target: str, run: str) -> RunPageView:
        """Raises Unknown."""
        found = await self.reading.run(target, run)
        if found is None:
            slugs = self.slugs()
            if target not in slugs:
                raise Unknown("target", target, slugs)
            ended = await self.reading.ended(target, limit=100)
            known = [each.run for each in (*self.reading.open(target), *ended)]
            raise Unknown("run", run, known)
        evidence: tuple[str, ...] = ()
        try:
            evidence = tuple(await self.reading.store.evidence_names(target, run))
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
        left = await self._left(found) if found.open else None
        return RunPageView(run=found, left=left, evidence=evidence)

    async def before(self, run: RunView, count: int) -> list[RunView]:
        """Runs of its target that had ended before it, newest first."""
        at = run.ended.timestamp() + 1 if run.ended else None
        found = await self.reading.ended(run.target, limit=count + _AHEAD, before=at)
        ids = [each.run for each in found]
        return found[ids.index(run.run) + 1 if run.run in ids else 0 :][:count]

    async def builds(self, limit: int, after: Place | None = None) -> SomeBuilds:
        """The newest; after: only those that come after this place."""
        known = await known_builds(self.reading, self.slugs())
        digests = known.after(after)
        items = tuple(await known.views(digests[:limit]))
        more = known.place(digests[limit - 1]) if len(digests) > limit else None
        return SomeBuilds(items, more)

    async def build(self, digest: str) -> BuildView:
        """digest: of the platform, or an index, in whole or its beginning. Raises Unknown."""
        known = await known_builds(self.reading, self.slugs())
        wanted = digest if digest.startswith("sha256:") else f"sha256:{digest}"
        found = set[str]()
        if len(wanted) >= len("sha256:") + _LEAST_DIGITS:
            found.update(known.beginning(wanted))
            if wanted not in found:  # nobody calls an index by the digest of a platform
                named = await known.names()
                found |= {b.build for b in named if any(i.startswith(wanted) for i in b.indexes)}
        if len(found) != 1:
            raise Unknown("build", wanted, known.digests[:_OFFERED_FROM], self.reading.partial)
        (build,) = await known.views(list(found))
        return build

    async def polls(self) -> list[PollView]:
        found = []
        for repository, tag in sorted(self.source.followed()):
            try:
                found.append(await poll_of(self.reading.store, repository, tag))
            except (StoreUnavailable, StoreMisused) as error:
                self._missed(error)
                found.append(PollView(repository=repository, tag=tag))
        return found

    async def _ended(self, slug: str, limit: int, before: str) -> list[RunView]:
        if not before:
            return await self.reading.ended(slug, limit=limit)
        last = await self.reading.run(slug, before)
        at: datetime | None = last.ended if last else None
        if at is None:
            raise Unknown("run", before, ())
        more = limit + _AHEAD
        runs = await self.reading.ended(slug, limit=more, before=at.timestamp() + 1)
        ids = [run.run for run in runs]
        return runs[ids.index(before) + 1 :][:limit] if before in ids else runs[:limit]

    async def _left(self, run: RunView) -> TimeLeftView | None:
        try:
            return await time_left_of(self.reading.store, run)
        except (StoreUnavailable, StoreMisused) as error:
            self._missed(error)
            return None

    def _missed(self, error: Exception) -> None:
        self.reading.trouble = self.reading.trouble or str(error)
