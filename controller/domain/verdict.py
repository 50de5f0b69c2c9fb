"""When a run passes, and when it fails."""

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.observation import Observation
from controller.domain.podview import RunPods
from controller.domain.record import OpenRun
from controller.domain.run import Phase, Reason


def may_pass(o: Observation, run: OpenRun, pods: RunPods) -> str | None:
    """None if the run passes now, or what it still lacks, in words (I3)."""
    if isinstance(o.subject, TargetFault) or isinstance(o.port, TargetFault):
        return "the manifest has a fault"
    if pods.several:
        return "several pods carry the run's id and image"
    if pods.pod is None or pods.life is None:
        return "no pod with the run's id and image runs the node"
    word = pods.word
    if word is None or word.run != run.id or word.data not in ("fresh", "resumed"):
        return "the init container has not said that it prepared this run's data"
    if run.phase is not Phase.SOAKING:
        return "the node has not bootstrapped"
    soak = o.attention.soak if o.attention else None
    if soak is None or soak.life != pods.life:
        return "the soak has not begun: bootstrapped and healthy, observed without a gap"
    if soak.seconds < o.subject.soak:
        return f"the soak lasts {format_duration(o.subject.soak)} of observed health"
    return None


def failure(o: Observation, run: OpenRun, pods: RunPods) -> tuple[Reason, str] | None:
    """Why the run fails now, with one sentence of evidence; None if it does not.

    A crash loop is counted, not timed, so it needs no trust in clocks; the others do.
    """
    assert not isinstance(o.subject, TargetFault)
    seen = run.seen
    if seen.crashes >= o.rules.crash_limit:
        last = pods.status.last_state.terminated if pods.status else None
        detail = f": {shown(last.reason, 40)}" if last and last.reason not in ("", "Error") else ""
        return (
            Reason.CRASH_LOOP,
            f"the node restarted {seen.crashes} times, never up for"
            f" {format_duration(o.rules.crash_calm)}, last exit code {seen.exit}{detail}",
        )
    if not _time_is_trusted(o):
        return None
    attention = o.attention
    assert attention is not None
    if pods.pulling and attention.pulling >= o.rules.image_pull_patience:
        return (
            Reason.IMAGE_PULL,
            f"the image has not come for {format_duration(attention.pulling)}:"
            f" {shown(pods.pulling)}",
        )
    # A healthy soak under way is let finish: success is looked at before any timeout.
    late = run.started and attention.observed >= o.subject.timeout
    if late and attention.soak is None:
        return (
            Reason.TIMEOUT,
            f"not passed after {format_duration(attention.observed)} of observed time"
            f" (timeout {format_duration(o.subject.timeout)}), still {run.phase.lower()}",
        )
    return None


def _time_is_trusted(o: Observation) -> bool:
    """No verdict by time on the first look after a start, nor while the clocks differ (I10)."""
    if o.attention is None or o.attention.first_look:
        return False
    return o.skew is not None and abs(o.skew) <= o.rules.max_skew
