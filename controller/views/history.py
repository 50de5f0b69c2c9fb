"""History for `history`: the store's, and what only the records know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from controller.domain.record.record import Outcome, Record, Step
from controller.domain.run import OVER
from controller.engine.telling.history_body import body_of
from controller.engine.telling.notices import target_of, transition_id
from controller.views.history_sift import EVERYTHING, Sift
from controller.views.paging import PAGE, Search
from store.api import StateStore, Transition


@dataclass(frozen=True)
class HistoryLine:
    """One transition. All but id, at and target are empty if the store's line is unreadable."""

    id: str  # of the transition
    at: float  # seconds since 1970
    deployment: str  # its key
    target: str  # slug; empty: of none
    run: str  # its id; empty: of none
    build: str  # digest; empty: of none
    before: str  # phase; empty: not known
    phase: str
    reason: str
    message: str


@dataclass(frozen=True)
class History:
    """What was found."""

    lines: list[HistoryLine]  # newest first
    cut: bool  # LOOKED_THROUGH was met: older ones may be missing

    def __iter__(self) -> Iterator[HistoryLine]:
        return iter(self.lines)


@dataclass(frozen=True)
class _Asked:
    target: str | None  # None: all
    deployment: str | None  # key; None: all
    limit: int  # lines at most
    outcomes: bool  # only how runs ended
    before: float | None  # seconds since 1970; None: up to now
    sift: Sift

    def fits(self, line: HistoryLine) -> bool:
        return (
            self.target in (None, line.target)
            and self.deployment in (None, line.deployment)
            and (not self.outcomes or line.phase in OVER)
            and (self.before is None or line.at < self.before)
            and self.sift.fits(build=line.build, phase=line.phase, at=line.at)
        )

    @property
    def page(self) -> int:
        """The store's answer is all that is needed where it knows what was asked for."""
        sifted = self.outcomes or self.deployment is not None or not self.sift.is_empty
        return PAGE if sifted else min(self.limit, PAGE)


async def read_history(  # noqa: PLR0913 what may be asked for
    store: StateStore,
    records: Iterable[Record],
    *,
    target: str | None,
    deployment: str | None,
    limit: int,
    outcomes: bool = False,
    before: float | None = None,
    sift: Sift = EVERYTHING,
) -> History:
    """The newest `limit` of the lines that are asked for. outcomes: only how runs ended. before:
    only what was earlier, in seconds since 1970. Raises StoreUnavailable, and StoreMisused for a
    target that is no slug.
    """
    asked, records = _Asked(target, deployment, limit, outcomes, before, sift), list(records)
    remembered = {line.id: line for r in records for line in (_of_step(r, s) for s in r.steps)}
    kept, cut = await _search(store, asked, remembered)
    lines = {**remembered, **kept}
    ends = {(line.deployment, line.run, line.phase) for line in lines.values()}
    # An outcome is only a reminder of a transition that nobody has any more.
    reminders = [_of_outcome(r, o) for r in records for o in r.outcomes]
    reminders = [x for x in reminders if (x.deployment, x.run, x.phase) not in ends]
    chosen = [line for line in (*lines.values(), *reminders) if asked.fits(line)]
    chosen.sort(key=lambda line: (line.at, line.id), reverse=True)
    return History(chosen[:limit], cut)


async def _search(
    store: StateStore, asked: _Asked, remembered: Mapping[str, HistoryLine]
) -> tuple[dict[str, HistoryLine], bool]:
    """The store's lines by id, from the newest to the last that is needed, whether they fit or not;
    and whether the search was given up before.
    """
    found, fitting = dict[str, HistoryLine](), 0
    sift = asked.sift
    picks = None if sift.builds is None else sift.may_fit
    search = Search(store, asked.target, asked.before, asked.page, sift.since, picks)
    async for page in search.pages():
        lines = [_of_transition(each, remembered) for each in page]
        found.update((line.id, line) for line in lines)
        fitting += sum(asked.fits(line) for line in lines)
        if fitting >= asked.limit:
            break
    return found, search.cut


def _of_transition(transition: Transition, remembered: Mapping[str, HistoryLine]) -> HistoryLine:
    body = body_of(transition)
    if not body and transition.id in remembered:
        return remembered[transition.id]
    return HistoryLine(
        id=transition.id,
        at=transition.at,
        deployment=body.get("deployment", ""),
        target=transition.target,
        run=body.get("run", ""),
        build=body.get("build", ""),
        before=body.get("before", ""),
        phase=body.get("phase", ""),
        reason=body.get("reason", ""),
        message=body.get("message", ""),
    )


def _of_step(record: Record, step: Step) -> HistoryLine:
    return HistoryLine(
        id=transition_id(record, step),
        at=float(step.at),
        deployment=record.key,
        target=target_of(record, step),
        run=step.run,
        build=step.build,
        before=step.before,
        phase=step.phase,
        reason=step.reason,
        message=step.message,
    )


def _of_outcome(record: Record, outcome: Outcome) -> HistoryLine:
    return HistoryLine(
        id=f"{record.namespace}.{record.name}.{outcome.run}.end",
        at=float(outcome.at),
        deployment=record.key,
        target=outcome.target,
        run=outcome.run,
        build=outcome.build,
        before="",
        phase=outcome.phase,
        reason=outcome.reason,
        message=outcome.message,
    )
