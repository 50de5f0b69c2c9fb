"""Before a verdict is written, the run's pods are listed once more, past the watch."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, Observation
from controller.domain.objects import Pod
from controller.domain.record.record import Record
from controller.domain.run import Phase, Reason


async def borne_out(
    o: Observation, decision: Decision, read_pods: Callable[[str], Awaitable[Sequence[Pod]]]
) -> tuple[Observation, Decision] | None:
    """What is to be carried out: the same, or, for a verdict, what the pods of now make of it. None
    where they do not bear it out: a watch may be behind the node that answers, and hide a restart
    of it (I3); and a picture that stands is no evidence that a run fails. Raises what `read_pods`
    raises.
    """
    verdict = _verdict(o, decision)
    if verdict is None:
        return o, decision
    o = replace(o, pods=tuple(await read_pods(o.deployment.metadata.key)))
    decision = decide(o)
    return (o, decision) if _verdict(o, decision) == verdict else None


def _verdict(o: Observation, decision: Decision) -> tuple[Phase, str] | None:
    """Phase and reason with which the decision ends the open run, where they rest on its pods."""
    record = decision.record
    outcome = record.outcome() if record is not None and record.run is None else None
    if outcome is None or not isinstance(o.record, Record) or o.record.run is None:
        return None
    by_pods = outcome.phase is not Phase.ABORTED or outcome.reason == Reason.DEPLOYMENT_GONE
    return (outcome.phase, outcome.reason) if by_pods else None
