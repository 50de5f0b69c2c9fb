"""When a run passes, and when it fails: with which reason, and one sentence of evidence."""

from collections import Counter

from controller.domain.build import same_commit
from controller.domain.decide.end_reasons import LASTING, reason_of
from controller.domain.decide.messages import verdict as say
from controller.domain.decide.network_trouble import whose_trouble
from controller.domain.decide.observation import Observation
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.tested_mode import Tested, tested_mode
from controller.domain.defaults import Rules
from controller.domain.health.conditions import OF_PODS, Condition, of_pods
from controller.domain.health.demands import Demand, demands_of
from controller.domain.health.observed_time import Attention
from controller.domain.health.patience import patience_of
from controller.domain.health.soak import Soak
from controller.domain.network_names import same_network
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.node_log.causes import EndKind
from controller.domain.record.parts import Seen
from controller.domain.record.record import OpenRun
from controller.domain.reference import Reference
from controller.domain.run import Phase, Reason

Failure = tuple[Reason, str]

_NO_ANSWER = NodeAnswer(AnswerKind.STARTING, "")


def lacks_to_pass(case: RunCase) -> str | None:
    """What the run still lacks to pass, in words (I3); None if it passes now."""
    lacking = _lacks_but_mode(case)
    if lacking is not None:
        return lacking
    assert case.o.attention is not None
    tested, why = tested_mode(case.run.mode, case.o.attention)
    return None if tested is Tested.YES else why


def _lacks_but_mode(case: RunCase) -> str | None:
    """Whatever it has synced."""
    o, run, pods = case.o, case.run, case.pods
    if case.fault is not None:
        return say.MANIFEST_FAULT
    if pods.several:
        return say.SEVERAL_PODS
    if pods.pod is None or pods.life is None:
        return say.NO_POD
    word = pods.word
    if word is None or word.run != run.id or word.data not in ("fresh", "resumed"):
        return say.NO_WORD
    if run.phase is not Phase.SOAKING:
        return say.NOT_BOOTSTRAPPED
    soak = o.attention.soak if o.attention else None
    if soak is None or soak.life != pods.life:
        return say.no_soak(o.attention.lacking if o.attention else "")
    if soak.seconds < case.request.soak:
        return say.soak_lasts(case.request.soak)
    # Only what is timed waits for a success: what is counted was so before it.
    wrong = _wrong_version(case) or _wrong_network(case) or _ended(case)
    return _unasked(run, soak) or _untrusted(o) or (wrong[1] if wrong else None)


def _unasked(run: OpenRun, soak: Soak) -> str | None:
    """A pass in which a check never ran is impossible."""
    demands = demands_of(run.mode, run.network)
    for demand in demands:
        if soak.looks < 2 or soak.held.get(demand, 0) != soak.looks:
            return say.not_always_asked(demand)
    if Demand.C_TIP in demands and not soak.rose("C"):
        return say.TIP_RESTED
    if not soak.named:
        return say.NETWORK_UNNAMED
    return say.CHECKS_LATE if soak.waited else None


def _untrusted(o: Observation) -> str | None:
    """Nothing by time on the first look after a start, nor while the clocks differ (I10)."""
    if o.attention is None or o.attention.first_look:
        return say.LOOKS_LACK
    return clock_fault(o.skew, o.rules) or None


def clock_fault(skew: float | None, rules: Rules) -> str:
    """Why our wall clock cannot be trusted; empty if it can. skew: seconds, by which it is ahead of
    the API server's; None where that is not known.
    """
    if skew is None:
        return say.SKEW_UNKNOWN
    return say.clocks_differ(abs(skew)) if abs(skew) > rules.max_skew else ""


def failure(case: RunCase) -> Failure | None:
    """Why the run fails now, with one sentence of evidence; None if it does not.

    What is counted, or said by the pods themselves, needs no trust in clocks; the others do.
    """
    for question in (_volume_lost, _wrong_version, _wrong_network, _ended):
        known = question(case)
        if known is not None:
            return known
    attention = case.o.attention
    if attention is None or _untrusted(case.o) is not None:
        return None
    return (
        _other_mode(case, attention) or _out_of_patience(case, attention) or _late(case, attention)
    )


def _volume_lost(case: RunCase) -> Failure | None:
    """The init container says fresh for a run that had started."""
    run, pod, word = case.run, case.pods.pod, case.pods.word
    if not run.started or word is None or (word.run, word.data) != (run.id, "fresh"):
        return None
    assert pod is not None
    elsewhere = bool(run.seen.home) and pod.metadata.uid != run.seen.home
    if not elsewhere and not _said_again(case):
        return None
    return Reason.VOLUME_LOST, say.data_gone(pod.metadata.name)


