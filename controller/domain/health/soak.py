"""The soak: observed time for which one life of the node met every demand at every look (I3).

A look counts if every check is newer than at the look that counted before: the time between the two
is what the soak grows by. One at which some check still stands is neither good nor bad: checks may
be late by a round or two, and then the next look brings the time in. If they stay away for longer,
nobody knows how the node was, which is a gap in observation as any other, and a document that
stands begins no new soak.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controller.domain.defaults import Rules
from controller.domain.health.demands import Asked, Demand, demands_of, unmet
from controller.domain.network_names import same_network
from controller.domain.node_http import NodeAnswer, Tip
from controller.domain.pods.run_pods import Life

_NOT_NEWER = "its checks have not been made anew since the look before"
_TIMELESS = "its checks do not tell when they were made"


@dataclass(frozen=True)
class Soak:
    life: Life  # whose it is
    seconds: float = 0.0  # so far
    looks: int = 1  # how many it rests on
    held: Mapping[Demand, int] = field(default_factory=dict)  # how often each was asked and met
    first: Mapping[str, Tip] = field(default_factory=dict)  # chain to its tip at the first look
    last: Mapping[str, Tip] = field(default_factory=dict)  # chain to its tip at the last look
    oldest: float | None = None  # greatest age in seconds of C's tip; None where it is not asked
    fewest_peers: int | None = None  # at any look; None where none told
    named: int = 0  # at how many of its looks the node has named its network, the run's
    # By the node's clock, when the oldest check was made of the last look that counted
    checked: float = 0.0
    waited: float = 0.0  # observed seconds since that look, in which not all checks came anew

    def rose(self, chain: str) -> bool:
        """Whether the chain's newest block is higher than it was at the first look."""
        first, last = self.first.get(chain), self.last.get(chain)
        return first is not None and last is not None and last.height > first.height


def soaked(  # noqa: PLR0913 the look, and what it is held against
    before: Soak | None,
    life: Life | None,
    answer: NodeAnswer | None,
    *,
    mode: str,
    network: str,
    now: float,
    counted: float | None,
    rules: Rules,
    gap: float,
    stands: bool,
    clock_fault: str = "",
) -> tuple[Soak | None, str]:
    """The soak after one more look, and what that look lacked. Another life, an unmet demand, one
    that could not be asked, a clock of ours that is wrong (by which every tip is young), or a gap
    (counted None) begins it anew. gap: seconds that may lie between two looks that count. stands:
    some check is still that of the look before.
    """
    if life is None or answer is None:
        return None, "no node runs that could be asked"
    if clock_fault:
        return None, clock_fault
    goes_on = before is not None and counted is not None and before.life == life
    start = before if goes_on and before else Soak(life, looks=0)
    lack = unmet(mode, Asked(answer, now, network, start.last, rules))
    if lack is not None:
        return None, f"{lack[0]}: {lack[1]}"
    if answer.network and not same_network(answer.network, network):
        return None, f"the node says that it is on {answer.network}, and the run is of {network}"
    if answer.checked_all is None:
        return None, _TIMELESS
    waited = start.waited + (counted or 0.0)
    late = start.looks > 0 and answer.checked_all <= start.checked
    if late and waited <= gap:
        return replace(start, last=answer.tips, waited=waited), _NOT_NEWER
    if stands and (late or start.looks == 0):
        return None, _NOT_NEWER
    if waited > gap:
        start, waited = Soak(life, looks=0), 0.0
    return _counted(start, answer, waited, now, demands_of(mode, network)), ""


def _counted(
    start: Soak, answer: NodeAnswer, seconds: float, now: float, demands: tuple[Demand, ...]
) -> Soak:
    """With a look that counts, so many seconds after the one before."""
    tip = answer.tips.get("C")
    age = now - tip.at if tip and tip.at is not None and Demand.C_TIP in demands else None
    return replace(
        start,
        seconds=start.seconds + (seconds if start.looks else 0.0),
        looks=start.looks + 1,
        held={demand: start.held.get(demand, 0) + 1 for demand in demands},
        first=start.first or answer.tips,
        last=answer.tips,
        oldest=_greatest(start.oldest, age),
        fewest_peers=_least(start.fewest_peers, answer.peers),
        named=start.named + bool(answer.network),
        checked=answer.checked_all or 0.0,
        waited=0.0,
    )


def _greatest(a: float | None, b: float | None) -> float | None:
    return max((x for x in (a, b) if x is not None), default=None)


def _least(a: int | None, b: int | None) -> int | None:
    return min((x for x in (a, b) if x is not None), default=None)
