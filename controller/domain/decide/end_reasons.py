"""The reason of a failure that comes of how the node ended."""

from types import MappingProxyType

from controller.domain.node_log.causes import EndKind
from controller.domain.run import Reason

# What ended by none of these is a `CrashLoop`: nobody knows why.
_REASONS = MappingProxyType(
    {
        EndKind.OOM: Reason.OUT_OF_MEMORY,
        EndKind.VOLUME: Reason.VOLUME_LOST,
        EndKind.DISK: Reason.DISK_FULL,
        EndKind.DAMAGED: Reason.DATA_DAMAGED,
        EndKind.MACHINE: Reason.MACHINE_FAULT,
        EndKind.REFUSED: Reason.BAD_CONFIG,
        EndKind.OWN_FLAGS: Reason.OWN_FLAGS_REFUSED,
        EndKind.BAD_BLOCK: Reason.BAD_BLOCK,
        EndKind.PANIC: Reason.PANIC,
        EndKind.ZERO: Reason.EXITED_ZERO,
        EndKind.FATAL: Reason.FATAL_EXIT,
    }
)
# What is the same the second time is the same the sixth: nothing that passes by itself.
LASTING = frozenset(
    {EndKind.REFUSED, EndKind.OWN_FLAGS, EndKind.BAD_BLOCK, EndKind.PANIC, EndKind.DAMAGED}
)


def reason_of(kind: str) -> Reason:
    """kind: of `EndKind`; empty, or one of a later version's, for an end that nobody knows."""
    return _REASONS.get(EndKind(kind), Reason.CRASH_LOOP) if kind in _KNOWN else Reason.CRASH_LOOP


def is_by_end(reason: str) -> bool:
    """Whether a failure's reason may be how the node ended."""
    return reason == Reason.CRASH_LOOP or reason in _REASONS.values()


_KNOWN = frozenset(map(str, EndKind))
