"""The soak: observed time for which one life of the node met every demand at every look (I3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.domain.defaults import Rules
from controller.domain.health.demands import Asked, Demand, demands_of, unmet
from controller.domain.node_http import NodeAnswer, Tip
from controller.domain.pods.run_pods import Life


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
    clock_fault: str = "",
) -> tuple[Soak | None, str]:
    """The soak after one more look, and what that look lacked. Another life, an unmet demand, one
    that could not be asked, a clock of ours that is wrong (by which every tip is young), or a gap
    (counted None) begins it anew.
    """
    if life is None or answer is None:
        return None, "no node runs that could be asked"
    if clock_fault:
        return None, clock_fault
    goes_on = before is not None and counted is not None and before.life == life
    tips = before.last if goes_on and before else {}
    lack = unmet(mode, Asked(answer, now, network, tips, rules))
    if lack is not None:
        return None, f"{lack[0]}: {lack[1]}"
    start = before if goes_on and before else Soak(life, looks=0)
    demands = demands_of(mode, network)
    tip = answer.tips.get("C")
    age = now - tip.at if tip and tip.at is not None and Demand.C_TIP in demands else None
    return (
        Soak(
            life,
            seconds=start.seconds + (counted if goes_on and counted else 0.0),
            looks=start.looks + 1,
            held={demand: start.held.get(demand, 0) + 1 for demand in demands},
            first=start.first or answer.tips,
            last=answer.tips,
            oldest=_greatest(start.oldest, age),
            fewest_peers=_least(start.fewest_peers, answer.peers),
        ),
        "",
    )


def _greatest(a: float | None, b: float | None) -> float | None:
    return max((x for x in (a, b) if x is not None), default=None)


def _least(a: int | None, b: int | None) -> int | None:
    return min((x for x in (a, b) if x is not None), default=None)
