"""Every reason that a notice may have, and when it is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from controller.domain.failure_class import class_of
from controller.domain.health.conditions import Condition
from controller.domain.notice import Level
from controller.domain.run import Reason

_BEGINS = MappingProxyType(
    {
        Reason.NEW_BUILD: "the followed tag, or a queued wish, has a build that was not tested",
        Reason.RETEST_REQUESTED: "a person asked for another attempt",
        Reason.TAKEN_UP: "a pin that was there already is taken for a run",
        Reason.NODE_STARTED: "the node's container has started",
        Reason.BOOTSTRAPPED: "the node says that it has bootstrapped: the soak begins",
        Reason.UP_TO_DATE: "nothing is due",
        Reason.WAITING: "a build is due and may not be started yet, or a failure's data is held",
    }
)
_ABORTED = MappingProxyType(
    {
        Reason.ABORT_REQUESTED: "a person ended the run",
        Reason.CONFIGURATION_CHANGED: "the node's configuration is another than at the start",
        Reason.IMAGE_CHANGED: "somebody wrote another image",
        Reason.PIN_REVERTED: "somebody put the image back again and again",
        Reason.FOREIGN_DATA: "another image was at the run's data",
        Reason.DEPLOYMENT_GONE: "the Deployment is gone",
        Reason.DUPLICATE: "the build is tested, or was, by another Deployment",
    }
)
_TROUBLE = MappingProxyType(
    {
        Reason.NODE_RESTARTED: "the node has ended and started again",
        Reason.POD_REPLACED: "the run goes on in another pod",
        Reason.SLOWER: "a run passed, and took much longer than its like",
        Reason.HOLD_ENDING: "data of a failure goes soon",
        Reason.REGISTRY_TROUBLE: "the registry does not tell which build the tag has",
        Reason.STORE_TROUBLE: "the store does not answer, so nothing new is started",
    }
)
_RESTING = MappingProxyType(
    {
        Reason.SUSPENDED: "a person wants nothing new started",
        Reason.LEAVING: "the Deployment is being deleted",
    }
)
_CONDITIONS = MappingProxyType(
    {
        Condition.IMAGE_PULL: "the image does not come",
        Condition.UNSCHEDULABLE: "no machine takes the pod",
        Condition.NOT_CREATED: "the container is not created",
        Condition.MANIFEST_REFUSED: "what the manifest says cannot be started",
        Condition.VOLUME_TROUBLE: "the volume cannot be used",
        Condition.OTHER_DATA: "the data is not this run's",
        Condition.NO_WORD: "the init container has not said what data it found",
        Condition.OTHER_CONTAINER: "another container of the pod fails",
        Condition.HOST_REFUSED: "the node refuses the host that it is asked by",
        Condition.SILENT: "the node runs and does not answer",
        Condition.UNREACHED: "nobody gets through to the node",
        Condition.NO_PEERS: "the node has no peer",
        Condition.MOVED_ON: "peers of newer versions refuse this build",
        Condition.DISK_LOW: "the disk is nearly full",
        Condition.CHECKS_STAND: "the node answers, and its checks are old",
        Condition.STILL: "no counter of the bootstrap moves",
        Condition.NOTHING_FETCHED: "not one block of C was fetched",
        Condition.UNHEALTHY: "a check fails after the bootstrap",
        Condition.TIP_STANDS: "C's newest block is old and does not rise",
    }
)
_UNRECORDED = MappingProxyType(
    {
        str(Reason.WRITE_REFUSED): "the cluster does not take a write to the Deployment, or a pin",
        "Forbidden": "our rights do not reach for a write to the Deployment",
        "WriteChanged": "the cluster changes label or message on the way, or takes them off",
        "Unsettled": "somebody undoes at once what the controller writes",
    }
)
_OUTAGES = (
    ("StoreUnreachable", Level.WARNING, "the store is away"),
    ("StoreReached", Level.SUCCESS, "it answers again"),
    ("RegistryUnreachable", Level.WARNING, "a registry is away"),
    ("RegistryReached", Level.SUCCESS, "it answers again"),
)


@dataclass(frozen=True)
class Row:
    """One reason as the page tells it."""

    reason: str
    level: Level
    when: str


def rows() -> Iterator[Row]:
    for reason, when in (*_BEGINS.items(), *_RESTING.items()):
        yield Row(reason, Level.INFO, when)
    for name, when in _UNRECORDED.items():
        yield Row(name, Level.WARNING, when)
        yield Row(f"{name}Ended", Level.SUCCESS, "it is over")
    yield Row(Reason.SOAKED, Level.SUCCESS, "the run passed")
    for reason in Reason:
        if side := class_of(reason):
            yield Row(reason, Level.ERROR, f"the run failed ({side}): [verdicts.md](verdicts.md)")
    for reason, when in _ABORTED.items():
        yield Row(reason, Level.WARNING, f"the run was aborted: {when}")
    for reason, when in _TROUBLE.items():
        yield Row(reason, Level.WARNING, when)
    for condition, when in _CONDITIONS.items():
        yield Row(condition, Level.WARNING, f"of an open run: {when}")
        yield Row(f"{condition}Ended", Level.INFO, "it is over")
    for outage, level, when in _OUTAGES:
        yield Row(outage, level, when)
