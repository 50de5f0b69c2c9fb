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


CLASSES = MappingProxyType(
    {
        Reason.CRASH_LOOP: FailureClass.CLIENT,
        Reason.FATAL_EXIT: FailureClass.CLIENT,
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
        Reason.NO_PEERS: FailureClass.INFRASTRUCTURE,
        Reason.BAD_CONFIG: FailureClass.CONFIGURATION,
    }
)


def class_of(reason: str) -> str:
    """The class of a failure's reason; empty for every other reason."""
    return str(CLASSES[Reason(reason)]) if reason in CLASSES else ""
