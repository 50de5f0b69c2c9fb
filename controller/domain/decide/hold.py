"""After a failure the next build waits, so that a person can look at the data."""

from datetime import UTC, datetime

from controller.domain import names
from controller.domain.decide.next_record import decided, evolve, with_step
from controller.domain.decide.observation import Decision, Observation
from controller.domain.decide.waiting import rest
from controller.domain.manifest.request import RunRequest
from controller.domain.record.asked_once import kept
from controller.domain.record.record import Record
from controller.domain.run import Phase, Reason


def held_back(o: Observation, record: Record, request: RunRequest) -> Decision | None:
    """After a failure the next build waits, so that a person can look at the data."""
    outcome = kept(record)
    if outcome is None:
        return None
    until = outcome.at + request.keep_failed_data
    if o.now.timestamp() >= until:
        return None
    when = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M UTC")
    message = (
        f"{outcome.run} failed ({outcome.reason}); data kept until {when}, or until a new"
        f" {names.END_HOLD.removeprefix(names.PREFIX)}: {outcome.message}"
    )
    # Into the hold first, with what ended before it: the warning is said on it.
    if record.phase is Phase.HELD and _warning_due(o, record, request, until):
        warning = (
            f"the data of {outcome.run}, which failed ({outcome.reason}), is kept until {when};"
            f" then the next build replaces it. To keep it, set {names.KEEP_FAILED_DATA} to more"
        )
        after = evolve(o, record, Phase.HELD, outcome.reason, message=message, warned=int(until))
        after = with_step(
            after,
            o,
            record.phase,
            Phase.HELD,
            reason=Reason.HOLD_ENDING,
            message=warning,
            level="warning",
        )
        return decided(o, after)
    return rest(o, record, Phase.HELD, outcome.reason, message)


def _warning_due(o: Observation, record: Record, request: RunRequest, until: float) -> bool:
    """An hour before, once for each end; a hold no longer than that needs none."""
    ahead = o.rules.hold_warning
    late = o.now.timestamp() >= until - ahead
    return late and request.keep_failed_data > ahead and record.warned != int(until)
