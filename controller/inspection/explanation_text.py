"""An explanation in words, by heading."""

from collections.abc import Iterator

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.decide.observation import Choice, Decision, Observation
from controller.domain.manifest.request import RunRequest
from controller.domain.node_http import AnswerKind
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record
from controller.inspection.explanation import Explanation
from controller.inspection.trouble_text import tell_trouble, tell_waiting

Told = tuple[str, tuple[str, ...]]

# How the asking from this machine went, where the node has not answered it.
_FROM_HERE = {
    AnswerKind.STARTING: "asked from here, nobody serves there: it starts, or this machine is led"
    " elsewhere",
    AnswerKind.HOST_REFUSED: "asked from here, refused",
    AnswerKind.GARBLED: "asked from here, something else answers: it may stand between this machine"
    " and the node",
    AnswerKind.UNREACHED: "not reached from here, which says nothing about the node",
}


def tell(e: Explanation) -> list[Told]:
    """Heading and lines, in the order in which a person would ask."""
    o = e.observation
    return [
        ("decision", tuple(_decision(e))),
        ("it saw last", tuple(_seen(e))),
        ("wrong now", tuple(tell_trouble(o))),
        ("asks for", tuple(_subject(o))),
        ("record", tuple(_record(e))),
        ("registry", tuple(_choices(e))),
        ("pods", tuple(_pods(e))),
        ("node", tuple(_node(e))),
        ("progress", tuple(_progress(e))),
        ("coverage", tuple(_coverage(e))),
        ("store", (e.store_trouble or "answers",)),
        ("controller", (f"the Lease is held by {e.lease}",)),
        ("looks after", (e.custody,) if e.custody else ()),
    ]


def _decision(e: Explanation) -> Iterator[str]:
    d = e.decision
    yield f"{d.phase} ({d.reason}): {d.message}"
    yield from d.why
    acts = [type(effect).__name__ for effect in d.effects]
    if d.write is not None and d.write.pins:
        acts.insert(0, f"pin {d.write.run_id}")
    elif d.write is not None:
        acts.insert(0, "write the record")
    who = "whoever looks after it" if e.custody else "the controller"
    yield f"{who} would now: {', '.join(acts)}" if acts else "nothing is to be done now"
    if acts and not e.lease.strip():
        yield "no controller is active"


def _seen(e: Explanation) -> Iterator[str]:
    """By the record: what whoever looks after it has told last, whatever this machine sees."""
    o = e.observation
    if not isinstance(o.record, Record):
        return
    record, now = o.record, o.now.timestamp()

    def ago(since: float) -> str:
        return f"{format_duration(max(0.0, now - since))} ago"

    yield f"{record.phase} ({record.reason}), since {ago(record.since)}: {record.message}"
    for condition in record.run.conditions if record.run else ():
        yield f"{condition.type}, told {ago(condition.since)}: {condition.message}"


def _subject(o: Observation) -> Iterator[str]:
    for fault in (o.request, o.port):
        if isinstance(fault, TargetFault):
            yield f"fault {fault.reason}: {fault}"
    if isinstance(o.request, RunRequest):
        s = o.request
        yield f"target {s.target}, tag {s.track} of {s.node.reference.repository}, {s.platform}"
        yield (
            f"passes after {format_duration(s.soak)} of observed health, fails after"
            f" {format_duration(s.timeout)}"
        )
        if s.suspended:
            yield f"{names.SUSPEND} is set: nothing new is started"


def _record(e: Explanation) -> Iterator[str]:
    o = e.observation
    if o.record is None:
        yield "none: no run yet"
    elif isinstance(o.record, TargetFault):
        yield f"fault {o.record.reason}: {o.record}"
    else:
        yield from _good_record(o, o.record, e.decision)


def _good_record(o: Observation, record: Record, decided: Decision) -> Iterator[str]:
    since = format_duration(max(0.0, o.now.timestamp() - record.since))
    where = f"{record.phase} ({record.reason}) for {since}, seq {record.seq}"
    yield where if record.message == decided.message else f"{where}: {record.message}"
    if record.run is not None:
        run = record.run
        yield f"open run {run.id}: {run.phase}, image {run.image}"
        yield f"restarts in a row {run.seen.crashes}, data {run.seen.data or 'not told yet'}"
        yield from _facts(run.facts)
        for condition in run.conditions:
            yield f"condition {condition.type}: {condition.message}"
    for outcome in reversed(record.outcomes[-3:]):
        version = f", {outcome.version}" if outcome.version else ""
        yield f"run {outcome.run} {outcome.phase} ({outcome.reason}){version}: {outcome.message}"


