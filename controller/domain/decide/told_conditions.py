"""Which conditions people are told of: those that have lasted a while, when they begin and end."""

from controller.base.text import cut_bytes, shown_ends
from controller.domain.decide.messages import open_run as say
from controller.domain.decide.network_trouble import shared
from controller.domain.decide.next_record import stamp, with_step
from controller.domain.decide.observation import Observation
from controller.domain.defaults import Rules
from controller.domain.health.conditions import AT_ONCE, OF_PODS, Condition
from controller.domain.health.observed_time import Attention
from controller.domain.health.patience import patience_of
from controller.domain.record.parts import ToldCondition
from controller.domain.record.record import OpenRun, Record

# Bytes of a condition's sentence in the record, which has room for a dozen.
_SENTENCE = 160


def told_conditions(o: Observation, run: OpenRun) -> tuple[ToldCondition, ...]:
    """Those that last and that people are told of by now. One stays as it was told; without a look
    of this controller nothing is known, and all stay.
    """
    attention = o.attention
    if attention is None or not attention.looks:
        return run.conditions
    found = [s for s in run.conditions if s.type in attention.spans]
    told = {s.type for s in found}
    for condition, span in attention.spans.items():
        after = _told_after(condition, attention, o.rules)
        if str(condition) not in told and span.seconds >= after:
            # The cause is last in what one program of a cluster says of another.
            of_pods = condition in OF_PODS
            seen = shown_ends(span.sentence, _SENTENCE - 10) if of_pods else span.sentence
            message = cut_bytes(seen, _SENTENCE)
            found.append(ToldCondition(type=str(condition), since=stamp(o), message=message))
    return tuple(found)


def _told_after(condition: Condition, attention: Attention, rules: Rules) -> float:
    """Seconds that it must last. One obstacle may follow another, such as a pod that does not end
    and then a container that cannot be created: their times add up.
    """
    if condition in AT_ONCE:
        return 0.0
    kept = condition in OF_PODS and attention.down >= rules.condition_told
    return rules.obstacle_told if kept else rules.condition_told


def tell_conditions(o: Observation, record: Record, before: OpenRun, run: OpenRun) -> Record:
    """Adds a step for each condition that began or ended."""
    was, now = {s.type for s in before.conditions}, {s.type: s for s in run.conditions}
    for type_, condition in now.items():
        if type_ not in was:
            outlook = outlook_of(o, type_) + _others(o, run, type_)
            message = say.condition_began(run.id, condition.message, outlook)
            record = with_step(
                record, o, run.phase, run.phase, reason=type_, message=message, level="warning"
            )
    for condition in before.conditions:
        if condition.type not in now:
            lasted = max(0, stamp(o) - condition.since)
            message = say.condition_over(run.id, condition.message, lasted)
            record = with_step(
                record, o, run.phase, run.phase, reason=f"{condition.type}Ended", message=message
            )
    return record


def _others(o: Observation, run: OpenRun, type_: str) -> str:
    """Whether it looks like the network's trouble."""
    assert o.attention is not None
    condition = Condition(type_)
    found = shared(o, run, {condition: o.attention.spans[condition]})
    return f"; {found}" if found else ""


def outlook_of(o: Observation, type_: str) -> str:
    """What becomes of a condition if it lasts, in a clause; empty if nothing, or nobody knows."""
    seen = o.attention
    if seen is None or type_ not in seen.spans:
        return ""
    patience = patience_of(Condition(type_), seen.progress, o.rules, bootstrapped=seen.bootstrapped)
    if patience.reason is None:
        return ""
    return say.condition_fails(patience.reason, patience.seconds)
