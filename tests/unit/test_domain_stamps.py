"""Which time stamps of others are believed."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.domain.objects import StateTerminated
from controller.domain.pods.stamps import believed, never_started, ran_for
from tests.fakes import EPOCH

HOUR = timedelta(hours=1)
NAUGHT = datetime(1, 1, 1, tzinfo=UTC)
UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def ended(started: datetime | None, finished: datetime | None, reason: str = "") -> StateTerminated:
    return StateTerminated(started_at=started, finished_at=finished, reason=reason)


@pytest.mark.parametrize(
    ("stamp", "bounds"),
    [
        (None, {}),
        (NAUGHT, {}),
        (UNIX, {}),
        (EPOCH.replace(tzinfo=None), {}),  # of no zone
        (EPOCH, {"not_before": EPOCH + HOUR}),
        (EPOCH, {"not_after": EPOCH - HOUR}),
    ],
)
def test_what_cannot_be_true_is_not_believed(
    stamp: datetime | None, bounds: dict[str, datetime]
) -> None:
    """Is a stamp that is missing, of no time of a cluster, too early or yet to come no stamp?"""
    assert believed(stamp, **bounds) is None


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"not_before": EPOCH, "not_after": EPOCH},
        {"not_before": NAUGHT, "not_after": UNIX},  # these are doubted, too
        {"not_before": EPOCH + timedelta(minutes=1), "not_after": EPOCH - timedelta(minutes=1)},
    ],
)
def test_clocks_may_differ_a_little(bounds: dict[str, datetime]) -> None:
    """Is a stamp that may be true believed?"""
    assert believed(EPOCH, **bounds) == EPOCH


@pytest.mark.parametrize(
    "end",
    [
        ended(None, EPOCH),
        ended(EPOCH, None),
        ended(EPOCH, EPOCH - timedelta(seconds=1)),
        ended(EPOCH + HOUR, EPOCH + 9 * HOUR),  # yet to come
        ended(UNIX, EPOCH, "StartError"),
        ended(EPOCH - 9 * HOUR, EPOCH, "StartError"),
    ],
)
def test_nobody_knows_how_long_a_process_ran_whose_stamps_are_wrong(end: StateTerminated) -> None:
    """Is no duration made of stamps that cannot both be true?"""
    assert ran_for(end, now=EPOCH) is None


def test_how_long_a_process_ran_is_told_by_its_kubelet() -> None:
    """Is the time between two stamps that may be true its time?"""
    assert ran_for(ended(EPOCH - 7 * HOUR, EPOCH), now=EPOCH) == 7 * HOUR


@pytest.mark.parametrize(
    ("end", "never"),
    [
        (ended(UNIX, EPOCH, "StartError"), True),
        (ended(NAUGHT, EPOCH), True),
        (ended(EPOCH, EPOCH, "ContainerCannotRun"), True),
        (ended(EPOCH, EPOCH, "Error"), False),
        (ended(None, None, "ContainerStatusUnknown"), False),
    ],
)
def test_what_was_never_started_is_known(end: StateTerminated, never: bool) -> None:
    """Is an end of what the runtime could not start told from that of a process?"""
    assert never_started(end) is never