def _said_again(case: RunCase) -> bool:
    """Whether this word was said after the node had started in this very pod."""
    word, first = case.pods.word, case.pods.started
    if word is None or word.said is None:
        return False
    # By the same clock as the word, which need not be that of `run.started`.
    if first is not None and word.said <= first:
        return False
    # A machine's clock may step between the init container's end and the node's start.
    return word.said.timestamp() > case.run.started + case.o.rules.max_skew


def _wrong_version(case: RunCase) -> Failure | None:
    """The node's commit is not the build's, where both are known [107]: by a tag of the build that
    is its commit. A label alone may be inherited from a base image.
    """
    run, wanted = case.run, case.run.facts.image_commit
    commit = _said_of_itself(case).commit
    if not wanted or not commit or same_commit(wanted, commit):
        return None
    tags = (*run.facts.tags, Reference.parse(run.image).tag or "")
    if not any(same_commit(tag.removesuffix("-r"), wanted) for tag in tags):
        return None
    return Reason.WRONG_VERSION, say.other_commit(commit, wanted)


def _wrong_network(case: RunCase) -> Failure | None:
    """The node names another network than the target's: whatever it does there, it does not test
    what the run is for. A flag that we read otherwise than the node did, or a wrapper's own.
    """
    said = _said_of_itself(case).network
    if same_network(said, case.run.network) is not False:
        return None
    return Reason.BAD_CONFIG, say.other_network(said, case.run.network)


def _said_of_itself(case: RunCase) -> NodeAnswer:
    """By the last look; empty where the process that runs now has not answered."""
    attention = case.o.attention
    if attention is None or attention.answer is None:
        return _NO_ANSWER
    return attention.answer if attention.answered_life == case.pods.life else _NO_ANSWER


def _ended(case: RunCase) -> Failure | None:
    """The node has ended too often, or twice at the same place; what most of its ends were is the
    reason. Judged only when the last words of the last end were asked for: they are the evidence.
    """
    attention, seen, rules = case.o.attention, case.seen, case.o.rules
    if attention is None or attention.heard != (seen.pod, seen.restarts):
        return None
    if seen.zeros and seen.kind == EndKind.PANIC:
        return Reason.PANIC, say.panicked(seen)
    if seen.kind in LASTING and seen.crashes >= rules.same_limit and _same_twice(seen):
        return reason_of(seen.kind), say.same_twice(seen)
    if seen.zeros >= rules.exit_zero_limit:
        return Reason.EXITED_ZERO, say.exited_zero(seen)
    if seen.crashes < rules.crash_limit:
        return None
    return _most_ends(seen), say.restarted(seen, rules.crash_calm)


def _same_twice(seen: Seen) -> bool:
    return len(seen.places) > 1 and bool(seen.places[-1]) and seen.places[-1] == seen.places[-2]


def _most_ends(seen: Seen) -> Reason:
    tally: Counter[Reason] = Counter()
    for kind, times in seen.ends.items():
        tally[reason_of(kind)] += times
    tally[reason_of(seen.kind)] += 1
    reason, times = tally.most_common(1)[0]
    # or its ends have no cause in common
    return reason if 2 * times > seen.crashes else Reason.CRASH_LOOP


def _other_mode(case: RunCase, attention: Attention) -> Failure | None:
    """All else that a pass needs is there, and the target's sync mode was not what was tested.
    Where nobody can tell, the right to read the log may still be granted.
    """
    run, soak = case.run, attention.soak
    if soak is None or _lacks_but_mode(case) is not None:
        return None
    tested, why = tested_mode(run.mode, attention)
    waited = soak.seconds - case.request.soak
    if tested is Tested.YES:
        return None
    if tested is Tested.UNKNOWN and waited < case.o.rules.config_patience:
        return None
    return Reason.OTHER_SYNC_MODE, why


def _out_of_patience(case: RunCase, attention: Attention) -> Failure | None:
    for condition, span in attention.spans.items():
        patience = patience_of(
            condition, attention.progress, case.o.rules, bootstrapped=attention.bootstrapped
        )
        spent = patience.reason is not None and span.seconds >= patience.seconds
        if patience.reason is not None and spent and _is_still_so(case, attention, condition):
            why = say.condition_lasted(condition, span.seconds, span.sentence)
            return whose_trouble(case, patience.reason, why, (condition,))
    return None


def _is_still_so(case: RunCase, attention: Attention, condition: Condition) -> bool:
    """The pods may be newer than the last look: listed anew, before a verdict is written."""
    if condition in OF_PODS:
        return condition in of_pods(case.pods.obstacles)
    return attention.answered_life == case.pods.life


def _late(case: RunCase, attention: Attention) -> Failure | None:
    """A healthy soak under way is let finish: success is looked at before any timeout."""
    run, timeout = case.run, case.request.timeout
    seen = attention.observed - attention.blind
    if not run.started or seen < timeout or attention.soak is not None:
        return None
    why = say.too_late(seen, timeout, run.phase)
    return whose_trouble(case, Reason.TIMEOUT, why, tuple(attention.spans))
