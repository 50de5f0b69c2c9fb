"""What is wrong with an open run now. Its message says so the moment it is seen; notices wait.

Each change of the message is a write, so a message has no duration that grows. It is written anew
when a kind of trouble begins or ends, not more often than once in `Rules.message_rest`, and at
each end of the node, which a kubelet starts again at growing delays. What trouble of the same kinds
says in other words is written after as long a time again as the trouble had lasted at the last
writing: a day of it has about ten.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from controller.base.text import cut_bytes, shown_ends
from controller.domain.decide.end_reasons import LASTING
from controller.domain.decide.messages import trouble as say
from controller.domain.decide.next_record import stamp
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.told_conditions import outlook_of
from controller.domain.health.conditions import AT_ONCE, Condition
from controller.domain.node_log.causes import EndKind
from controller.domain.objects import StateTerminated
from controller.domain.pods.process_end import process_end_of
from controller.domain.pods.stamps import never_started, ran_for
from controller.domain.record.record import OpenRun
from controller.domain.run import Reason

# The node has ended and does not run; when it is started again, it is `NodeRestarted`.
NODE_ENDED = "NodeEnded"

_RESTARTED = str(Reason.NODE_RESTARTED)
_OF_ENDS = frozenset({NODE_ENDED, _RESTARTED})
_CONDITIONS = frozenset(map(str, Condition))
# What somebody complains of in words is certain at once.
_CERTAIN = AT_ONCE | {
    Condition.IMAGE_PULL,
    Condition.NOT_CREATED,
    Condition.MANIFEST_REFUSED,
    Condition.VOLUME_TROUBLE,
    Condition.OTHER_DATA,
    Condition.HOST_REFUSED,
}
# Bytes of an end's line in the message, beside what is said of it.
_LINE = 160


@dataclass(frozen=True)
class Saying:
    """The message as it would be written now."""

    run: OpenRun  # with what it remembers of its message
    message: str
    due: bool  # it is to be written, though nothing else is
    again_in: float | None  # seconds until it will be due; None: when something changes


def saying(case: RunCase, run: OpenRun, plain: str = "") -> Saying:
    """run: as it is to be written, but for its message. plain: what it is doing, where that is
    news; the message is then written in any case.
    """
    now, before, message = stamp(case.o), case.run, case.record.message
    if _is_unheard(case) and not plain:
        return Saying(run, message, due=False, again_in=None)
    trouble = trouble_now(case)
    plain = plain or before.plain or message
    if plain != before.plain or trouble != before.trouble or _is_all_known(case, trouble):
        sentences = [_sentence(case, kind, trouble[kind]) for kind in _newest_first(trouble)]
        message = cut_bytes(say.going_on(plain, sentences), case.o.rules.message_bytes)
    wait = _wait(case, trouble, message)
    changed = message != case.record.message and (trouble or before.trouble)
    run = replace(
        run,
        trouble=trouble,
        plain=plain if trouble else "",
        said=now if changed else run.said,
    )
    return Saying(run, message, wait == 0, wait or None)


def all_trouble(case: RunCase) -> list[tuple[str, int, str]]:
    """Kind, since when, and sentence of all that is seen now, however short, the newest first."""
    o, found = case.o, trouble_now(case)
    for condition in o.attention.spans if o.attention else ():
        found.setdefault(str(condition), stamp(o))
    return [
        (kind, found[kind], _sentence(case, kind, found[kind])) for kind in _newest_first(found)
    ]


def trouble_now(case: RunCase) -> dict[str, int]:
    """Each kind of trouble to when it was first seen, in seconds since 1970. Without a look of this
    controller nothing is known of conditions, and all stay.
    """
    o, before = case.o, case.run.trouble
    found = {kind: at for kind, at in before.items() if kind in _CONDITIONS}
    if _is_looked_at(case):
        assert o.attention is not None
        found = {
            str(condition): before.get(str(condition), stamp(o) - int(span.seconds))
            for condition, span in o.attention.spans.items()
            if str(condition) in before
            or condition in _CERTAIN
            or span.seconds >= o.rules.condition_said
        }
    return found | _ends_now(case)


def _ends_now(case: RunCase) -> dict[str, int]:
    """When the node last ended, and whether it has been started again."""
    was, seen = case.run.seen, case.seen
    same = (seen.pod, seen.restarts, seen.crashes) == (was.pod, was.restarts, was.crashes)
    kind = NODE_ENDED if _down(case) is not None else _RESTARTED if seen.crashes else ""
    if not kind:
        return {}
    known = case.run.trouble.get(kind) if same else None
    return {kind: _ended_at(case) if known is None else known}


def _ended_at(case: RunCase) -> int:
    """By the kubelet, where that can be."""
    now, status = stamp(case.o), case.pods.status
    last = (status.state.terminated or status.last_state.terminated) if status else None
    if last is not None and last.finished_at is not None:
        at = int(last.finished_at.timestamp())
        return at if case.run.decided <= at <= now else now
    return now


def _is_unheard(case: RunCase) -> bool:
    """Whether the node runs again after an end that is not counted yet: its log is read first."""
    status = case.pods.status
    running = status is not None and status.state.running is not None
    return running and status is not None and status.restart_count > case.seen.restarts


def _down(case: RunCase) -> StateTerminated | None:
    """How the node ended that has not been started again since; None while it runs, or never did.
    A restart is counted when it is made.
    """
    status = case.pods.status
    if status is None or status.state.running is not None:
        return None
    if status.state.waiting is not None and status.state.waiting.reason == "PodInitializing":
        return None  # its pod is set up again
    last = status.state.terminated or status.last_state.terminated
    return None if last is None or never_started(last) else last


def _sentence(case: RunCase, kind: str, since: int) -> str:
    if kind in _OF_ENDS:
        return _node_ended(case, since)
    attention = case.o.attention
    span = attention.spans.get(Condition(kind)) if attention else None
    seen = shown_ends(span.sentence) if span else ""
    return say.condition_since(kind, since, seen, outlook_of(case.o, kind))


def _node_ended(case: RunCase, at: int) -> str:
    seen, rules, last = case.seen, case.o.rules, _down(case)
    if last is None:
        how = say.exit_clause(seen.exit, seen.kind, cut_bytes(seen.line, _LINE))
        return say.node_ended(how, at, max(1, seen.crashes), _outlook(case), down=False)
    pod, status = case.pods.pod, case.pods.status
    container = pod.spec.container(status.name) if pod and status else None
    end = process_end_of(last, container=container)
    # Its log is read when it has been started again: until then nothing is called lost.
    why = "" if end.kind is EndKind.LOST else cut_bytes(end.sentence, _LINE)
    how = say.exit_clause(end.code, str(end.kind), why)
    # A time that is older than the run is none: a process that never began has 1970 [scene noexec].
    ran = ran_for(last, now=case.o.now)
    up = ran.total_seconds() if ran else 0.0
    calm = rules.crash_calm <= up <= stamp(case.o) - case.run.decided
    in_a_row = 1 if calm else seen.crashes + 1
    return say.node_ended(how, at, in_a_row, _outlook(case), down=True)


def _outlook(case: RunCase) -> str:
    """What the next end would lead to."""
    seen, rules = case.seen, case.o.rules
    if seen.crashes and seen.kind in LASTING and seen.places and seen.places[-1]:
        return say.fails_at_same_place()
    if seen.zeros:
        return say.fails_at_zeros(rules.exit_zero_limit)
    return say.fails_at(rules.crash_limit, rules.crash_calm)


def _wait(case: RunCase, trouble: dict[str, int], message: str) -> float | None:
    """Seconds until the message may be written; None: not while things are as they are."""
    before, now = case.run, stamp(case.o)
    if message == case.record.message:
        return None
    ends = {kind: at for kind, at in trouble.items() if kind in _OF_ENDS}
    if ends != {kind: at for kind, at in before.trouble.items() if kind in _OF_ENDS}:
        return 0
    passed = abs(now - before.said)  # a clock that was put back must not keep it for hours
    if set(trouble) != set(before.trouble):
        return max(0.0, case.o.rules.message_rest - passed)
    lasted = before.said - min(trouble.values(), default=before.said)
    return 0 if passed >= max(case.o.rules.message_rest, lasted) else None


def _is_all_known(case: RunCase, trouble: dict[str, int]) -> bool:
    """Whether a look has something to say of each: what is not known is not said in fewer words."""
    spans = case.o.attention.spans if case.o.attention and _is_looked_at(case) else {}
    of_conditions = [Condition(kind) for kind in trouble if kind in _CONDITIONS]
    return all(condition in spans and spans[condition].sentence for condition in of_conditions)


def _is_looked_at(case: RunCase) -> bool:
    return case.o.attention is not None and case.o.attention.looks > 0


def _newest_first(trouble: dict[str, int]) -> list[str]:
    return sorted(trouble, key=lambda kind: (-trouble[kind], kind))