def _facts(facts: Facts) -> Iterator[str]:
    if facts.known_version or facts.known_commit:
        yield f"version {facts.known_version or '?'}, commit {facts.known_commit or '?'}"
    if facts.node:
        type_, zone = facts.type or "type not known", facts.zone or "zone not known"
        yield f"on {facts.node} ({type_}, {zone}), requests {facts.requests or 'none'}"


def _progress(e: Explanation) -> Iterator[str]:
    known = e.remembered
    if e.store_trouble and known.progress is None:
        yield "not known: only the store knows it"
        return
    if e.observation.record is None or known.progress is None:
        yield "nothing is noted: no open run, or none that has been observed for five minutes"
        return
    yield f"as noted after {format_duration(known.observed)} of observed time:"
    yield from known.pace
    estimate = known.estimate
    if estimate is None or estimate.seconds is None:
        yield f"time left: no estimate ({estimate.why if estimate else 'nothing is known'})"
        return
    low, high = (format_duration(x or 0.0) for x in (estimate.low, estimate.high))
    left = format_duration(estimate.seconds)
    yield f"time left: about {left} ({low} to {high}), {estimate.why}"


def _coverage(e: Explanation) -> Iterator[str]:
    covered = e.remembered.covered
    if covered is None:
        yield "not known: the store does not tell"
    else:
        yield f"tested {covered.tested} of {covered.seen} builds that the tag was seen to point to"


def _choices(e: Explanation) -> Iterator[str]:
    if not e.observation.choices:
        yield "nothing to ask for"
    for choice in e.observation.choices:
        yield from _choice(choice)
    quotas = {s.quota for s in e.states.values() if s.quota is not None}
    for quota in quotas:
        yield f"{quota.remaining} of {quota.limit} pulls are left in {quota.window}s"


def _choice(choice: Choice) -> Iterator[str]:
    if choice.resolution is None:
        yield f"{choice.name}: {choice.trouble or 'not resolved'}"
        return
    yield f"{choice.name} is {choice.resolution.build} (points to {choice.resolution.digest})"
    if choice.claim is not None:
        yield f"its claim is {choice.claim.owner}'s, for run {choice.claim.run or 'long ago'}"


def _pods(e: Explanation) -> Iterator[str]:
    for pod in e.observation.pods:
        state = "terminating" if pod.terminating else pod.status.phase or "no phase"
        run = pod.metadata.annotation(names.RUN_ID) or "no run id"
        yield f"{pod.metadata.name}: {state}, {run}"
        yield from tell_waiting(pod)
    if not e.observation.pods:
        yield "none"
    if e.pods is not None and e.pods.word is not None:
        word = e.pods.word
        yield f"the init container says {word.data} for run {word.run}, resumed {word.resumes}x"


def _node(e: Explanation) -> Iterator[str]:
    if e.answer is None:
        yield "not asked: no open run whose node runs"
        return
    a, now = e.answer, e.observation.now.timestamp()
    if a.kind is not AnswerKind.ANSWERED:
        yield f"{_FROM_HERE[a.kind]}: {a.detail}"
        yield "what the controller hears of it stands above, as it saw it last"
        return
    ready = "bootstrapped" if a.ready else "not bootstrapped"
    healthy = "healthy" if a.healthy else "not healthy"
    yield f"asked from here, {a.kind}: {ready}, {healthy}. {a.detail}"
    yield from (f"check {check} fails: {error}" for check, error in sorted(a.failing.items()))
    yield from (f"check {check} has not run yet" for check in sorted(a.not_run))
    if a.peers is not None:
        yield f"{a.peers} peers"
    for chain, tip in sorted(a.tips.items()):
        age = f", made {format_duration(max(0.0, now - tip.at))} ago" if tip.at is not None else ""
        yield f"{chain}'s newest block is {tip.height}{age}"
    if a.version or a.commit:
        yield f"version {a.version or '?'} commit {a.commit or '?'} on {a.network or '?'}"
