"""The closed list of failures: whose fault each of them is taken to be."""

from enum import StrEnum
from types import MappingProxyType

from controller.domain.run import Reason


class FailureClass(StrEnum):
    """Whose fault a failure is."""

    CLIENT = "client"  # the build's
    INFRASTRUCTURE = (
        "infrastructure"  # of cluster, disks, network, registry: the build is not judged
    )
    CONFIGURATION = "configuration"  # of what a person wrote into the manifest
    NETWORK = "network"  # of the network that the node joins: it halts, or has moved on
    UNCLEAR = "unclear"  # nobody can tell from what is known: no side is judged


CLASSES = MappingProxyType(
    {
        Reason.BAD_BLOCK: FailureClass.CLIENT,
        Reason.PANIC: FailureClass.CLIENT,
        Reason.OWN_FLAGS_REFUSED: FailureClass.CLIENT,
        Reason.EXITED_ZERO: FailureClass.CLIENT,
        Reason.STALLED: FailureClass.CLIENT,
        Reason.TIMEOUT: FailureClass.CLIENT,
        Reason.UNHEALTHY: FailureClass.CLIENT,
        Reason.TIP_NOT_ADVANCING: FailureClass.CLIENT,
        Reason.WRONG_VERSION: FailureClass.CLIENT,
        Reason.IMAGE_PULL: FailureClass.INFRASTRUCTURE,
        Reason.DISK_FULL: FailureClass.INFRASTRUCTURE,
        Reason.OUT_OF_MEMORY: FailureClass.INFRASTRUCTURE,
        Reason.UNSCHEDULABLE: FailureClass.INFRASTRUCTURE,
        Reason.VOLUME_LOST: FailureClass.INFRASTRUCTURE,
        Reason.DATA_DAMAGED: FailureClass.INFRASTRUCTURE,
        Reason.MACHINE_FAULT: FailureClass.INFRASTRUCTURE,
        Reason.NO_PEERS: FailureClass.INFRASTRUCTURE,
        Reason.BAD_CONFIG: FailureClass.CONFIGURATION,
        Reason.NETWORK_MOVED_ON: FailureClass.NETWORK,
        Reason.NETWORK_TROUBLE: FailureClass.NETWORK,
        Reason.CRASH_LOOP: FailureClass.UNCLEAR,
        Reason.FATAL_EXIT: FailureClass.UNCLEAR,
        Reason.OTHER_SYNC_MODE: FailureClass.UNCLEAR,
        Reason.NOTHING_FETCHED: FailureClass.UNCLEAR,
    }
)


def class_of(reason: str) -> str:
    """The class of a failure's reason; empty for every other reason."""
    return str(CLASSES[Reason(reason)]) if reason in CLASSES else ""
