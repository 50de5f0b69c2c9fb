"""What a pass asks of every look of its soak (I3), in one table by sync mode.

| demand | asked where | holds when |
|---|---|---|
| readiness | everywhere | `/ext/health/readiness` says that the node has bootstrapped [90] |
| health | everywhere | no check of `/ext/health` fails, or has not run yet, that holds up a pass (`checks`) |
| C tip | C followed, on a public network | its newest block is young by our clock, and never older than the one before |
| C height | C followed, elsewhere | `eth_blockNumber` answers and never goes back |
| P height | P-chain only | `platform.getHeight` answers and never goes back; on a public network the chain's time is of the last day |

Nothing is asked that a quiet chain cannot meet: X may have no block for hours, P for minutes, and on
a network of one's own no chain need have any. Where the C tip is asked, the soak as a whole must
have seen it rise (`Soak.rose`).
"""  # noqa: E501 a table

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from controller.base.durations import format_duration
from controller.domain.defaults import Rules
from controller.domain.health.checks import holding_up, lacking_run, shutting_down
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.target import SyncMode

# Where somebody else's transactions make blocks all the time.
PUBLIC = frozenset({"mainnet", "fuji"})


class Demand(StrEnum):
    READINESS = "readiness"
    HEALTH = "health"
    C_TIP = "C tip"
    C_HEIGHT = "C height"
    P_HEIGHT = "P height"


@dataclass(frozen=True)
class Asked:
    """What a demand is held against."""

    answer: NodeAnswer
    now: float  # wall clock, seconds since 1970
    network: str  # as the node names it
    before: Mapping[str, Tip]  # tips of the look before in this soak; empty where there was none
    rules: Rules


def demands_of(mode: str, network: str) -> tuple[Demand, ...]:
    """Everything that is asked at each look, in this order."""
    if mode == SyncMode.P_CHAIN:
        return (Demand.READINESS, Demand.HEALTH, Demand.P_HEIGHT)
    tip = Demand.C_TIP if network in PUBLIC else Demand.C_HEIGHT
    return (Demand.READINESS, Demand.HEALTH, tip)


def unmet(mode: str, asked: Asked) -> tuple[Demand, str] | None:
    """The first demand that this answer does not meet, or that could not be asked, and why."""
    for demand in demands_of(mode, asked.network):
        why = _QUESTIONS[demand](asked)
        if why:
            return demand, why
    return None


def tip_fault(asked: Asked) -> str:
    """Why C's newest block is not a young one; empty if it is. Our own clock must be trusted for
    it: whoever passes a run sees to that.
    """
    tip = asked.answer.tips.get("C")
    if tip is None:
        return "C's API does not give its newest block"
    if tip.at is None:
        return f"C is at block {tip.height}, whose time its API does not give"
    age = asked.now - tip.at
    if age < -asked.rules.max_skew:
        return f"C's newest block {tip.height} is {format_duration(-age)} ahead of our clock"
    if age > asked.rules.tip_age:
        return f"C's newest block {tip.height} is {format_duration(age)} old"
    return ""


def _readiness(asked: Asked) -> str:
    answer = asked.answer
    if answer.kind is not AnswerKind.ANSWERED:
        return answer.detail
    return "" if answer.ready else "the node has not bootstrapped"


def _health(asked: Asked) -> str:
    answer = asked.answer
    if shutting_down(answer):
        return "the node is shutting down"
    failing = holding_up(answer.failing)
    if failing:
        return "; ".join(f"check {name} fails: {answer.failing[name]}" for name in failing)
    waiting = lacking_run(answer.not_run)
    if waiting:
        return "; ".join(f"check {name} has not run yet" for name in waiting)
    # Unhealthy without a check that says why is no health document that we understand.
    said = answer.healthy or answer.failing or answer.not_run
    return "" if said else "the node says that it is not healthy"


def _c_tip(asked: Asked) -> str:
    return tip_fault(asked) or _gone_back("C", asked)


def _c_height(asked: Asked) -> str:
    if "C" not in asked.answer.tips:
        return "C's API does not give its height"
    return _gone_back("C", asked)


def _p_height(asked: Asked) -> str:
    tip = asked.answer.tips.get("P")
    if tip is None:
        return "P's API does not give its height"
    if asked.network in PUBLIC:
        if tip.at is None:
            return "P's API does not give the chain's time"
        if asked.now - tip.at > asked.rules.p_chain_age:
            return f"P's time is {format_duration(asked.now - tip.at)} behind our clock"
    return _gone_back("P", asked)


def _gone_back(chain: str, asked: Asked) -> str:
    before, now = asked.before.get(chain), asked.answer.tips[chain]
    if before is not None and now.height < before.height:
        return f"{chain} went back from block {before.height} to {now.height}"
    return ""


_QUESTIONS: dict[Demand, Callable[[Asked], str]] = {
    Demand.READINESS: _readiness,
    Demand.HEALTH: _health,
    Demand.C_TIP: _c_tip,
    Demand.C_HEIGHT: _c_height,
    Demand.P_HEIGHT: _p_height,
}
