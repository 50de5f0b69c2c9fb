"""The checks of `/ext/health`: against whom each counts, and whether it holds up a pass [89-91].

One table, because three questions are answered from it: whether a look is a healthy one, whether a
bootstrapped node is unhealthy by its own fault, and what is told of the machine under it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from controller.domain.failure_class import FailureClass
from controller.domain.node_http import NodeAnswer

# How the error of a chain's check begins [90]. Where the chain's engine fails too, the error begins
# with `engine:` and goes on with this: then it is the engine's.
LOW_STAKE = "not connected to enough stake"

# A node that ends adds this check to itself, which may never come to run [scene slow-term]; until
# the process is gone readiness stays 200.
SHUTTING_DOWN = "shuttingDown"


@dataclass(frozen=True)
class CheckRule:
    """What it means that a check fails."""

    against: FailureClass | None  # whose fault it is; None for nobody's
    holds: bool  # up a pass: no look at which it fails is a healthy one
    why: str  # for docs and readers


_CLIENT, _INFRASTRUCTURE = FailureClass.CLIENT, FailureClass.INFRASTRUCTURE

CHECKS = MappingProxyType(
    {
        "bootstrapped": CheckRule(_CLIENT, True, "it is what is tested"),
        "C": CheckRule(_CLIENT, True, "the chain's own engine and VM"),
        "P": CheckRule(_CLIENT, True, "the chain's own engine and VM"),
        "X": CheckRule(_CLIENT, True, "the chain's own engine and VM"),
        "router": CheckRule(_CLIENT, True, "messages dropped, or requests that hang"),
        "database": CheckRule(_CLIENT, True, "the database says that it is closed or broken"),
        SHUTTING_DOWN: CheckRule(None, True, "the node ends: whatever else it says is over"),
        "network": CheckRule(_INFRASTRUCTURE, True, "no peers, or nothing heard of them"),
        "diskspace": CheckRule(_INFRASTRUCTURE, False, "less than a tenth of the volume is free"),
        "bls": CheckRule(FailureClass.CONFIGURATION, False, "a validator's key; no test is one"),
        "validation": CheckRule(FailureClass.CONFIGURATION, False, "a validator in partial sync"),
        "futureupgrade": CheckRule(None, False, "too old for an upgrade to come, not for today"),
    }
)
# Of a chain, which all nodes of a network share
CHAINS_AND_NETWORK = frozenset({"bootstrapped", "C", "P", "X", "router", "network"})
# A chain's check fails for this too, where the machine reaches too few validators: nothing that a
# bootstrap depends on, and the tip is looked at by itself.
LOW_STAKE_RULE = CheckRule(_INFRASTRUCTURE, False, "the machine reaches too few validators")
# A check that we do not know, such as a subnet's chain, counts as a chain's.
OTHERS = CheckRule(_CLIENT, True, "a check that this list does not know")


def rule_of(check: str, error: str) -> CheckRule:
    """What a failing check means, with this error of its."""
    if error.startswith(LOW_STAKE):
        return LOW_STAKE_RULE
    return CHECKS.get(check, OTHERS)


def holding_up(failing: Mapping[str, str]) -> list[str]:
    """The failing checks at which no look is a healthy one, sorted."""
    return sorted(name for name, error in failing.items() if rule_of(name, error).holds)


def lacking_run(not_run: Iterable[str]) -> list[str]:
    """The checks that have not run, and without whose word no look is a healthy one, sorted."""
    return sorted(name for name in not_run if rule_of(name, "").holds)


def shutting_down(answer: NodeAnswer) -> bool:
    return SHUTTING_DOWN in {*answer.checks, *answer.failing, *answer.not_run}


def against(failing: Mapping[str, str], whom: FailureClass) -> list[str]:
    """The failing checks that count against somebody, sorted."""
    return sorted(name for name, error in failing.items() if rule_of(name, error).against is whom)
