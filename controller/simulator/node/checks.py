"""The health checks of a node [89]: what each says of its state."""

from collections.abc import Callable
from datetime import timedelta

from controller.domain.target import SyncMode
from controller.simulator.node.go_text import duration
from controller.simulator.node.health import PRIMARY, READY, Check, Verdict
from controller.simulator.node.planned_behaviour import LOW_STAKE
from controller.simulator.node.state import NodeState

BEACON = "NodeID-7Xhw2mDxuDS44j42TCB6U5579esbSt3Lg"  # a validator of the network

_FEW, _ENOUGH = 0.55, 0.8  # shares of the stake
_FAR = "9999-12-01T05:00:00Z"  # of an upgrade that is not planned
_NO_UPGRADES = "1970-01-01T00:00:00Z"
_SILENCE = timedelta(seconds=1.5).total_seconds()  # since the last message
_BLOCK_ID = "2YA3N4uoaYxYVu74FRazjcvSwL75k7TcoJvvbzURmUnXyVKxdq"


def checks_of(state: NodeState) -> list[Check]:
    """Those that a node has before its chains; `validation` only in partial sync. `shuttingDown`
    comes with the end, and a chain's with the chain.
    """
    checks = [
        Check("network", lambda: _network(state)),
        Check("router", lambda: ({"longestRunningRequest": "0s", "outstandingRequests": 0}, None)),
        Check("database", lambda: (None, None)),
        Check("diskspace", lambda: _diskspace(state)),
        Check("bls", lambda: ("node is not a validator", None)),
        Check("futureupgrade", lambda: _future_upgrade(state)),
        Check(READY, lambda: _bootstrapped(state)),
    ]
    if state.settings.mode is SyncMode.P_CHAIN:
        said = "node is not a primary network validator"
        checks.append(Check("validation", lambda: (said, None)))
    return [_with_outages(check, state) for check in checks]


def chain_check(state: NodeState, chain: str) -> Check:
    return _with_outages(Check(chain, lambda: _chain(state, chain), PRIMARY), state)


def _with_outages(check: Check, state: NodeState) -> Check:
    """As it is, but for what the plan or a test makes of it."""

    def run() -> Verdict:
        message, error = check.run()
        age = state.age
        planned = (u.error for u in state.plan.unhealthy if u.check == check.name and u.at(age))
        return message, state.outages.get(check.name) or next(planned, None) or error

    checked: Callable[[], Verdict] = run
    return Check(check.name, checked, check.tag)


def _network(state: NodeState) -> Verdict:
    peers = 0 if state.starting else state.peers
    message: dict[str, int | str] = {"connectedPeers": peers, "sendFailRate": 0}
    silent = state.starting or state.plan.no_peers
    if not silent:
        silence = duration(_SILENCE)
        message |= {"timeSinceLastMsgReceived": silence, "timeSinceLastMsgSent": silence}
    if peers:
        return message, None
    error = (
        f"network layer is unhealthy reason: not connected to a minimum of 1 peer(s) only {peers}"
    )
    if silent:
        error += ", no messages received from network, no messages sent to network"
    return message, error


def _future_upgrade(state: NodeState) -> Verdict:
    if state.starting:
        return None, "no validators in the current validator set"
    alone = state.peers == 0
    return {
        "localUpgradeTime": _FAR,
        "modeUpgradeTime": _NO_UPGRADES if alone else _FAR,
        "modeUpgradeWeightPercentage": 0 if alone else 100,
        "numUpgradeTimes": 0 if alone else 1,
    }, None


def _diskspace(state: NodeState) -> Verdict:
    percentage = 7 if state.disk_full else 64  # below 10 is unhealthy, below 3 the end [91]
    error = (
        "remaining available disk space percentage (7%) is below warning threshold available"
        " space percentage (10%)"
    )
    return {
        "availableDiskBytes": percentage * 10**10,
        "availableDiskPercentage": percentage,
    }, error if state.disk_full else None


def _bootstrapped(state: NodeState) -> Verdict:
    return ([], None) if state.bootstrapped else ([PRIMARY], "subnets not bootstrapped")


def _chain(state: NodeState, chain: str) -> Verdict:
    consensus = {
        "lastAcceptedHeight": state.numbers(chain).height,
        "lastAcceptedID": _BLOCK_ID,
        "longestProcessingBlock": "0s",
        "processingBlocks": 0,
    }
    engine = {"consensus": consensus if state.bootstrapped else {}, "vm": None}
    connected, required = 1.0, _ENOUGH
    if state.alone:
        connected, required = 0.0, 1.0
    elif state.plan.low_stake:
        connected = _FEW
    networking = {
        "disconnectedValidators": [] if connected == 1.0 else [BEACON],
        "percentConnected": connected,
    }
    error = f"{LOW_STAKE}: connected to {connected:.6%}; required at least {required:.6%}"
    return {"engine": engine, "networking": networking}, None if connected >= required else error
