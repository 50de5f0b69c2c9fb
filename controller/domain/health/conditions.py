"""Conditions: trouble of an open run that may pass, each with its own patience.

A condition is shown and told when it has lasted a while, and becomes a verdict only when it has
lasted, in observed time and without a break, for as long as its patience is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter

from controller.base.durations import format_duration
from controller.base.text import shown_ends
from controller.domain.defaults import Rules
from controller.domain.failure_class import FailureClass
from controller.domain.health.checks import against, shutting_down
from controller.domain.health.demands import PUBLIC, Asked, tip_fault
from controller.domain.health.look import Overheard
from controller.domain.health.network_signs import nothing_fetched, unreadable, without_network
from controller.domain.health.standing import asks_in_vain, may_sync_unseen
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.pace.progress import Progress
from controller.domain.pace.stages import FETCHED
from controller.domain.pods.obstacles import Obstacles
from controller.domain.run import Phase
from controller.domain.target import SyncMode


class Condition(StrEnum):
    """The words that people read, as reasons of notices."""

    IMAGE_PULL = "ImagePull"
    UNSCHEDULABLE = "Unschedulable"
    NOT_CREATED = "ContainerNotCreated"
    MANIFEST_REFUSED = "ManifestRefused"
    VOLUME_TROUBLE = "VolumeTrouble"
    OTHER_DATA = "OtherData"
    NO_WORD = "NoWord"
    OTHER_CONTAINER = "OtherContainer"
    HOST_REFUSED = "HostRefused"
    SILENT = "NotAnswering"
    UNREACHED = "Unreached"
    NO_PEERS = "NoPeers"
    MOVED_ON = "NetworkMovedOn"
    DISK_LOW = "DiskLow"
    CHECKS_STAND = "ChecksStand"
    STILL = "NotMoving"
    NOTHING_FETCHED = "NothingFetched"
    UNHEALTHY = "Unhealthy"
    TIP_STANDS = "TipStands"


# What the pods of a run tell, whichever process of the node runs in them, and of which obstacle.
_OBSTACLES = {
    Condition.IMAGE_PULL: attrgetter("pulling"),
    Condition.UNSCHEDULABLE: attrgetter("unplaced"),
    Condition.NOT_CREATED: attrgetter("not_created"),
    Condition.MANIFEST_REFUSED: attrgetter("manifest"),
    Condition.VOLUME_TROUBLE: attrgetter("volume"),
    Condition.OTHER_DATA: attrgetter("other_data"),
    Condition.NO_WORD: attrgetter("wordless"),
    Condition.OTHER_CONTAINER: attrgetter("others"),
}
OF_PODS = frozenset(_OBSTACLES)

# What a log says needs no time to be sure of.
AT_ONCE = frozenset({Condition.MOVED_ON})

_TOLD_BY_ANSWERS = (
    Condition.NO_PEERS,
    Condition.MOVED_ON,
    Condition.DISK_LOW,
    Condition.CHECKS_STAND,
    Condition.STILL,
    Condition.NOTHING_FETCHED,
    Condition.UNHEALTHY,
    Condition.TIP_STANDS,
)

# While one of these holds, a build cannot show how fast it is: the time counts for no timeout.
BLINDING = OF_PODS - {Condition.OTHER_CONTAINER} | {Condition.UNREACHED}


@dataclass(frozen=True)
class Span:
    """How long a condition holds."""

    seconds: float = 0.0  # observed, without a break
    sentence: str = ""  # what was seen last


@dataclass(frozen=True)
class Sight:
    """What one look shows of a run."""

    phase: Phase  # of the run
    mode: str  # of `SyncMode`
    network: str  # as the node names it
    obstacles: Obstacles  # of its pods
    answer: NodeAnswer | None  # None where nobody was asked
    progress: Progress  # with this look
    now: float  # wall clock, seconds since 1970
    rules: Rules
    tip_rose: bool | None = None  # C's tip is higher than at the look before; None: not known
    clock_fault: str = ""  # why our wall clock cannot be trusted; empty if it can
    overheard: Overheard | None = None  # of the log of the life that runs; None: nothing yet
    alone: float = 0.0  # seconds for which the node has been without a network
    moved_on: bool = False  # in this life it was found that the network has moved on
    first_life: bool = False  # no process of the node was there before this one, as far as known
    stood: float = 0.0  # observed seconds for which no check of the node has been made anew
    stale: bool = False  # what is known of the pods may be old


def holding(sight: Sight) -> dict[Condition, str | None]:
    """The conditions that hold, each with its sentence; None: this look cannot tell."""
    if not sight.stale:
        held = of_pods(sight.obstacles)
        again = sight.obstacles.others_again
        if again and sight.now - again.timestamp() < sight.rules.others_calm:
            held.setdefault(Condition.OTHER_CONTAINER, None)
        return held | _of_node(sight)
    # Whoever does not answer may not be there any more: only an answer is an observation.
    answered = sight.answer is not None and sight.answer.kind is AnswerKind.ANSWERED
    return dict.fromkeys(OF_PODS) | (_of_node(sight) if answered else dict.fromkeys(Condition))


def of_pods(obstacles: Obstacles) -> dict[Condition, str | None]:
    """Those of the pods alone."""
    held: dict[Condition, str | None] = {}
    for condition, sentence_of in _OBSTACLES.items():
        if sentence := sentence_of(obstacles):
            held[condition] = shown_ends(sentence)
    if obstacles.again:
        held |= dict.fromkeys((Condition.MANIFEST_REFUSED, Condition.VOLUME_TROUBLE))
    return held


def _of_node(sight: Sight) -> dict[Condition, str | None]:
    answer = sight.answer
    if answer is None:
        return {}  # no node runs: what held of the last one is over
    if answer.kind is not AnswerKind.ANSWERED:
        return _unanswered(sight, answer)
    if shutting_down(answer):
        return dict.fromkeys(_TOLD_BY_ANSWERS)  # what fails now, fails for that
    if sight.stood > sight.rules.checks_late:
        return _of_old_news(sight, answer)
    return _of_news(sight, answer)


def _of_news(sight: Sight, answer: NodeAnswer) -> dict[Condition, str | None]:
    held: dict[Condition, str | None] = {}
    cut_off = _cut_off(answer)
    if cut_off and not sight.progress.moved:  # what was fetched can be executed without peers
        left, why = without_network(
            sight.overheard, sight.now - sight.alone, cut_off, known=sight.moved_on
        )
        held[Condition.MOVED_ON if left else Condition.NO_PEERS] = why
    elif sight.moved_on and not answer.ready and not sight.progress.moved:
        # A peer is there for the moment that it takes to refuse [scene moved-on].
        held[Condition.MOVED_ON] = None
    disk = answer.failing.get("diskspace")
    if disk is not None:
        held[Condition.DISK_LOW] = disk
    if sight.phase is Phase.SOAKING and answer.ready:
        return held | _after_bootstrap(sight, answer)
    return held | _while_bootstrapping(sight, answer)


def _of_old_news(sight: Sight, answer: NodeAnswer) -> dict[Condition, str | None]:
    """The document stands: what it says neither goes on nor is over, and without metrics it is
    also where peers and heights are from. Metrics and the chains' own APIs are live, and a chain
    that moves does what its checks wait for.
    """
    live = replace(answer, failing={}, peers=answer.peers if answer.counters else None)
    told = f"answers, but its checks have stood still for {format_duration(sight.stood)}"
    held: dict[Condition, str | None] = {Condition.CHECKS_STAND: told}
    if _cut_off(live):
        held[Condition.CHECKS_STAND] = None
    elif not answer.ready and _followed(sight)[0]:
        del held[Condition.CHECKS_STAND]
    unknown = (Condition.NO_PEERS, Condition.DISK_LOW, Condition.UNHEALTHY)
    return {**dict.fromkeys(unknown), **held, **_of_news(replace(sight, answer=live), live)}


def _cut_off(answer: NodeAnswer) -> str:
    """Why the node has no network that could do anything for it; empty if it has."""
    if answer.peers == 0:
        return "the node is connected to no peer"
    error = answer.failing.get("network")
    return f"check network fails: {error}" if error is not None else ""


def _unanswered(sight: Sight, answer: NodeAnswer) -> dict[Condition, str | None]:
    """What only an answer could tell neither goes on nor is over."""
    held: dict[Condition, str | None] = dict.fromkeys(_TOLD_BY_ANSWERS)
    if answer.kind is AnswerKind.HOST_REFUSED:
        held[Condition.HOST_REFUSED] = answer.detail
    elif answer.kind is AnswerKind.STARTING and sight.obstacles.loopback:
        held[Condition.HOST_REFUSED] = sight.obstacles.loopback
    elif answer.kind is AnswerKind.STARTING:
        held[Condition.SILENT] = answer.detail
    else:
        held[Condition.UNREACHED] = answer.detail
    return held


def _while_bootstrapping(sight: Sight, answer: NodeAnswer) -> dict[Condition, str | None]:
    """Slow is not stalled: nothing at all has moved, and there were peers to move it."""
    moved, last = _followed(sight)
    if answer.ready or answer.peers == 0:
        return {}
    in_vain = tuple(asks_in_vain(sight.progress, answer))
    if not in_vain and nothing_fetched(sight.progress, sight.mode, first_life=sight.first_life):
        told = answer.peers is not None and f"C/{FETCHED}" in answer.counters
        fetched = unreadable(answer.peers or 0, sight.overheard)
        known = told and not _cut_off(answer) and sight.progress.moved is not None
        return {Condition.NOTHING_FETCHED: fetched if known else None}
    if moved:
        return {}
    unseen = may_sync_unseen(sight.mode, sight.progress, answer)
    if moved is None or unseen or answer.peers is None or _cut_off(answer):
        return {Condition.STILL: None}
    doing = f"{last} moved last" if last else "nothing has moved yet"
    sentence = f"no counter of any chain moves ({doing}; {answer.peers} peers)"
    return {Condition.STILL: "; ".join((sentence, *in_vain))}


def _after_bootstrap(sight: Sight, answer: NodeAnswer) -> dict[Condition, str | None]:
    held: dict[Condition, str | None] = {}
    failing = against(answer.failing, FailureClass.CLIENT)
    if _cut_off(answer):
        held[Condition.UNHEALTHY] = None  # what fails without a network, fails for want of it
    elif failing:
        held[Condition.UNHEALTHY] = "; ".join(f"{c}: {answer.failing[c]}" for c in failing)
    if sight.mode == SyncMode.P_CHAIN or sight.network not in PUBLIC:
        return held
    if _cut_off(answer) or sight.clock_fault:
        held[Condition.TIP_STANDS] = None  # see NO_PEERS; and by a wrong clock every tip is old
        return held
    asked = Asked(answer, sight.now, sight.network, {}, sight.rules)
    fault = tip_fault(asked)
    if fault and not sight.tip_rose:
        held[Condition.TIP_STANDS] = fault
    return held


def _followed(sight: Sight) -> tuple[bool | None, str]:
    """Whether anything moves that should, and the stage of it that moved last.

    A chain that has finished bootstraps again and again while another lacks [106], so P's counters
    move for ever, and tell nothing of C. On a public network C's do so too when it has finished.
    """
    progress = sight.progress
    if sight.mode == SyncMode.P_CHAIN or sight.network not in PUBLIC or "C" not in progress.last:
        return progress.moved, progress.doing
    return progress.moves.get("C") if progress.moved is not None else None, progress.last["C"]
