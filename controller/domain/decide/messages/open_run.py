"""What is said of an open run: how it begins, goes on and ends, and what happens on its way."""

from collections.abc import Sequence
from datetime import UTC, datetime

from controller.base.durations import format_duration
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import Build, short
from controller.domain.record.record import OpenRun
from controller.domain.run import Phase

_ONE_LOOK = 10.0  # seconds by which what is observed is always a little less

# Its course


def begins(run: OpenRun, name: str, because: str) -> str:
    """name: the tag or digest that it came by. because: a clause in brackets, or empty."""
    return f"run {run.id} tests {name}, {short(run.build)}; waiting for its pod{because}"


def another_attempt(asked: str) -> str:
    """asked: the clause that says who asked, and when."""
    return f" (another attempt: {asked})"


def ahead_of_tag(asked: str) -> str:
    return f" (ahead of the tag: {asked})"


def bootstraps(run: OpenRun, data: str) -> str:
    """data: `fresh` or `resumed`."""
    return f"run {run.id} is bootstrapping {short(run.build)} ({data} data)"


def soaks(run: OpenRun, soak: float) -> str:
    """soak: seconds of health that it needs."""
    return (
        f"run {run.id} has bootstrapped in {_bootstrap(run)}; it passes after"
        f" {format_duration(soak)} of observed health"
    )


def passes(run: OpenRun, healthy: float, looks: int) -> str:
    """Why it passes. healthy: seconds, at so many looks."""
    return (
        f"bootstrapped in {_bootstrap(run)} and healthy for"
        f" {format_duration(healthy)} after that ({looks} looks)"
    )


def is_over(run: str, phase: Phase, why: str) -> str:
    return f"run {run} {phase.lower()}: {why}"


def passed_slowly(run: str, comparison: str) -> str:
    return f"run {run} passed, and was slow: {comparison}"


def _bootstrap(run: OpenRun) -> str:
    """How long it took, and how much of that was observed, where that is less."""
    lasted = run.lasted or run.took
    took = run.took or lasted  # a record of an older controller did not note it
    if lasted <= 1.05 * took + _ONE_LOOK:
        return format_duration(lasted)
    return f"{format_duration(lasted)} ({format_duration(took)} of it observed)"


# Why it is aborted


def tested_elsewhere(sibling: str, target: str, run: str) -> str:
    return f"{sibling} tests this build on {target} since run {run}"


def other_target(target: str) -> str:
    return f"the Deployment's target is not {target} any more"


def image_changed(manager: str, image: str, build: Build) -> str:
    """build: that the run tested. What the image names is looked up and tested next."""
    return (
        f"{_who(manager)} wishes another image ({shown(image)}): that is tested next. To test"
        f" {short(build)} after all, put the image back, then `test-build {build}` and `retest`"
    )


def pin_fought_over(manager: str, times: int) -> str:
    return (
        f"{_who(manager)} took the pin back {times} times: let it ignore the image and the"
        f" run id (Argo CD: ignoreDifferences with RespectIgnoreDifferences=true)"
    )


def leaving(alone: float) -> str:
    """alone: observed seconds without a pod."""
    return (
        f"the Deployment is being deleted, and has had no pod for {format_duration(alone)}: no new"
        " one comes"
    )


ENDED_UNSEEN = "it ended before the Deployment lost its record; how, is not known"


# What happens on its way


def taken_up(run: str) -> str:
    return f"run {run} is taken up again: the Deployment had lost its record"


def pin_missed(manager: str, delay: float) -> str:
    """delay: seconds for which it must be missed before it is put back."""
    return f"{_who(manager)} took the pin back; it is put back after {format_duration(delay)}"


def pin_put_back(manager: str, run: str) -> str:
    return f"{_who(manager)} took the pin of run {run} back; it is put back"


def cannot_pass_yet(lacking: str) -> str:
    return f"it cannot pass yet: {lacking}"


def cannot_pass(run: str, fault: Exception) -> str:
    return f"run {run} cannot pass until this is mended: {fault}"


def can_pass_again(run: str) -> str:
    return f"run {run} goes on: what kept it from passing is mended"


def node_restarted(run: OpenRun) -> str:
    seen = run.seen
    line = f": {seen.line}" if seen.line else ""
    kind = " (out of memory)" if seen.kind == "oom" else ""
    return (
        f"the node of run {run.id} ended with exit code {seen.exit}{kind} and was started"
        f" again, {seen.crashes} in a row{line}"
    )


def pod_replaced(run: str, gone: str) -> str:
    """gone: why the pod before it ended, empty where that is not known."""
    why = f" ({shown(gone)})" if gone else ""
    return f"run {run} goes on in another pod{why}"


def condition_began(run: str, sentence: str, outlook: str) -> str:
    return f"run {run}: {sentence}{outlook}"


def condition_fails(reason: str, patience: float) -> str:
    """The outlook of a condition that becomes a failure. patience: seconds."""
    lasts = format_duration(patience)
    return f"; the run fails ({reason}) if it lasts for {lasts} of observed time"


def condition_over(run: str, sentence: str, lasted: float) -> str:
    return f"run {run}: over after {format_duration(lasted)}: {sentence}"


def _who(manager: str) -> str:
    """Who wrote the image last. That is ourselves where the run id alone was taken off."""
    known = manager and manager != names.FIELD_MANAGER
    return f"'{shown(manager, 60)}'" if known else "somebody"


def configuration_changed(parts: Sequence[str], manager: str, at: datetime | None) -> str:
    """parts: names of variables and flags, as far as they are known. manager: who changed them by
    managedFields; empty where they do not tell. at: when, by the same.
    """
    named = ", ".join(shown(part, 64) for part in parts[:8])
    more = f" and {len(parts) - 8} more" if len(parts) > 8 else ""
    what = f": {named}{more}" if named else ""
    when = f" at {at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}" if at else ""
    who = f", by '{shown(manager, 60)}'{when}" if manager else ""
    return f"the node's command, args or env changed in mid-run{what}{who}"
