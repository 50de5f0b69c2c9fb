"""Time stamps that others wrote, doubted before anything is concluded from them: a clock may be
wrong, and a kubelet writes 1970 for what never was [scene noexec].
"""

from datetime import UTC, datetime, timedelta

from controller.domain.objects import StateTerminated

# Kubernetes is younger than all that its clusters may have seen before.
_EARLIEST = datetime(2014, 6, 1, tzinfo=UTC)
# By which the clocks of a machine, of the API server and our own may differ.
_SLACK = timedelta(minutes=5)
# With which a runtime names an end of what it could not start: containerd, and dockershim.
_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun"})
# With which a kubelet names an end that nobody saw: the machine went away [scenes reboot, gone].
LOST = frozenset({"Unknown", "ContainerStatusUnknown"})


def believed(
    stamp: datetime | None,
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> datetime | None:
    """The stamp, or None where there is none that can be true. not_before, not_after: by other
    clocks, and doubted themselves.
    """
    if stamp is None or not _is_of_an_age(stamp):
        return None
    first, last = believed(not_before), believed(not_after)
    if first is not None and stamp < first - _SLACK:
        return None
    return None if last is not None and stamp > last + _SLACK else stamp


def ran_for(end: StateTerminated, *, now: datetime) -> timedelta | None:
    """How long a process ran that has ended; None where its stamps do not tell."""
    started = believed(end.started_at, not_after=now)
    finished = believed(end.finished_at, not_after=now)
    if started is None or finished is None or finished < started or never_started(end):
        return None
    return finished - started


def never_started(end: StateTerminated) -> bool:
    """Whether no process ever ran: the runtime could not start it [scene noexec]."""
    stamp = end.started_at
    early = stamp is not None and stamp.replace(tzinfo=UTC) < _EARLIEST
    return early or end.reason in _NOT_STARTED


def _is_of_an_age(stamp: datetime) -> bool:
    """Whether it is one of a cluster, and can be compared with others."""
    return stamp.tzinfo is not None and stamp >= _EARLIEST
