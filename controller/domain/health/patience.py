"""How long each condition is borne, and which failure it becomes then."""

from dataclasses import dataclass

from controller.domain.defaults import Rules
from controller.domain.health.conditions import Condition
from controller.domain.health.standing import stall_patience
from controller.domain.pace.progress import Progress
from controller.domain.run import Reason


@dataclass(frozen=True)
class Patience:
    """How long a condition is borne."""

    reason: Reason | None  # of the failure that it becomes; None: it never does
    seconds: float  # of observed time, after which it does


def patience_of(
    condition: Condition, progress: Progress, rules: Rules, *, bootstrapped: bool = False
) -> Patience:
    """Of this condition; of one without movement, by what moved last. bootstrapped: the node."""
    if condition is Condition.CHECKS_STAND and not bootstrapped:
        return _locked_patience(progress, rules)
    if condition is Condition.STILL:
        return Patience(Reason.STALLED, stall_patience(progress, rules))
    return {
        Condition.IMAGE_PULL: Patience(Reason.IMAGE_PULL, rules.image_pull_patience),
        Condition.UNSCHEDULABLE: Patience(Reason.UNSCHEDULABLE, rules.unschedulable_patience),
        Condition.NOT_CREATED: Patience(Reason.BAD_CONFIG, rules.config_patience),
        Condition.MANIFEST_REFUSED: Patience(Reason.BAD_CONFIG, rules.config_patience),
        Condition.NO_WORD: Patience(Reason.BAD_CONFIG, rules.config_patience),
        Condition.HOST_REFUSED: Patience(Reason.BAD_CONFIG, rules.config_patience),
        Condition.VOLUME_TROUBLE: Patience(Reason.VOLUME_LOST, rules.volume_patience),
        Condition.SILENT: Patience(Reason.STALLED, rules.silence_patience),
        Condition.NO_PEERS: Patience(Reason.NO_PEERS, rules.no_peers_patience),
        Condition.MOVED_ON: Patience(Reason.NETWORK_MOVED_ON, rules.moved_on_patience),
        Condition.NOTHING_FETCHED: Patience(Reason.NOTHING_FETCHED, rules.stall_fetching),
        Condition.CHECKS_STAND: Patience(Reason.STALLED, rules.unhealthy_patience),
        Condition.UNHEALTHY: Patience(Reason.UNHEALTHY, rules.unhealthy_patience),
        Condition.TIP_STANDS: Patience(Reason.TIP_NOT_ADVANCING, rules.tip_patience),
        # Our own way to the node says nothing of it; a node low on disk ends itself [91].
        Condition.UNREACHED: Patience(None, 0.0),
        # Nothing that the node does with it says anything of the build; it cannot pass so.
        Condition.OTHER_DATA: Patience(None, 0.0),
        Condition.DISK_LOW: Patience(None, 0.0),
        # A container of others says nothing of the build; what keeps the node is UNSCHEDULABLE.
        Condition.OTHER_CONTAINER: Patience(None, 0.0),
    }[condition]


def _locked_patience(progress: Progress, rules: Rules) -> Patience:
    """Of a chain that is locked while it bootstraps, as it is for all the days in which it executes
    what it fetched: without metrics nobody can tell that from a chain that hangs.
    """
    longest = max(rules.stall_executing, stall_patience(progress, rules))
    return Patience(None if progress.moved is None else Reason.STALLED, longest)
