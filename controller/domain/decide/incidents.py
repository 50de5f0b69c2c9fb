"""What happens to an open run beside its phase, noted in one write: restarts, another pod, and
conditions are told; what is wrong now is said in the message; the rest is remembered.
"""

from msgspec.structs import replace

from controller.domain.decide.messages import open_run as say
from controller.domain.decide.next_record import decided, evolve, with_step
from controller.domain.decide.observation import Decision
from controller.domain.decide.run_case import RunCase
from controller.domain.decide.told_conditions import tell_conditions, told_conditions
from controller.domain.decide.trouble import saying
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Reason


def note_incidents(case: RunCase) -> Decision | None:
    """None where nothing is new, or its message has changed too lately for it."""
    o, before = case.o, case.run
    conditions = told_conditions(o, before)
    run = case.up_to_now(replace(before, seen=case.seen, conditions=conditions))
    now = saying(case, run)
    same = (case.seen, conditions, case.facts) == (before.seen, before.conditions, before.facts)
    if same and not now.due:
        return None
    run = now.run
    after = evolve(o, case.record, run.phase, run.reason, message=now.message, run=run)
    after = tell_conditions(o, after, before, run)
    return decided(o, tell_incidents(case, after, run))


def tell_incidents(case: RunCase, after: Record, run: OpenRun) -> Record:
    """With the steps that tell of them, in the phase that the run was in. run: as it is now."""
    phase = case.run.phase
    for reason, message in _incidents(case.run, run, case.pods.gone):
        after = with_step(
            after, case.o, phase, phase, reason=reason, message=message, level="warning"
        )
    return after


def _incidents(before: OpenRun, run: OpenRun, gone: str) -> list[tuple[Reason, str]]:
    """What a new container or pod resumes from, and people should hear of once. gone: why the last
    pod that is over ended.
    """
    told = []
    was, seen = before.seen, run.seen
    if seen.crashes > was.crashes:
        told.append((Reason.NODE_RESTARTED, say.node_restarted(run)))
    if was.pod and seen.pod != was.pod and was.home:
        told.append((Reason.POD_REPLACED, say.pod_replaced(run.id, gone)))
    return told
