"""What each lever makes of a Deployment's annotation, and what comes of it then; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.domain.objects import Deployment
from controller.domain.record.levers import kept, lever_value, levers_of, unanswered
from controller.domain.record.record import OpenRun
from controller.domain.reference import parse_tag_or_digest
from controller.domain.run import Phase
from controller.inspection.deployments import InspectedDeployment

NOTHING_WRITTEN = "nothing is written"
UNTIL_RESUMED = "nothing new is started while it is suspended: see `resume`"


class Result(StrEnum):
    """What came of a lever on one Deployment."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"  # what was asked for stands already
    NOTHING = "nothing"  # there is nothing to ask it of
    FAILED = "failed"


@dataclass(frozen=True)
class Asker:
    """Who pulls a lever, and when."""

    who: str  # as the annotation names them
    now: datetime  # wall clock at the command's start
    rules: Rules


@dataclass(frozen=True)
class Wish:
    """What is to become of one annotation."""

    result: Result
    # What is written and what happens next, or why nothing is; shown after the Deployment's name.
    said: str
    annotation: str  # its name
    value: str | None = None  # None: it is taken off


Lever = Callable[[InspectedDeployment, Asker], Wish]


def suspend(s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.SUSPEND)
    if _suspended(s.deployment):
        return wish(Result.UNCHANGED, f"is suspended already: {NOTHING_WRITTEN}")
    run = _open_run(s)
    goes_on = f"run {run.id} goes on to its end, and then " if run else ""
    return wish(Result.WRITTEN, f"suspended: {goes_on}nothing new is started", value="true")


def resume(s: InspectedDeployment, asker: Asker) -> Wish:
    """Writes `false` rather than nothing, so that managedFields tell who resumed it."""
    wish = partial(Wish, annotation=names.SUSPEND)
    if (s.deployment.metadata.written(names.SUSPEND) or "").lower() in ("", "false"):
        return wish(Result.UNCHANGED, f"is not suspended: {NOTHING_WRITTEN}")
    if s.record is not None and s.record.again:
        comes = "the attempt that a person asked for starts"
    elif _held_run(s, asker):
        comes = f"the data of {_held_run(s, asker)} is kept still: see `end-hold`"
    else:
        comes = "the next build that is due is started"
    return wish(Result.WRITTEN, f"resumed: {_when(s, comes, resumed=True)}", value="false")


def retest(s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.RETEST)
    if s.record is None:
        return _unmet(s, names.RETEST, "its first run needs no asking")
    if s.record.again.startswith("retest") or unanswered(s.deployment, s.record, names.RETEST):
        return wish(Result.UNCHANGED, _asked_already(s, names.RETEST))
    held = _held_run(s, asker)
    comes = _tested_again(s)
    comes += f", in the place of the kept data of {held}" if held else ""
    return _ask(s, asker, names.RETEST, f"retest asked for: {_when(s, comes)}")


def abort(s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.ABORT)
    if s.record is None:
        return _unmet(s, names.ABORT, "no run is open")
    if s.record.run is None:
        return wish(Result.NOTHING, f"no run is open: {NOTHING_WRITTEN}")
    if unanswered(s.deployment, s.record, names.ABORT):
        return wish(Result.UNCHANGED, _asked_already(s, names.ABORT))
    comes = f"run {s.record.run.id} ends as Aborted and its build counts as tested: see `retest`"
    return _ask(s, asker, names.ABORT, f"abort asked for: {comes}")


def end_hold(s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.END_HOLD)
    if s.record is None:
        return _unmet(s, names.END_HOLD, "nothing is held")
    held = _held_run(s, asker)
    if not held:
        return wish(Result.NOTHING, f"nothing is held: {NOTHING_WRITTEN}")
    if unanswered(s.deployment, s.record, names.END_HOLD):
        return wish(Result.UNCHANGED, _asked_already(s, names.END_HOLD))
    comes = f"the next build that is due takes the place of the data of {held}"
    return _ask(s, asker, names.END_HOLD, f"end of the hold asked for: {_when(s, comes)}")


def build_lever(reference: str) -> Lever:
    """The lever that queues this tag or digest; empty takes what is queued back. Raises
    ReferenceFault.
    """
    if not reference:
        return _clear_build
    parse_tag_or_digest(reference)
    return partial(_queue_build, reference)


