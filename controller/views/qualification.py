"""Whether a build has passed everywhere that matters: a verdict for each target, and one for all.

Passed is only what a remembered run says that ended so, of a build that was meant or of one of the
same commit. Whatever is open, aborted, forgotten or cannot be read is not passed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from controller.base.durations import format_duration
from controller.base.instants import instant
from controller.base.text import shown
from controller.domain.build import short
from controller.domain.run import OPEN, Phase, Reason
from controller.views.build import CLAIMED, FAILED, PASSED, PASSED_BY, BuildOnTarget
from controller.views.build import OPEN as OPEN_STATE
from controller.views.deployment import DeploymentView
from controller.views.meaning import Meaning
from controller.views.parts import View
from controller.views.run import RunView

UNTESTED = "not tested"
UNKNOWN = "unknown"  # what would say it cannot be read


class TargetVerdict(View, frozen=True, kw_only=True):
    """What is known of the build on one target."""

    target: str  # slug; or `namespace/name` of a Deployment whose target is not known
    state: str  # passed, failed, open, not tested, unknown
    message: str  # in a sentence
    run: RunView | None = None  # that the state rests on
    other_build: bool = False  # that run is of another build of the same commit
    before: RunView | None = None  # an older verdict that says otherwise
    again: RunView | None = None  # an open run beside a pass


class Qualification(View, frozen=True, kw_only=True):
    """The answer."""

    means: Meaning
    verdict: str  # passed: on each target; failed: on one at least; open; not tested; unknown
    targets: tuple[TargetVerdict, ...]
    partial: str = ""  # how far was looked, where older runs may be missing; empty: far enough

    @property
    def decided(self) -> bool:
        return self.verdict in (PASSED, FAILED)

    @property
    def stuck(self) -> bool:
        """A person has ended a run, and so the build is not tested there by itself any more."""
        runs = [each.run for each in self.targets if each.state == UNTESTED and each.run]
        return any(run.reason == Reason.ABORT_REQUESTED for run in runs)


class Ground(View, frozen=True, kw_only=True):
    """What a target's verdict is found from."""

    target: str  # slug
    runs: tuple[RunView, ...]  # of the builds that were meant and of their siblings
    states: tuple[BuildOnTarget, ...] = ()  # what else is known of these builds on the target
    deployments: tuple[DeploymentView, ...] = ()  # that test the target now
    unreadable: str = ""  # why a record of the target cannot be believed; empty: all can
    queued: tuple[str, ...] = ()  # Deployments in whose queue the build is


def qualification(
    means: Meaning, verdicts: Sequence[TargetVerdict], partial: str = ""
) -> Qualification:
    states = {each.state for each in verdicts}
    order = (FAILED, OPEN_STATE, UNKNOWN, UNTESTED, PASSED)
    verdict = next((state for state in order if state in states), UNTESTED)
    return Qualification(means=means, verdict=verdict, targets=tuple(verdicts), partial=partial)


def verdict_on(ground: Ground, means: Meaning) -> TargetVerdict:
    """Of several verdicts the newest counts; one of another build of the same commit stands in
    where the build itself has none, and a newer failure of one counts against a pass.
    """
    own = _newest_first(run for run in ground.runs if run.build in means.builds)
    others = _newest_first(run for run in ground.runs if run.build in means.siblings)
    found = _decide(own, others)
    running = next(
        (run for run in ground.runs if run.phase in OPEN and _is_live(run, ground)), None
    )
    if ground.unreadable:
        return TargetVerdict(
            target=ground.target, state=UNKNOWN, message=ground.unreadable, run=found
        )
    if found is not None and (running is None or found.phase == Phase.PASSED):
        return _verdict(ground, means, found, running, [*own, *others])
    if running is not None:
        return _running(ground, means, running, found)
    return TargetVerdict(
        target=ground.target, state=UNTESTED, message=_why_not(ground), run=_aborted(ground)
    )


def _decide(own: Sequence[RunView], others: Sequence[RunView]) -> RunView | None:
    if not own:
        return others[0] if others else None
    newer = others and others[0].phase == Phase.FAILED and _end(others[0]) > _end(own[0])
    return others[0] if newer and own[0].phase == Phase.PASSED else own[0]


