"""How a process exits by its build's own fault: which exit its plan has next."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from controller.simulator.node.planned_behaviour import Plan
from controller.simulator.node.progress import Progress


class ExitKind(Enum):
    CRASH = "crash"  # a fatal error of a chain [116]
    DISK = "disk"  # too little is free [91]
    PANIC = "panic"  # one that nobody catches, exit code 2 [scene panic]
    CAUGHT = "caught"  # one that was caught, and so with exit code 0 [117]
    MEMORY = "memory"  # the kernel's doing


@dataclass(frozen=True)
class PlannedExit:
    kind: ExitKind
    age: float  # seconds of the process's life


def next_exit(plan: Plan, progress: Progress) -> PlannedExit | None:
    """The earliest one that is still due in a process on this database."""
    return min(_due(plan, progress), key=lambda planned: planned.age, default=None)


def disk_fills(plan: Plan, progress: Progress) -> bool:
    """Whether a full disk is what this process is heading for, sooner or later."""
    return any(planned.kind is ExitKind.DISK for planned in _due(plan, progress))


def _due(plan: Plan, progress: Progress) -> Iterator[PlannedExit]:
    for kind, after, times in (
        (ExitKind.CRASH, plan.crash_after, plan.crash_times),
        (ExitKind.DISK, plan.disk_full_after, plan.disk_full_times),
        (ExitKind.PANIC, plan.panic_after, plan.panic_times),
        (ExitKind.CAUGHT, plan.exit_zero_after, plan.exit_zero_times),
        (ExitKind.MEMORY, plan.oom_after, plan.oom_times),
    ):
        if after is not None and (times is None or _happened(kind, progress) < times):
            yield PlannedExit(kind, after)


def _happened(kind: ExitKind, progress: Progress) -> int:
    match kind:
        case ExitKind.CRASH:
            return progress.crashes
        case ExitKind.DISK:
            return progress.full_disks
        case ExitKind.PANIC:
            return progress.panics
        case ExitKind.CAUGHT:
            return progress.caught
        case ExitKind.MEMORY:
            return progress.ooms
