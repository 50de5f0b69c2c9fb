"""What the chains' own APIs answer, and the node of itself: calls over a node's state."""

from datetime import datetime
from typing import Any

from controller.simulator.node.checks import BEACON
from controller.simulator.node.go_text import seconds_of
from controller.simulator.node.health import PRIMARY
from controller.simulator.node.jsonrpc import CallError
from controller.simulator.node.settings import Version
from controller.simulator.node.state import NodeState

NODE_ID = "NodeID-8qeJDJBfmUxeXGsYZy5hi98kvAvZ2D1b"

_NEWEST = {"latest", "accepted", "finalized", "safe"}  # one and the same: blocks are final at once
_NO_UPGRADE = 253399640400  # seconds: the end of the year 9999
_ALIASES = ("P", "X", "C")  # known to every node, whatever it runs


def chain_call(state: NodeState, chain: str, method: str, params: Any) -> Any:
    """Raises LookupError for an unknown method, ValueError for a bad number."""
    height = state.numbers(chain).height
    match chain, method:
        case "C", "eth_blockNumber":
            return hex(height)
        case "C", "eth_getBlockByNumber":
            return _block(state, str(params[0]) if params else "latest", height)
        case "C", "eth_syncing":
            return False
        case ("P", "platform.getHeight") | ("X", "avm.getHeight"):
            return {"height": str(height)}
        case "P", "platform.getTimestamp":
            return {"timestamp": seconds_of(state.block_time("P", height))}
    raise LookupError(method)


def info_call(
    state: NodeState, version: Version, method: str, params: dict[str, Any], now: datetime
) -> Any:
    """Raises LookupError for an unknown method, CallError."""
    match method:
        case "info.getNodeVersion":
            return _node_version(version)
        case "info.isBootstrapped":
            return _is_bootstrapped(state, str(params.get("chain", "")))
        case "info.getNetworkName":
            return {"networkName": state.settings.network}
        case "info.getNetworkID":
            return {"networkID": str(state.settings.network_id)}
        case "info.peers":
            return _peers(state, seconds_of(now))
    raise LookupError(method)


def _node_version(version: Version) -> Any:
    name = f"avalanchego/{version.version}"
    return {
        "version": name,
        "databaseVersion": "v1.4.5",
        "rpcProtocolVersion": "45",
        "gitCommit": version.commit,
        "vmVersions": {"avm": name, "evm": f"v{version.version}", "platform": name},
    }


def _is_bootstrapped(state: NodeState, chain: str) -> Any:
    """One finished chain waits for the others of its subnet [106]; a chain that this node does not
    run never is [100].
    """
    if chain not in _ALIASES:
        raise CallError(f"there is no chain with alias/ID '{chain}'")
    return {"isBootstrapped": chain in state.chains and state.bootstrapped}


def _peers(state: NodeState, now: str) -> Any:
    # 203.0.113.0/24 is kept for documentation: nobody's address.
    peers = [
        {
            "ip": f"203.0.113.{number}:9651",
            "publicIP": f"203.0.113.{number}:9651",
            "nodeID": BEACON if number == 1 else f"NodeID-{number}",
            "version": "avalanchego/1.14.0",
            "upgradeTime": _NO_UPGRADE,
            "lastSent": now,
            "lastReceived": now,
            "observedUptime": "0",
            "trackedSubnets": [PRIMARY],
            "supportedACPs": [],
            "objectedACPs": [],
            "benched": [],
        }
        for number in range(1, state.peers + 1)
    ]
    return {"numPeers": str(len(peers)), "peers": peers}


def _block(state: NodeState, wanted: str, height: int) -> Any:
    """Of the C-chain; None for one that is not there yet."""
    number = height if wanted in _NEWEST else int(wanted, 16)
    if not 0 <= number <= height:
        return None
    at = state.block_time("C", number)
    root, none = f"0x{number:064x}", f"0x{0:064x}"
    return {
        "baseFeePerGas": "0x1",
        "blobGasUsed": "0x0",
        "blockExtraData": "0x",
        "blockGasCost": "0xf4240",
        "difficulty": "0x1",
        "excessBlobGas": "0x0",
        "extDataGasUsed": "0x0",
        "extDataHash": root,
        "extraData": f"0x{0:060x}",
        "gasLimit": "0x989680",
        "gasUsed": "0x5208",
        "hash": root,
        "logsBloom": f"0x{0:0512x}",
        "miner": "0x0100000000000000000000000000000000000000",
        "mixHash": none,
        "nonce": "0x0000000000000000",
        "number": hex(number),
        "parentBeaconBlockRoot": none,
        "parentHash": f"0x{max(0, number - 1):064x}",
        "receiptsRoot": root,
        "sha3Uncles": root,
        "size": "0x2e5",
        "stateRoot": root,
        "timestamp": hex(int(at.timestamp())),
        "totalDifficulty": hex(number),
        "transactions": [root],
        "transactionsRoot": root,
        "uncles": [],
    }
