"""The builds that tags pointed to or that were tested, newest first.

Which there are is read of all; what their runs say, only of those that somebody looks at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.domain.run import OPEN
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
from controller.views.reading import Reading
from controller.views.run import RunView
from controller.views.run_sources import decided_at
from controller.views.traces import traces_of
from store.api import StoreMisused, StoreUnavailable

# Runs of which one search reads what their builds are called: a second of a near store.
RUNS_LOOKED_THROUGH = 10_000
PARTIAL = f"only the newest {RUNS_LOOKED_THROUGH} runs were asked what their builds are called"
# What says which build it is, and what became of it
_NAMING = (
    "build", "digest", "version", "commit", "image_commit", "tags", "phase", "ended"
)  # fmt: skip

_STATES = {"Passed": PASSED, "Failed": FAILED, "Aborted": ABORTED}

Place = tuple[float, str]  # in the order: when it was last heard of, and its digest


@dataclass(frozen=True)
class _On:
    """One build on one target."""

    run: str  # id of its last run there; empty: nobody knows one
    tested: bool
    seen: float | None  # seconds since 1970; None: the target's tag never pointed to it


class KnownBuilds:
    """Those of some targets, at one moment."""

    def __init__(self, reading: Reading, on: Mapping[str, Mapping[str, _On]]) -> None:
        """on: by build and target. See `known_builds`."""
        self._reading = reading
        self._on = on
        places = {build: (_last(each.values()), build) for build, each in on.items()}
        self._places: dict[str, Place] = {
            build: places[build] for build in sorted(on, key=places.__getitem__, reverse=True)
        }

    def __contains__(self, digest: object) -> bool:
        return digest in self._on

    @property
    def digests(self) -> list[str]:
        """All, the newest first."""
        return list(self._places)

    @property
    def targets(self) -> set[str]:
        """Slugs of those on which any build is known."""
        return {target for each in self._on.values() for target in each}

    def place(self, digest: str) -> Place | None:
        """None for one that is not known."""
        return self._places.get(digest)

    def after(self, place: Place | None) -> list[str]:
        """Digests of those that come after a place, which need not be there any more; all for
        None.
        """
        return [b for b, each in self._places.items() if place is None or each < place]

    def beginning(self, digest: str) -> list[str]:
        """Digests that begin so."""
        return [build for build in self._places if build.startswith(digest)]

    def seen_on(self, digest: str, targets: set[str]) -> bool:
        """Whether the tag of one of the targets pointed to it."""
        on = self._on[digest]
        return any(on[target].seen is not None for target in targets & on.keys())

    async def views(self, digests: Sequence[str]) -> list[BuildView]:
        """What is known of these, in their order. One run a build and target is read."""
        return await self._views([digest for digest in digests if digest in self._on], ())

    async def names(self) -> list[BuildView]:
        """All, newest first, for what they are called and what became of them: of their runs no
        more is told. The reading says if the oldest are nameless, as too many runs are younger.
        """
        budget, named = RUNS_LOOKED_THROUGH, list[str]()
        for build in self._places:
            budget -= sum(bool(on.run) for on in self._on[build].values())
            if budget < 0:
                self._reading.partial = self._reading.partial or PARTIAL
                break
            named.append(build)
        nameless = [_view(build, self._on[build], {}) for build in self.digests[len(named) :]]
        return [*await self._views(named, _NAMING), *nameless]

    async def _views(self, digests: Sequence[str], only: Sequence[str]) -> list[BuildView]:
        wanted: dict[str, list[str]] = {}
        for digest in digests:
            for target, on in self._on[digest].items():
                if on.run:
                    wanted.setdefault(target, []).append(on.run)
        runs = {
            run.key: run
            for target, ids in wanted.items()
            for run in await self._reading.runs_of(target, ids, only=only)
        }
        return [_view(digest, self._on[digest], runs) for digest in digests]


async def known_builds(reading: Reading, targets: Iterable[str]) -> KnownBuilds:
    """A few calls a target. What the store does not tell, the reading says."""
    found: dict[str, dict[str, _On]] = {}
    for target in targets:
        last = reading.tested(target)
        try:
            traces = await traces_of(reading.store, target)
        except (StoreUnavailable, StoreMisused) as error:
            reading.missed(error)
            traces = {}
        spoilt = (t.claim.unreadable for t in traces.values() if t.claim and t.claim.unreadable)
        reading.trouble = reading.trouble or next(spoilt, "")
        for build in {**traces, **last}:
            trace = traces.get(build)
            claim = trace.claim if trace else None
            run = max(claim.run if claim else "", last.get(build, ""))
            tested = claim is not None or build in last
            found.setdefault(build, {})[target] = _On(run, tested, trace.seen if trace else None)
    return KnownBuilds(reading, found)


def _last(on: Iterable[_On]) -> float:
    """When a build was last heard of, in seconds since 1970: its last run's beginning, or when it
    was seen first.
    """
    begun = [at.timestamp() for each in on if each.run and (at := decided_at(each.run))]
    seen = [each.seen for each in on if each.seen is not None]
    return max([*begun, min(seen, default=0.0), 0.0])


def _view(build: str, on: Mapping[str, _On], known: Mapping[tuple[str, str], RunView]) -> BuildView:
    there = [_on_target(target, on[target], known.get((target, on[target].run))) for target in on]
    runs = [each.run for each in there if each.run]
    return BuildView(
        build=build,
        indexes=tuple(sorted({run.index for run in runs if run.index})),
        tags=tuple(dict.fromkeys(tag for run in runs for tag in run.tags)),
        version=next((run.version for run in runs if run.version), ""),
        commit=next((run.commit for run in runs if run.commit), ""),
        seen=min((each.seen for each in there if each.seen), default=None),
        targets=tuple(sorted(there, key=lambda each: each.target)),
    )


def _on_target(target: str, on: _On, run: RunView | None) -> BuildOnTarget:
    state = _state(run) if run else CLAIMED if on.tested else PASSED_BY
    return BuildOnTarget(target=target, state=state, run=run, seen=moment(on.seen or 0.0))


def _state(run: RunView) -> str:
    return OPEN_STATE if run.phase in OPEN else _STATES.get(run.phase, CLAIMED)
