"""The table of `status`: what is tested now stands first, and nothing older outshines it."""

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from controller.base.durations import format_duration
from controller.cli.output import ROOMY, short
from controller.cli.room import sentence_of
from controller.cli.tables import Column, lines_of
from controller.domain.run import Phase
from controller.views.deployment import DeploymentView
from controller.views.run import RunView

TESTED = "TESTED"  # the column that needs the store
_BAR = 10  # characters
_FIRST = (Column("DEPLOYMENT"), Column("PHASE", styled=True), Column("SINCE"))
_VERSION = Column("VERSION", least=12)
_SAYS = Column("MESSAGE", sentence=True)
_LATER = (Column("BUILD", drop=5), Column("TARGET", drop=4), Column(TESTED, drop=6))
_NARROW = (*_FIRST, _VERSION, Column("NOW OR LAST", drop=1, least=14), *_LATER, _SAYS)
_ROOMY = (
    *_FIRST,
    _VERSION,
    Column("WRONG NOW", drop=1, least=14),
    Column("PROGRESS", drop=2),
    *_LATER,
    Column("LAST OUTCOME", drop=3, least=18),
    Column("RUN", drop=7),
    _SAYS,
)


def table_lines(
    views: Sequence[DeploymentView], now: float, width: int | None, *, wide: bool
) -> list[Text]:
    """now: seconds since 1970. width: of the terminal in characters; None for none. wide: with
    each run's id.
    """
    if width is not None and width < ROOMY and not wide:
        bare = len({view.deployment.partition("/")[0] for view in views}) == 1
        return lines_of(_NARROW, [_narrow(view, now, bare=bare) for view in views], width)
    return lines_of(_ROOMY, [_roomy(view, now, wide=wide) for view in views], width)


def version_of(run: RunView, tag: str = "") -> str:
    """What a build is called: its version, or the tag it came by, or its digest, shortened."""
    version = run.version.rpartition("/")[2]
    return version or next(iter(run.tags), "") or tag or short(run.build)


def _narrow(view: DeploymentView, now: float, *, bare: bool) -> tuple[str, ...]:
    """bare: one namespace for all is not repeated in each row."""
    name = view.deployment.partition("/")[2] if bare else view.deployment
    before = "" if view.run else _last(view, now)
    outlook = _wrong(view) or _progress(view.run, bar=0) or before
    return (*_first(view, now, name), outlook, *_later(view), sentence_of(view))


def _roomy(view: DeploymentView, now: float, *, wide: bool) -> tuple[str, ...]:
    subject = view.run or view.last
    return (
        *_first(view, now, view.deployment),
        _wrong(view),
        _progress(view.run, bar=_BAR),
        *_later(view),
        _last(view, now),
        subject.run if wide and subject else "",
        sentence_of(view),
    )


def _first(view: DeploymentView, now: float, name: str) -> tuple[str, ...]:
    subject = view.run or view.last
    version = version_of(subject, view.tag if view.run else "") if subject else view.tag
    return name, view.phase, _ago(view.since, now), version


def _later(view: DeploymentView) -> tuple[str, ...]:
    subject = view.run or view.last
    tested = "" if view.seen is None else f"{view.tested}/{view.seen}"
    return short(subject.build) if subject else "", view.target, tested


def _wrong(view: DeploymentView) -> str:
    return ", ".join((*view.wrong, *([f"queued {view.queued}"] if view.queued else [])))


def _progress(run: RunView | None, *, bar: int) -> str:
    """How much of its time has gone, as far as earlier runs let expect; empty where they do not.

    bar: its length in characters.
    """
    if run is None or run.phase != Phase.BOOTSTRAPPING or run.left is None or not run.observed:
        return ""
    share = run.observed / (run.observed + run.left)
    full = min(bar, int(share * bar))
    left = f"{100 * share:.0f}% {format_duration(run.left)} left"
    return f"{'█' * full}{'░' * (bar - full)} {left}" if bar else left


def _last(view: DeploymentView, now: float) -> str:
    """How the last run ended; which build it was of, where another is tested now."""
    last, run = view.last, view.run
    if last is None:
        return ""
    ended = f"{last.phase} ({last.reason})"
    if last.ended is not None:
        ended += f" {_ago(last.ended, now)} ago"
    older = run is not None and run.build != last.build
    return f"{version_of(last)}: {ended}" if older else ended


def _ago(at: datetime | None, now: float) -> str:
    return format_duration(max(0.0, now - at.timestamp())) if at else ""
