"""What is wrong with an open run now, in words: since when, and what becomes of it, when."""

from collections.abc import Iterator

from controller.base.durations import format_duration
from controller.base.instants import minute
from controller.base.text import shown
from controller.domain.decide.observation import Observation
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.trouble import all_trouble
from controller.domain.health.conditions import Condition
from controller.domain.health.patience import patience_of
from controller.domain.objects import Pod
from controller.domain.record.record import Record


def tell_trouble(o: Observation) -> Iterator[str]:
    """A line for each kind, the newest first."""
    if not isinstance(o.record, Record) or o.record.run is None:
        yield "no run is open"
        return
    found = all_trouble(RunCase(o, o.record, o.record.run))
    for kind, since, sentence in found:
        lasted = format_duration(max(0.0, o.now.timestamp() - since))
        yield f"{sentence} (for {lasted}{_not_before(o, kind, since)})"
    if not found:
        yield "nothing, as far as one look tells"


def tell_waiting(pod: Pod) -> Iterator[str]:
    """What its containers wait for, as the kubelet says it."""
    for statuses in (pod.status.init_container_statuses, pod.status.container_statuses):
        for status in statuses or ():
            waiting = status.state.waiting
            if waiting is not None and waiting.reason != "PodInitializing":
                why = f": {shown(waiting.message, 300)}" if waiting.message else ""
                yield f"{shown(status.name, 60)} waits, {shown(waiting.reason, 60)}{why}"


def _not_before(o: Observation, kind: str, since: int) -> str:
    """When it becomes a failure at the earliest: time that nobody observes does not count."""
    attention = o.attention
    if attention is None or kind not in set(Condition):
        return ""
    patience = patience_of(
        Condition(kind), attention.progress, o.rules, bootstrapped=attention.bootstrapped
    )
    if patience.reason is None:
        return "; it fails no run"
    return f"; {patience.reason} not before {minute(since + patience.seconds)}"
