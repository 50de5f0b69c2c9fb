"""When a run passes, and when it fails: with which reason, and one sentence of evidence."""

from collections import Counter

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.build import same_commit
from controller.domain.decide.observation import Observation
from controller.domain.defaults import Rules
from controller.domain.health.conditions import patience_of, sentence_of
from controller.domain.health.demands import Demand, demands_of
from controller.domain.health.soak import Soak
from controller.domain.pods.process_end import EndKind
from controller.domain.pods.run_pods import RunPods
from controller.domain.record.parts import Seen
from controller.domain.record.record import OpenRun
from controller.domain.reference import Reference
from controller.domain.run import Phase, Reason

Failure = tuple[Reason, str]


def may_pass(o: Observation, run: OpenRun, pods: RunPods) -> str | None:
    """None if the run passes now, or what it still lacks, in words (I3)."""
    if isinstance(o.request, TargetFault) or isinstance(o.port, TargetFault):
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
        lacking = o.attention.lacking if o.attention else ""
        return "the soak has not begun: bootstrapped and healthy, observed without a gap" + (
            f" ({lacking})" if lacking else ""
        )
    if soak.seconds < o.request.soak:
        return f"the soak lasts {format_duration(o.request.soak)} of observed health"
    wrong = _wrong_version(o, run, pods)
    return _unasked(run, soak) or _untrusted(o) or (wrong[1] if wrong else None)


def _unasked(run: OpenRun, soak: Soak) -> str | None:
    """A pass in which a check never ran is impossible."""
    demands = demands_of(run.mode, run.network)
    for demand in demands:
        if soak.looks < 2 or soak.held.get(demand, 0) != soak.looks:
            return f"not every look has asked for {demand}"
    if Demand.C_TIP in demands and not soak.rose("C"):
        return "C's newest block has not advanced in the soak"
    return None


def _untrusted(o: Observation) -> str | None:
    """Nothing by time on the first look after a start, nor while the clocks differ (I10)."""
    if o.attention is None or o.attention.first_look:
        return "nobody has looked for long enough since the controller started"
    return clock_fault(o.skew, o.rules) or None


def clock_fault(skew: float | None, rules: Rules) -> str:
    """Why our wall clock cannot be trusted; empty if it can. skew: seconds, by which it is ahead of
    the API server's; None where that is not known.
    """
    if skew is None:
        return "the API server's clock is not known"
    if abs(skew) > rules.max_skew:
        return f"our clock and the API server's differ by {format_duration(abs(skew))}"
    return ""


def failure(o: Observation, run: OpenRun, pods: RunPods) -> Failure | None:
    """Why the run fails now, with one sentence of evidence; None if it does not.

    What is counted, or said by the pods themselves, needs no trust in clocks; the others do.
    """
    for known in (_volume_lost(o, run, pods), _wrong_version(o, run, pods), _ended(o, run.seen)):
        if known is not None:
            return known
    if _untrusted(o) is not None:
        return None
    return _out_of_patience(o) or _late(o, run)


def _volume_lost(o: Observation, run: OpenRun, pods: RunPods) -> Failure | None:
    """The init container says fresh for a run that had started."""
    word = pods.word
    if not run.started or word is None or (word.run, word.data) != (run.id, "fresh"):
        return None
    assert pods.pod is not None
    elsewhere = bool(run.seen.home) and pods.pod.metadata.uid != run.seen.home
    # A machine's clock may step between the init container's end and the node's start.
    again = word.said is not None and word.said.timestamp() > run.started + o.rules.max_skew
    if not elsewhere and not again:
        return None
    return (
        Reason.VOLUME_LOST,
        f"the data of this run was gone when pod {pods.pod.metadata.name} came: its init container"
        " made a fresh directory",
    )


def _wrong_version(o: Observation, run: OpenRun, pods: RunPods) -> Failure | None:
    """The node's commit is not the build's, where both are known [107]: by a tag of the build that
    is its commit. A label alone may be inherited from a base image.
    """
    attention, wanted = o.attention, run.facts.image_commit
    if attention is None or attention.answer is None or attention.answered_life != pods.life:
        return None
    commit = attention.answer.commit
    if not wanted or not commit or same_commit(wanted, commit):
        return None
    tags = (*run.facts.tags, Reference.parse(run.image).tag or "")
    if not any(same_commit(tag.removesuffix("-r"), wanted) for tag in tags):
        return None
    return (
        Reason.WRONG_VERSION,
        f"the node says that it is commit {shown(commit, 40)}, and the registry says that this"
        f" build is {wanted}",
    )


_BY_KIND = {
    EndKind.OOM: Reason.OUT_OF_MEMORY,
    EndKind.VOLUME: Reason.VOLUME_LOST,
    EndKind.DISK: Reason.DISK_FULL,
    EndKind.REFUSED: Reason.BAD_CONFIG,
    EndKind.PANIC: Reason.EXITED_ZERO,
    EndKind.ZERO: Reason.EXITED_ZERO,
    EndKind.FATAL: Reason.FATAL_EXIT,
}


def _ended(o: Observation, seen: Seen) -> Failure | None:
    """The node has ended too often; what most of its ends were is the reason. Judged only when the
    last words of the last end were asked for: they are the evidence.
    """
    if o.attention is None or o.attention.heard != (seen.pod, seen.restarts):
        return None
    limit = o.rules.exit_zero_limit
    if seen.zeros and (seen.kind == EndKind.PANIC or seen.zeros >= limit):
        line = f": {seen.line}" if seen.line else ""
        return (
            Reason.EXITED_ZERO,
            f"the node ended with exit code 0 though nothing told it to, {seen.zeros} times{line}",
        )
    if seen.crashes < o.rules.crash_limit:
        return None
    tally = Counter({_BY_KIND.get(EndKind(k), Reason.CRASH_LOOP): n for k, n in seen.ends.items()})
    tally[_BY_KIND.get(EndKind(seen.kind or EndKind.OTHER), Reason.CRASH_LOOP)] += 1
    reason, times = tally.most_common(1)[0]
    if 2 * times <= seen.crashes:
        reason = Reason.CRASH_LOOP  # its ends have no cause in common
    last = f"last exit code {seen.exit}" + (f": {seen.line}" if seen.line else "")
    return (
        reason,
        f"the node restarted {seen.crashes} times, never up for"
        f" {format_duration(o.rules.crash_calm)}, {last}",
    )


def _out_of_patience(o: Observation) -> Failure | None:
    attention = o.attention
    assert attention is not None
    for condition, span in attention.spans.items():
        patience = patience_of(condition, attention.progress, o.rules)
        if patience.reason is not None and span.seconds >= patience.seconds:
            return patience.reason, f"{condition} {sentence_of(span)}"
    return None


def _late(o: Observation, run: OpenRun) -> Failure | None:
    """A healthy soak under way is let finish: success is looked at before any timeout."""
    attention = o.attention
    assert attention is not None
    assert not isinstance(o.request, TargetFault)
    seen = attention.observed - attention.blind
    late = run.started and seen >= o.request.timeout
    if not late or attention.soak is not None:
        return None
    return (
        Reason.TIMEOUT,
        f"not passed after {format_duration(seen)} of observed time"
        f" (timeout {format_duration(o.request.timeout)}), still {run.phase.lower()}",
    )
