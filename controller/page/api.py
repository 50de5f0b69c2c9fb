"""`/api/v1`: the views as JSON, a page at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf, nextafter
from typing import Generic, TypeVar

import msgspec

from controller.page.asked import Asked, place_text
from controller.page.library import Library, RunPageView
from controller.views.build import BuildView
from controller.views.deployment import DeploymentView, record_on
from controller.views.history import HistoryLine, read_history
from controller.views.paging import PARTIAL
from controller.views.parts import Moment, View
from controller.views.poll import PollView
from controller.views.target import TargetView

T = TypeVar("T")


class Listing(View, Generic[T], frozen=True, kw_only=True):
    """Some of a list."""

    items: list[T]
    next: str | None = None  # what `before` must be for those that follow; None: these are the last
    trouble: str = ""  # why less is told than could be


class One(View, Generic[T], frozen=True, kw_only=True):
    """One thing."""

    item: T
    next: str | None = None  # as of a Listing, for the runs of a target
    trouble: str = ""


class TransitionView(View, frozen=True, kw_only=True):
    """One change of a Deployment's phase."""

    id: str
    at: Moment
    deployment: str
    target: str
    run: str
    build: str
    before: str  # phase; empty: not known
    phase: str
    reason: str
    message: str


async def deployments(library: Library, asked: Asked) -> Listing[DeploymentView]:
    found = library.deployments()
    return _page(library, found, [each.deployment for each in found], asked)


async def targets(library: Library, asked: Asked) -> Listing[TargetView]:
    found = await library.targets()
    return _page(library, found, [each.target for each in found], asked)


async def target(library: Library, asked: Asked) -> One[TargetView]:
    found = await library.target(asked.part("target"), asked.limit + 1, asked.before)
    runs = found.runs[: asked.limit]
    cut = runs[-1].run if len(found.runs) > asked.limit else None
    item = msgspec.structs.replace(found, runs=runs)
    return One[TargetView](item=item, next=cut, trouble=library.trouble)


async def run(library: Library, asked: Asked) -> One[RunPageView]:
    found = await library.run(asked.part("target"), asked.part("run"))
    return One[RunPageView](item=found, trouble=library.trouble)


async def builds(library: Library, asked: Asked) -> Listing[BuildView]:
    found = await library.builds(asked.limit, asked.place)
    items, cut = list(found.items), place_text(found.more) or None
    return Listing[BuildView](items=items, next=cut, trouble=library.trouble)


async def build(library: Library, asked: Asked) -> One[BuildView]:
    found = await library.build(asked.part("digest"))
    return One[BuildView](item=found, trouble=library.trouble)


async def polls(library: Library, asked: Asked) -> Listing[PollView]:
    found = await library.polls()
    return _page(library, found, [f"{each.repository}:{each.tag}" for each in found], asked)


async def history(library: Library, asked: Asked) -> Listing[TransitionView]:
    """The cursor is the second and the id of the last line."""
    place = asked.place
    records = [r for d in library.source.deployments() if (r := record_on(d)) is not None]
    found = await read_history(
        library.reading.store,
        records,
        target=None,
        deployment=None,
        limit=asked.limit + 100,  # lines of one moment are sorted out here
        before=None if place is None else nextafter(place[0], inf),
    )
    lines = [line for line in found if place is None or (line.at, line.id) < place]
    items = [_transition(line) for line in lines[: asked.limit]]
    cut = lines[asked.limit - 1] if len(lines) > asked.limit else None
    if found.cut and cut is None:
        library.reading.partial = PARTIAL
    following = place_text((cut.at, cut.id)) if cut else None
    return Listing[TransitionView](items=items, next=following, trouble=library.trouble)


def _transition(line: HistoryLine) -> TransitionView:
    return TransitionView(
        id=line.id,
        at=datetime.fromtimestamp(min(max(line.at, 0.0), 253_402_300_799.0), UTC),
        deployment=line.deployment,
        target=line.target,
        run=line.run,
        build=line.build,
        before=line.before,
        phase=line.phase,
        reason=line.reason,
        message=line.message,
    )


def _page(library: Library, found: Sequence[T], names: list[str], asked: Asked) -> Listing[T]:
    begin = names.index(asked.before) + 1 if asked.before in names else 0
    end = begin + asked.limit
    cut = names[end - 1] if end < len(names) else None
    return Listing[T](items=list(found[begin:end]), next=cut, trouble=library.trouble)
