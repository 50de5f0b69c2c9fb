"""What is said of a Deployment without an open run: why it waits, and what it is about to do."""

from collections.abc import Sequence

from controller.base.instants import minute
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import Build, short
from controller.domain.record.record import Outcome

# Without figures: they change at each look, and what is said is written.
CLOCKS_DOUBTED = (
    "our clock and the API server's differ, or its is not known, and a start deletes older data"
)
IS_LEAVING = "the Deployment is being deleted: nothing is started"
FIRST_ANSWER_AWAITED = "waiting for the registry's first answer"


def nothing_known(why: str) -> str:
    """Neither a record, nor anybody who could say whether there was one."""
    return f"nothing is known of earlier runs: {why}"


def suspended(manager: str) -> str:
    """manager: who wrote the annotation, empty where that is not known."""
    by = f", written with '{shown(manager, 60)}'" if manager else ""
    return f'nothing new is started while {names.SUSPEND} is "true"{by}: see `resume`'


def unknown_tag(name: str, trouble: str) -> str:
    return f"'{name}' is unknown: {trouble}"


def no_access(trouble: str, secrets: Sequence[str]) -> str:
    """secrets: with which the pods pull; the kubelet reads them, and we read no Secret."""
    with_them = shown(", ".join(secrets), 80)
    return (
        f"{trouble}; its pods pull with {with_them} (imagePullSecrets), which is not read from"
        " here: mount it, see k8s/components/registry-credentials"
    )


def unknown_queued(name: str, trouble: str) -> str:
    """A build that a person asked for ahead of the tag."""
    return f"{unknown_tag(name, trouble)}; {_QUEUE_ANOTHER}"


def queue_is_finished(said: str) -> str:
    """said: why the build that a person asked for is not due, which ends the queue."""
    return f"{said}; `retest` tests it once more, `test-build --clear` takes it off"


_QUEUE_ANOTHER = "write another by `test-build`, or take it off by `test-build --clear`"

# What a tag or digest (`name`) stands for, and what becomes of that build


def is_being_tested(name: str, build: Build, by: str, run: str) -> str:
    return f"{_resolved(name, build)}, which {by} is testing as run {run}"


def was_tested_here(name: str, build: Build, outcome: Outcome | None) -> str:
    """outcome: of the last test, where it is still remembered."""
    how = ""
    if outcome is not None:
        how = f": run {outcome.run} {outcome.phase.lower()}, {outcome.message}"
    return f"{_resolved(name, build)}, tested already{how}"


def was_tested_by(name: str, build: Build, by: str) -> str:
    return f"{_resolved(name, build)}, which {by} has tested"


def is_claimed(name: str, build: Build, run: str, owner: str) -> str:
    return f"{_resolved(name, build)}, whose run {run} is {owner}'s"


def claim_is_unreadable(name: str, build: Build, why: str) -> str:
    return f"{_resolved(name, build)}, and counts as tested: {why}"


def is_due(name: str, build: Build) -> str:
    return f"{_resolved(name, build)} and due"


def may_not_start(name: str, build: Build, why: str) -> str:
    return f"{is_due(name, build)}: {why}"


def pin_refused(name: str, build: Build, why: str) -> str:
    """why: what the API server said."""
    return f"{is_due(name, build)}, {_PIN_REFUSED}{why}"


def why_pin_refused(message: str) -> str:
    """What the API server said, of a message that says so; else empty."""
    return message.partition(_PIN_REFUSED)[2]


_PIN_REFUSED = "and its pin is refused: "


def takes_claim(name: str, build: Build) -> str:
    return f"{is_due(name, build)}: taking its claim"


def gives_claim_back(run: str) -> str:
    return f"claim of run {run} is given back"


def _resolved(name: str, build: Build) -> str:
    return f"{name} is {short(build)}"


# What a person asked for


def retest_noted(asked: str) -> str:
    """asked: the clause that says who asked, and when."""
    return f"another attempt is due: {asked}"


def hold_ended(run: str, asked: str) -> str:
    return f"the hold of {run} is over: {asked}"


# After a failure, and after runs whose data others touched


def data_kept(failed: Outcome, until: float, queued: str) -> str:
    """until: seconds since 1970. queued: what a person asked for and is due; empty for nothing."""
    waits = f" ({shown(queued, 80)} waits for that)" if queued else ""
    return (
        f"{failed.run} failed ({failed.reason}); data kept until {minute(until)}, or until a new"
        f" {names.END_HOLD.removeprefix(names.PREFIX)}{waits}: {failed.message}"
    )


def data_goes_soon(failed: Outcome, until: float) -> str:
    return (
        f"the data of {failed.run}, which failed ({failed.reason}), is kept until {minute(until)};"
        f" then the next build replaces it. To keep it, set {names.KEEP_FAILED_DATA} to more"
    )


def voided_too_often(build: Build, times: int) -> str:
    return (
        f"another image touched the data of {short(build)} {times} times: keep"
        f" others from changing the image, then set {names.RETEST} to a new value"
    )