def _newest_first(runs: Iterable[RunView]) -> list[RunView]:
    """Those that say something of their build."""
    verdicts = [run for run in runs if run.phase in (Phase.PASSED, Phase.FAILED)]
    return sorted(verdicts, key=_end, reverse=True)


def _end(run: RunView) -> tuple[float, str]:
    at = run.ended or run.decided
    return (at.timestamp() if at else 0.0), run.run


def _is_live(run: RunView, ground: Ground) -> bool:
    """A record says that it is open: the store's word alone may be of a Deployment that is gone."""
    return any(each.run is not None and each.run.key == run.key for each in ground.deployments)


def _verdict(
    ground: Ground,
    means: Meaning,
    found: RunView,
    running: RunView | None,
    verdicts: Sequence[RunView],
) -> TargetVerdict:
    before = next((run for run in verdicts if run.phase != found.phase), None)
    other = found.build not in means.builds
    parts = [_told(found)]
    if other:
        parts.append(f"by another build of the same commit, {short(found.build)}")
    if before is not None:
        when = "before" if _end(before) < _end(found) else "after it"
        of = f" of {short(before.build)}" if before.build != found.build else ""
        parts.append(f"{when}, run {before.run}{of} {before.phase.lower()} at {_at(before.ended)}")
    if running is not None:
        parts.append(f"it is being tested again by run {running.run}")
    return TargetVerdict(
        target=ground.target,
        state=PASSED if found.phase == Phase.PASSED else FAILED,
        message="; ".join(parts),
        run=found,
        other_build=other,
        before=before,
        again=running,
    )


def _running(ground: Ground, means: Meaning, run: RunView, before: RunView | None) -> TargetVerdict:
    since = next((d.since for d in ground.deployments if d.run and d.run.key == run.key), None)
    parts = [f"run {run.run} is {run.phase} since {_at(since)}", *run.pace[:2]]
    if run.build not in means.builds:
        parts.append(f"of another build of the same commit, {short(run.build)}")
    if before is not None:
        parts.append(f"before, run {before.run} {before.phase.lower()} at {_at(before.ended)}")
    return TargetVerdict(
        target=ground.target,
        state=OPEN_STATE,
        message="; ".join(parts),
        run=run,
        other_build=run.build not in means.builds,
        before=before,
    )


def _told(run: RunView) -> str:
    if run.phase == Phase.PASSED:
        took = f", bootstrapped in {format_duration(run.took)}" if run.took else ""
        return f"run {run.run} passed at {_at(run.ended)}{took}"
    side = f", {run.side}" if run.side else ""
    said = f": {run.message}" if run.message else ""
    return f"run {run.run} failed at {_at(run.ended)} ({run.reason}{side}){shown(said, 500)}"


def _at(at: datetime | None) -> str:
    return instant(at.timestamp()) if at else "a time that is not known"


def _aborted(ground: Ground) -> RunView | None:
    """The last one."""
    aborted = [run for run in ground.runs if run.phase == Phase.ABORTED]
    return max(aborted, key=_end, default=None)


def _why_not(ground: Ground) -> str:
    """As far as it is known."""
    if run := _aborted(ground):
        said = f": {run.message}" if run.message else ""
        return shown(f"run {run.run} was aborted ({run.reason}) at {_at(run.ended)}{said}", 500)
    if ground.runs:
        return f"run {ground.runs[0].run} began, and nobody knows how it ended"
    if ground.queued:
        return f"it is in the queue of {', '.join(ground.queued)}; {_doing(ground)}"
    if any(each.state == CLAIMED for each in ground.states):
        return f"a run of it was begun or is about to, of which nothing is known; {_doing(ground)}"
    by = [each for each in ground.states if each.state == PASSED_BY and each.seen]
    if by:
        return f"passed by: the tag pointed to it at {_at(by[0].seen)}; {_doing(ground)}"
    return _doing(ground)


def _doing(ground: Ground) -> str:
    """What is tested there instead, or what keeps the Deployment."""
    if not ground.deployments:
        return "no Deployment tests this target now"
    told = []
    for each in ground.deployments:
        run = f" {short(each.run.build)}" if each.run else ""
        phase = f"{each.phase}{run}" if each.phase else "not looked after yet"
        reason = f" ({each.reason})" if each.reason else ""
        said = f": {each.message}" if each.message and not each.run else ""
        told.append(f"{each.deployment} is {phase}{reason}{said}")
    return shown("; ".join(told), 500)
