"""One look at an open run: what was seen of its pods and said by its node, as values."""

from dataclasses import dataclass, field

from controller.domain.node_http import NodeAnswer
from controller.domain.node_log.running import RunningWords
from controller.domain.objects import Deployment
from controller.domain.pods.obstacles import Obstacles
from controller.domain.pods.process_end import ProcessEnd
from controller.domain.pods.run_pods import Life, RunPods
from controller.domain.record.pin import PinState, pin_state
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase
from controller.domain.target import SyncMode


@dataclass(frozen=True)
class LastWords:
    """How a process has ended, by the log that it left."""

    pod: str  # its uid
    restarts: int  # of the node's container: the process was the one before this restart
    end: ProcessEnd


@dataclass(frozen=True)
class Overheard:
    """What was read of the log of a process that runs."""

    life: Life  # whose log it is
    words: RunningWords
    unread: str = ""  # why it could not be read; empty where it was


@dataclass(frozen=True)
class Look:
    """What one look at an open run has shown."""

    at: float  # monotonic seconds
    now: float = 0.0  # wall clock, seconds since 1970
    life: Life | None = None  # of the node now; None while it does not run
    answer: NodeAnswer | None = None  # what that life said; None where it was not asked
    obstacles: Obstacles = field(default_factory=Obstacles)  # what keeps its pod from running it
    # Whether the time since the last look counts: the node has started in this run, and the
    # manifest lets it pass.
    started: bool = False
    judged: bool = True  # the manifest lets the run be judged
    reverted: bool = False  # the pin is taken back now
    phase: Phase = Phase.BOOTSTRAPPING  # of the run, as network and mode
    mode: str = SyncMode.STATE
    network: str = "local"
    ends: tuple[str, int] | None = None  # uid of the pod and restarts that the look began with
    words: LastWords | None = None  # of the process that had ended then; None where not read
    clock_fault: str = ""  # why our wall clock cannot be trusted; empty if it can
    overheard: Overheard | None = None  # the newest reading of its log; None where there was none
    first_life: bool = False  # no process of the node was there before this one, as far as known
    stale: bool = False  # what is known of its pods may be old


def look_of(  # noqa: PLR0913 the values of one moment
    record: Record,
    deployment: Deployment,
    before: RunPods,
    after: RunPods,
    answer: NodeAnswer | None,
    *,
    at: float,
    now: float,
    words: LastWords | None = None,
    clock_fault: str = "",
    overheard: Overheard | None = None,
    unheard: bool = False,
    stale: bool = False,
) -> Look:
    """The look at the record's open run. before, after: its pods when the look began, and when the
    node had answered. unheard: the log of the last end is still to be read. stale: the pods may be
    old.
    """
    run = record.run
    assert run is not None
    return Look(
        at=at,
        now=now,
        life=after.life,
        # Whoever answered while the life changed, it is not the node that runs now.
        answer=answer if after.life == before.life else None,
        obstacles=after.obstacles,
        # While its manifest is broken a run cannot pass, so that time counts for nothing.
        started=bool(run.started or after.ran) and not run.fault,
        judged=not run.fault,
        reverted=pin_state(deployment, run, record) is PinState.REVERTED,
        phase=run.phase,
        mode=run.mode,
        network=run.network,
        ends=None if unheard else before.ends,
        words=words,
        clock_fault=clock_fault,
        overheard=overheard,
        first_life=_first_life(run, after),
        stale=stale,
    )


def _first_life(run: OpenRun, pods: RunPods) -> bool:
    """Data that was resumed, or a restart, is of another process before."""
    resumes = max(run.seen.resumes, pods.word.resumes if pods.word else 0)
    return pods.life is not None and not (resumes or run.seen.crashes or pods.life.restarts)