def _queue_build(reference: str, s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.TEST_BUILD)
    if s.deployment.metadata.written(names.TEST_BUILD) == reference:
        if s.record is not None and s.record.taken == reference:
            said = f"{reference} was taken already, and `retest` tests it once more"
            return wish(Result.UNCHANGED, f"{said}: {NOTHING_WRITTEN}")
        return wish(Result.UNCHANGED, f"{reference} is queued already: {NOTHING_WRITTEN}")
    held = _held_run(s, asker)
    if s.record is not None and reference in s.record.builds():
        comes = "it was tested here already: see `history`; `retest` tests it once more"
    else:
        comes = (
            "it is tested next, unless that build was tested already or the registry does not know"
            " it (see `status`), and then the tag"
        )
        comes += f", when the data of {held} is not kept any more: see `end-hold`" if held else ""
    return wish(Result.WRITTEN, f"{reference} is queued: {_when(s, comes)}", value=reference)


def _clear_build(s: InspectedDeployment, asker: Asker) -> Wish:
    wish = partial(Wish, annotation=names.TEST_BUILD)
    queued = s.deployment.metadata.written(names.TEST_BUILD)
    if not queued:
        return wish(Result.UNCHANGED, f"no build is queued: {NOTHING_WRITTEN}")
    run = _open_run(s)
    goes_on = f"run {run.id} goes on, and then " if run else ""
    said = f"{shown(queued, 80)} is queued no more: {goes_on}the followed tag is tested"
    return wish(Result.WRITTEN, said)


def _ask(s: InspectedDeployment, asker: Asker, lever: str, said: str) -> Wish:
    """Gives a lever that asks once a value that it has not had."""
    spent = s.record.levers.get(lever) if s.record else None
    value = lever_value(asker.now, asker.who, levers_of(s.deployment).get(lever), spent)
    return Wish(Result.WRITTEN, said, lever, value)


def _unmet(s: InspectedDeployment, lever: str, why: str) -> Wish:
    """Where there is no good record: what is asked at a first meeting is noted and not done."""
    if s.fault:
        return Wish(Result.FAILED, f"{s.fault}; {NOTHING_WRITTEN}", lever)
    return Wish(Result.NOTHING, f"no controller has seen it yet, {why}: {NOTHING_WRITTEN}", lever)


def _asked_already(s: InspectedDeployment, lever: str) -> str:
    value = shown(levers_of(s.deployment).get(lever, ""), 80)
    return f"asked already ({value}), and not acted on yet: {NOTHING_WRITTEN}"


def _when(s: InspectedDeployment, comes: str, *, resumed: bool = False) -> str:
    """What comes, and what it waits for."""
    run = _open_run(s)
    if s.fault:
        return f"but {s.fault}"
    if run is not None:
        comes = f"after run {run.id}, {comes}"
    if s.record is None:
        return f"{comes}, once a controller has seen the Deployment"
    if not resumed and _suspended(s.deployment):
        return f"{comes}, but {UNTIL_RESUMED}"
    if s.record.phase is Phase.BLOCKED:
        return f"{comes}, but not while this stands: {shown(s.record.message, 300)}"
    return comes


def _suspended(deployment: Deployment) -> bool:
    return (deployment.metadata.written(names.SUSPEND) or "").lower() == "true"


def _open_run(s: InspectedDeployment) -> OpenRun | None:
    return s.record.run if s.record else None


def _held_run(s: InspectedDeployment, asker: Asker) -> str:
    """The failed run whose data is kept now; empty for none."""
    outcome = kept(s.record) if s.record is not None and s.record.run is None else None
    if outcome is None:
        return ""
    try:
        until = outcome.at + read_request(s.deployment, asker.rules).keep_failed_data
    except TargetFault:
        return outcome.run  # how long it is kept is known once that is mended
    return outcome.run if asker.now.astimezone(UTC).timestamp() < until else ""


def _tested_again(s: InspectedDeployment) -> str:
    """What another attempt is of: with a build in the queue both are tested."""
    queued = s.deployment.metadata.written(names.TEST_BUILD)
    if not queued:
        return "the followed tag is tested once more"
    name = shown(queued, 80)
    if s.record is not None and (s.record.taken == queued or queued in s.record.builds()):
        return f"{name} is tested once more"
    return f"{name} is tested, and then, unless that was another attempt of it, the followed tag"
