"""Everything that a decision is made from, as values seen now (I7), and what a decision is."""

from dataclasses import dataclass, field
from datetime import datetime

from controller.base.errors import TargetFault
from controller.domain.build import Build, Resolution
from controller.domain.defaults import Rules
from controller.domain.health.attention import Attention
from controller.domain.manifest.request import RunRequest
from controller.domain.objects import Deployment, Pod
from controller.domain.pace.comparison import PastRun
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record
from controller.domain.record.write import Write
from controller.domain.run import Phase


@dataclass(frozen=True)
class ClaimSeen:
    """A claim as it stands in the store. owner: `namespace/name`."""

    target: str
    build: Build
    run: str
    owner: str


@dataclass(frozen=True)
class Choice:
    """Something that could be tested next.

    name: tag or digest. resolution: what it stands for; None while unknown. trouble: why it is
    unknown, or the registry's trouble now. lasting: whether that is for the owner to know.
    claim: who has the build on this target. source: `tag`, `image` or `test-build`.
    """

    name: str
    source: str
    resolution: Resolution | None = None
    trouble: str = ""
    lasting: bool = False
    claim: ClaimSeen | None = None


@dataclass(frozen=True)
class Leave:
    """Whether a run may be started now; no: why, and whether the owner should be told."""

    given: bool
    why: str = ""
    reason: str = "Waiting"
    lasting: bool = False


@dataclass(frozen=True)
class Observation:
    """now: wall clock. record_text: the annotation as found. record: decoded, or the fault that it
    has. memory: a newer copy of the record from the store or from our own last write, for a
    Deployment that lost its record; memory_known: False while the store could not be asked whether
    there is one. request: or the fault of the manifest. port: behind the
    Service, or the fault of the Service. siblings: records of other Deployments of the target.
    pending: this Deployment's claim whose run its record does not know, if there is one. told:
    `seq` of the last step that all sinks have. manager: who last wrote the
    image. skew: seconds our clock is ahead of the API server's; None where not known. facts: what
    is known beside the record of its open run; None while nothing is. earlier: passed runs of its
    target, newest first; None while the store has not told.
    """

    now: datetime
    deployment: Deployment
    record_text: str | None
    record: Record | TargetFault | None
    request: RunRequest | TargetFault
    port: int | TargetFault
    rules: Rules
    pods: tuple[Pod, ...] = ()
    memory: Record | None = None
    memory_known: bool = True
    siblings: tuple[Record, ...] = ()
    choices: tuple[Choice, ...] = ()
    pending: ClaimSeen | None = None
    leave: Leave = Leave(True)
    attention: Attention | None = None
    told: int = 0
    manager: str = ""
    skew: float | None = None
    facts: Facts | None = None
    earlier: tuple[PastRun, ...] | None = None


@dataclass(frozen=True)
class TakeClaim:
    """Ask the store for the build. instead_of: run whose claim is replaced; by_person: whoever
    owns it, because a person asked for another attempt.
    """

    target: str
    build: Build
    run: str
    instead_of: str | None = None
    by_person: bool = False


@dataclass(frozen=True)
class GiveBack:
    """Give a claim back. Only ever beside a write to the owner's record, and after it."""

    claim: ClaimSeen


@dataclass(frozen=True)
class Nudge:
    """Have another Deployment looked at: it holds a claim that its record knows nothing of."""

    key: str


Effect = TakeClaim | GiveBack | Nudge


@dataclass(frozen=True)
class Decision:
    """phase, reason, message: what is, also where nothing is written. write and record: one patch,
    and the record in it. effects: after the write, in this order. again_in: seconds until the next
    look even if nothing changes; None to wait for a change.
    """

    phase: Phase
    reason: str
    message: str
    write: Write | None = None
    record: Record | None = None
    effects: tuple[Effect, ...] = ()
    again_in: float | None = None
    why: tuple[str, ...] = field(default=())
