"""The table of `status`: what is tested now stands first, and nothing older outshines it."""

from collections.abc import Sequence
from datetime import datetime

from controller.base.durations import format_duration
from controller.cli.output import short
from controller.cli.tables import Column
from controller.views.deployment import DeploymentView
from controller.views.run import RunView

ROOMY = 100  # columns: with less, one namespace for all is not repeated in each row
TESTED = "TESTED"  # the column that needs the store
_NAME = Column("DEPLOYMENT")
_COLUMNS = (
    _NAME,
    Column("PHASE", styled=True),
    Column("SINCE"),
    Column("VERSION", least=12),
    Column("WRONG NOW", drop=2, least=14),
    Column("BUILD", drop=5),
    Column("TARGET", drop=4),
    Column(TESTED, drop=6),
    Column("LAST OUTCOME", drop=3, least=18),
    Column("MESSAGE", sentence=True),
)
_RUN = Column("RUN", drop=7)


def columns_of(*, wide: bool) -> tuple[Column, ...]:
    return (*_COLUMNS[:-1], _RUN, _COLUMNS[-1]) if wide else _COLUMNS


def rows_of(
    views: Sequence[DeploymentView], now: float, width: int | None, *, wide: bool
) -> list[tuple[str, ...]]:
    """now: seconds since 1970. width: of the terminal in characters; None for none."""
    namespaces = {view.deployment.partition("/")[0] for view in views}
    bare = width is not None and width < ROOMY and len(namespaces) == 1
    return [_row(view, now, bare=bare, wide=wide) for view in views]


def version_of(run: RunView, tag: str = "") -> str:
    """What a build is called: its version, or the tag it came by, or its digest, shortened."""
    version = run.version.rpartition("/")[2]
    return version or next(iter(run.tags), "") or tag or short(run.build)


def _row(view: DeploymentView, now: float, *, bare: bool, wide: bool) -> tuple[str, ...]:
    subject = view.run or view.last
    cells = (
        view.deployment.partition("/")[2] if bare else view.deployment,
        view.phase,
        _ago(view.since, now),
        version_of(subject, view.tag if view.run else "") if subject else view.tag,
        ", ".join((*view.wrong, *([f"queued {view.queued}"] if view.queued else []))),
        short(subject.build) if subject else "",
        view.target,
        "" if view.seen is None else f"{view.tested}/{view.seen}",
        _last(view, now),
        view.message,
    )
    run = subject.run if subject else ""
    return (*cells[:-1], run, cells[-1]) if wide else cells


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
