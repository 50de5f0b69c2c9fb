"""Runs: ids, phases, reasons and outcomes."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from controller.domain.build import Build

_RUN_ID = re.compile(r"\d{8}t\d{6}z-[0-9a-f]{8}")
_STAMP = "%Y%m%dt%H%M%Sz"


class Phase(StrEnum):
    """Of a run: the first six. Of a Deployment: its open run's phase, or else the last four."""

    STARTING = "Starting"  # the node has not started yet
    BOOTSTRAPPING = "Bootstrapping"  # it has, and has not said that it has bootstrapped
    SOAKING = "Soaking"  # it has said so, and must stay healthy for a while
    PASSED = "Passed"
    FAILED = "Failed"
    ABORTED = "Aborted"  # ended by a person, or void: nothing is said of the build
    IDLE = "Idle"  # no build is due, or none may be started now
    HELD = "Held"  # the data of a failure is kept
    SUSPENDED = "Suspended"  # a person wants nothing new started
    BLOCKED = "Blocked"  # a person must mend something first

    @property
    def over(self) -> bool:
        return self in OVER


OPEN = frozenset({Phase.STARTING, Phase.BOOTSTRAPPING, Phase.SOAKING})
OVER = frozenset({Phase.PASSED, Phase.FAILED, Phase.ABORTED})


class Reason(StrEnum):
    """Explains a phase. Reasons of Blocked come from `TargetFault` and are not all listed here."""

    # Starting, Bootstrapping, Soaking, Passed
    NEW_BUILD = "NewBuild"
    RETEST_REQUESTED = "RetestRequested"
    TAKEN_UP = "TakenUp"
    NODE_STARTED = "NodeStarted"
    BOOTSTRAPPED = "Bootstrapped"
    SOAKED = "Soaked"
    # Failed: a closed list, with its classes in `failure_class`
    CRASH_LOOP = "CrashLoop"
    FATAL_EXIT = "FatalExit"
    BAD_BLOCK = "BadBlock"
    PANIC = "Panic"
    OWN_FLAGS_REFUSED = "OwnFlagsRefused"
    EXITED_ZERO = "ExitedZero"
    STALLED = "Stalled"
    NOTHING_FETCHED = "NothingFetched"
    TIMEOUT = "Timeout"
    UNHEALTHY = "UnhealthyAfterBootstrap"
    TIP_NOT_ADVANCING = "TipNotAdvancing"
    WRONG_VERSION = "WrongVersion"
    IMAGE_PULL = "ImagePull"
    DISK_FULL = "DiskFull"
    OUT_OF_MEMORY = "OutOfMemory"
    UNSCHEDULABLE = "Unschedulable"
    VOLUME_LOST = "VolumeLost"
    DATA_DAMAGED = "DataDamaged"
    MACHINE_FAULT = "MachineFault"
    NO_PEERS = "NoPeers"
    BAD_CONFIG = "BadConfig"
    NETWORK_MOVED_ON = "NetworkMovedOn"
    NETWORK_TROUBLE = "NetworkTrouble"
    OTHER_SYNC_MODE = "OtherSyncMode"
    # Said of an open run beside its phase; conditions have words of their own in `conditions`
    NODE_RESTARTED = "NodeRestarted"
    POD_REPLACED = "PodReplaced"
    # Said beside a pass, and before held data goes
    SLOWER = "Slower"
    HOLD_ENDING = "HoldEnding"
    # Aborted
    ABORT_REQUESTED = "AbortRequested"
    CONFIGURATION_CHANGED = "ConfigurationChanged"
    IMAGE_CHANGED = "ImageChanged"
    PIN_REVERTED = "PinReverted"
    FOREIGN_DATA = "ForeignData"
    DEPLOYMENT_GONE = "DeploymentGone"
    DUPLICATE = "Duplicate"  # also of Idle: the build was tested elsewhere
    # Idle, Held, Suspended
    UP_TO_DATE = "UpToDate"
    WAITING = "Waiting"
    REGISTRY_TROUBLE = "RegistryTrouble"
    STORE_TROUBLE = "StoreTrouble"
    SUSPENDED = "Suspended"
    LEAVING = "BeingDeleted"  # the Deployment is
    # Blocked
    WRITE_REFUSED = "WriteRefused"


def new_run_id(now: datetime, build: Build, after: str) -> str:
    """The id of a run decided now: later than `after` (the Deployment's last one, or empty), by
    moving on from its second if our clock has not.
    """
    second = now.astimezone(UTC).replace(microsecond=0)
    if after:
        second = max(second, run_time(after) + timedelta(seconds=1))
    return f"{second.strftime(_STAMP)}-{build.partition(':')[2][:8]}"


def is_run_id(text: str) -> bool:
    try:
        run_time(text)
    except ValueError:
        return False
    return True


def has_form_of_run_id(text: str) -> bool:
    """As `is_run_id`, whatever day it names: quicker, where thousands are told apart."""
    return _RUN_ID.fullmatch(text) is not None


def is_of_build(run: str, *builds: Build) -> bool:
    """Whether the run may be one of these builds, by its id, which ends with the first digits of
    its build's digest. builds: digests, or their beginnings.
    """
    return any(run[-8:].startswith(build.partition(":")[2][:8]) for build in builds)


def run_time(run: str) -> datetime:
    """The second in a run id. Raises ValueError for what is not one."""
    if not _RUN_ID.fullmatch(run):
        raise ValueError(f"{run!r} is not a run id")
    return datetime.fromisoformat(run[:15]).replace(tzinfo=UTC)
