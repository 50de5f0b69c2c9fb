"""Everything that a decision is made from, as values seen now (I7), and what a decision is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controller.base.errors import TargetFault
from controller.domain.build import Build, Resolution
from controller.domain.defaults import Rules
from controller.domain.health.observed_time import Attention
from controller.domain.manifest.request import RunRequest
from controller.domain.objects import Deployment, Pod
from controller.domain.pace.comparison import PastRun
from controller.domain.pods.run_pods import PodsView
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record
from controller.domain.record.write import Write
from controller.domain.run import Phase


@dataclass(frozen=True)
class ClaimSeen:
    """A claim as it stands in the store."""

    target: str  # slug
    build: Build
    run: str  # id; empty where a record knew only that the build was tested, or it is unreadable
    owner: str  # `namespace/name` of the Deployment; empty: unreadable
    unreadable: str = ""  # why it cannot be read, and what mends it; empty: it can


@dataclass(frozen=True)
class Choice:
    """Something that could be tested next."""

    name: str  # tag or digest
    source: str  # `tag`, `image` or `test-build`
    resolution: Resolution | None = None  # what it stands for; None while unknown
    trouble: str = ""  # why it is unknown, or the registry's trouble now; empty: none
    lasting: bool = False  # the trouble is for the owner to know
    no_access: bool = False  # the trouble is that the registry does not let us in
    claim: ClaimSeen | None = None  # who has the build on this target; None: nobody


@dataclass(frozen=True)
class Leave:
    """Whether a run may be started now."""

    given: bool
    why: str = ""  # not given: a sentence
    reason: str = "Waiting"
    lasting: bool = False  # it lasts so long that the owner should be told


@dataclass(frozen=True)
class Observation:
    """Everything that is seen of one Deployment at one moment."""

    now: datetime  # wall clock
    deployment: Deployment
    record_text: str | None  # the annotation as found; None: there is none
    record: Record | TargetFault | None  # decoded, or the fault that it has
    request: RunRequest | TargetFault  # or the fault of the manifest
    port: int | TargetFault  # behind the Service, or the fault of the Service
    configuration: str  # hash of the node's, as it is now; empty: it has no such container
    rules: Rules
    pods: tuple[Pod, ...] = ()  # of its ReplicaSets, of whatever run
    view: PodsView | None = None  # what was seen in pods of an open run before; None: nothing
    # The newest copy of the record, from the store or from our own last write, for a Deployment
    # that lost its record.
    memory: Record | None = None
    memory_known: bool = True  # False while the store could not be asked whether there is one
    # Of all other Deployments that speak of its targets (its open run's, and the one that its
    # manifest asks for), as far as each is believed of others (`record.belief`)
    siblings: tuple[Record, ...] = ()
    # Of all Deployments, it too, those that tell of trouble that may be their network's
    troubled: tuple[Record, ...] = ()
    choices: tuple[Choice, ...] = ()  # in the order in which they would be tested
    # This Deployment's claim whose run its record does not know; None: all have come to be.
    pending: ClaimSeen | None = None
    noted: str = ""  # run of the claim that the store holds for pending, come to be or not
    # Whose the build of the open run is by the store, where another Deployment tests it too; None:
    # nobody does, or the store has not told
    claim: ClaimSeen | None = None
    leave: Leave = Leave(True)
    # Why the cluster did not take the pin of a run, a moment ago; empty: it may
    no_pin: str = ""
    attention: Attention | None = None  # what was observed of the open run; None: nothing yet
    told: int = 0  # `seq` of the last step that sinks and history have
    heard: int = 0  # of the last one that all sinks have, whether history has it or not
    # Whether a store outlives this process; False: whatever the next one must know, the record says
    store_lasts: bool = True
    skew: float | None = None  # seconds our clock is ahead of the API server's; None: not known
    facts: Facts | None = None  # known beside the record of the open run; None while nothing is
    # Passed runs of its target, newest first; None while the store has not told.
    earlier: tuple[PastRun, ...] | None = None
    # Builds that its target's tag has pointed to, and when that was first seen, in seconds since
    # 1970; None while the store has not told.
    order: Mapping[Build, float] | None = None


@dataclass(frozen=True)
class TakeClaim:
    """Ask the store for the build."""

    target: str
    build: Build
    run: str  # id
    instead_of: str | None = None  # run whose claim is replaced; None: only a free build is taken
    by_person: bool = False  # a person asked for another attempt: whoever owns what is replaced
    # Run of this Deployment's pending claim, empty for none, by which it was decided: with another
    # one in its place, somebody else has claimed for it meanwhile.
    beside: str = ""
    # The pin as it would be, tried before the claim is asked for; None: it is not
    trial: Write | None = field(default=None, compare=False)


@dataclass(frozen=True)
class GiveBack:
    """Give a claim back. Only ever beside a write to the owner's record, and after it."""

    claim: ClaimSeen  # only this very one is given back


@dataclass(frozen=True)
class Nudge:
    """Have another Deployment looked at: it holds a claim that its record knows nothing of."""

    key: str  # `namespace/name`


Effect = TakeClaim | GiveBack | Nudge


@dataclass(frozen=True)
class Decision:
    """What is to be done: the write, then the effects in their order."""

    phase: Phase  # phase, reason and message: what is, also where nothing is written
    reason: str
    message: str
    write: Write | None = None  # one patch; None: nothing changes
    record: Record | None = None  # the one in the write; None where that leaves the record alone
    effects: tuple[Effect, ...] = ()
    again_in: float | None = None  # seconds until the next look; None: when something changes
    why: tuple[str, ...] = ()  # what keeps it from more, in sentences: `explain` shows them
