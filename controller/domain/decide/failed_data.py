"""How long failed data is kept: the next build waits, so that a person can look at it.

A hold neither ends nor is said to end by a clock that cannot be trusted (I10): what is deleted once
stays deleted when the clock comes right.
"""

from dataclasses import replace

from controller.domain.decide.messages import waiting as say
from controller.domain.decide.next_record import decided, evolve, with_step
from controller.domain.decide.observation import Decision
from controller.domain.decide.start_case import StartCase
from controller.domain.decide.verdict import clock_fault
from controller.domain.decide.waiting import DOUBTED, wait
from controller.domain.record.levers import kept
from controller.domain.run import Phase, Reason


def keep_failed_data(case: StartCase, queued: str) -> Decision | None:
    """None where no data is kept, or no longer. queued: what a person asked for and is due."""
    o, record = case.o, case.record
    failed = kept(record)
    if failed is None:
        return None
    until = failed.at + case.request.keep_failed_data
    now = o.now.timestamp()
    message = say.data_kept(failed, until, queued)
    doubt = clock_fault(o.skew, o.rules)
    if doubt:
        said = wait(o, record, Phase.HELD, failed.reason, message, again_in=DOUBTED)
        return replace(said, why=(doubt,))
    if now >= until:
        return None
    # Into the hold first, with what ended before it: the warning is said on it.
    if record.phase is Phase.HELD and _is_warning_due(case, until):
        after = evolve(
            o,
            record,
            Phase.HELD,
            failed.reason,
            message=message,
            warned=int(until),
        )
        after = with_step(
            after,
            o,
            record.phase,
            Phase.HELD,
            reason=Reason.HOLD_ENDING,
            message=say.data_goes_soon(failed, until),
            level="warning",
        )
        return decided(o, after)
    before_warning = until - o.rules.hold_warning - now
    return wait(
        o,
        record,
        Phase.HELD,
        failed.reason,
        message,
        again_in=max(1.0, before_warning if before_warning > 0 else until - now),
    )


def _is_warning_due(case: StartCase, until: float) -> bool:
    """An hour before, once for each end; a hold no longer than that needs none."""
    ahead = case.o.rules.hold_warning
    late = case.o.now.timestamp() >= until - ahead
    return late and case.request.keep_failed_data > ahead and case.record.warned != int(until)
