"""Whether trouble that a build would be blamed for is its network's: others have it too, or the
build passed before.
"""

from collections.abc import Iterable, Iterator, Mapping

from controller.domain.decide.messages import network_trouble as say
from controller.domain.decide.next_record import stamp
from controller.domain.decide.observation import Observation
from controller.domain.decide.run_case import RunCase
from controller.domain.health.checks import CHAINS_AND_NETWORK
from controller.domain.health.conditions import Condition, Span
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason
from controller.domain.target import SyncMode

_NOT_MOVING = frozenset({Condition.STILL, Condition.NOTHING_FETCHED})
# What a halted network does to all its nodes, by what looks the same. A node that does not answer
# at all is nobody else's matter.
KINDS = (
    _NOT_MOVING,
    frozenset({Condition.TIP_STANDS}),
    frozenset({Condition.UNHEALTHY}),
)
_REASONS = frozenset(
    {
        Reason.STALLED,
        Reason.NOTHING_FETCHED,
        Reason.UNHEALTHY,
        Reason.TIP_NOT_ADVANCING,
        Reason.TIMEOUT,
    }
)
_COMPARABLE = 0.5  # of the time that ours has held, or more
_MOST_NAMED = 3


def whose_trouble(
    case: RunCase, reason: Reason, why: str, conditions: Iterable[Condition]
) -> tuple[Reason, str]:
    """The verdict by time as it stands, or NetworkTrouble with the evidence before it. why: its
    sentence. conditions: by which it is due; of a timeout those that hold.
    """
    if reason not in _REASONS:
        return reason, why
    attention = case.o.attention
    spans = attention.spans if attention else {}
    due = {c: spans[c] for c in conditions if c in spans}
    if not any(map(_kind, due)) and reason is not Reason.TIMEOUT:
        return reason, why
    evidence = shared(case.o, case.run, due) or _passed_before(case)
    return (Reason.NETWORK_TROUBLE, f"{evidence}: {why}") if evidence else (reason, why)


def shared(o: Observation, run: OpenRun, spans: Mapping[Condition, Span]) -> str:
    """Who else on the network has the same trouble, in a sentence; empty where nobody has. spans:
    what this run has of it; others count that have had it for about as long.
    """
    spans = {condition: span for condition, span in spans.items() if _kind(condition)}
    others: list[str] = []
    same_build = True
    own = o.deployment.metadata.key
    for record in sorted(o.troubled, key=lambda r: r.key):
        if record.key == own:
            continue
        build = next(_same_trouble(o, run, record, spans), None)
        if build is not None:
            others.append(record.name)
            same_build = same_build and build == run.build
    if not others:
        return ""
    named = others[:_MOST_NAMED]
    return say.others_too(run.network, named, len(others) - len(named), same_build=same_build)


def _same_trouble(
    o: Observation, ours: OpenRun, record: Record, spans: Mapping[Condition, Span]
) -> Iterator[str]:
    """The builds of another Deployment that show it now, or did until their run ended."""
    now, run = stamp(o), record.run
    if run is not None and run.network == ours.network:
        another = run.build != ours.build or run.mode != ours.mode
        for told in run.conditions if another else ():
            held = now - told.since + o.rules.condition_told
            if any(
                told.type in _kind(c)
                and held >= _COMPARABLE * span.seconds
                and _alike(c, span.sentence, told.message)
                for c, span in spans.items()
            ):
                yield run.build
    longest = max((span.seconds for span in spans.values()), default=0.0)
    for outcome in record.outcomes:
        lately = outcome.reason == Reason.NETWORK_TROUBLE and now - outcome.at <= longest
        if lately and _on(outcome.target, ours.network):
            yield outcome.build


def _kind(condition: Condition) -> frozenset[Condition]:
    return next((kind for kind in KINDS if condition in kind), frozenset())


def _alike(condition: Condition, ours: str, theirs: str) -> bool:
    """A check that fails may be of a chain, which all share, or of the machine or the database."""
    if condition is not Condition.UNHEALTHY:
        return True
    return bool(_checks(ours) & _checks(theirs) & CHAINS_AND_NETWORK)


def _checks(sentence: str) -> set[str]:
    return {part.partition(":")[0] for part in sentence.split("; ")}


def _on(target: str, network: str) -> bool:
    return any(f"{target}-".startswith(f"{network}-{mode}-") for mode in SyncMode)


def _passed_before(case: RunCase) -> str:
    """This build, on this target, by whichever Deployment."""
    run, o = case.run, case.o
    outcomes = [*case.record.outcomes, *(x for r in o.siblings for x in r.outcomes)]
    passed = [
        outcome.run
        for outcome in outcomes
        if outcome.phase is Phase.PASSED
        and (outcome.build, outcome.target) == (run.build, run.target)
    ]
    passed += [past.run for past in o.earlier or () if past.build == run.build]
    return say.passed_before(max(passed)) if passed else ""
