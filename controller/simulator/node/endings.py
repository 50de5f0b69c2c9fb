"""How a process ends by its build's own fault: which ending its plan has next."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from controller.simulator.node.plan import Plan
from controller.simulator.node.progress import Progress


class End(Enum):
    """CRASH: a fatal error of a chain [116]. DISK: too little is free [91]. PANIC: one that was
    caught, and so with exit code 0 [117]. MEMORY: the kernel's doing.
    """

    CRASH = "crash"
    DISK = "disk"
    PANIC = "panic"
    MEMORY = "memory"


@dataclass(frozen=True)
class Planned:
    """age: seconds of the process's life."""

    end: End
    age: float


def next_ending(plan: Plan, progress: Progress) -> Planned | None:
    """The earliest one that is still due in a process on this database."""
    return min(_due(plan, progress), key=lambda planned: planned.age, default=None)


def disk_fills(plan: Plan, progress: Progress) -> bool:
    """Whether a full disk is what this process is heading for, sooner or later."""
    return any(planned.end is End.DISK for planned in _due(plan, progress))


def _due(plan: Plan, progress: Progress) -> Iterator[Planned]:
    for end, after, times in (
        (End.CRASH, plan.crash_after, plan.crash_times),
        (End.DISK, plan.disk_full_after, plan.disk_full_times),
        (End.PANIC, plan.exit_zero_after, plan.exit_zero_times),
        (End.MEMORY, plan.oom_after, plan.oom_times),
    ):
        if after is not None and (times is None or _happened(end, progress) < times):
            yield Planned(end, after)


def _happened(end: End, progress: Progress) -> int:
    match end:
        case End.CRASH:
            return progress.crashes
        case End.DISK:
            return progress.full_disks
        case End.PANIC:
            return progress.panics
        case End.MEMORY:
            return progress.ooms
