"""/ext/metrics: the names of [108-111], with the numbers of a node's state.

Of the thousand families of a real page, those that tell of progress, peers and health [scene full].
"""

from collections.abc import Iterator
from typing import NamedTuple

from controller.simulator.node.go_text import number
from controller.simulator.node.health import Health
from controller.simulator.node.progress import SUMMARY_LAG, ChainNumbers
from controller.simulator.node.state import NodeState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

_A_REQUEST = {"state_trie_leaves": 1024, "atomic_trie_leaves": 1024, "code": 5, "blocks": 32}
_MEMORY = 314_363_904  # bytes: any number

# Of C, and always 0 here.
_IDLE = (
    "eth_eth_protocols_snap_sync_boundary_account",
    "eth_eth_protocols_snap_sync_boundary_storage",
    "eth_eth_protocols_snap_sync_delete",
    "eth_eth_protocols_snap_sync_lookup",
    "eth_eth_protocols_snap_sync_storage_large",
    "eth_eth_protocols_snap_sync_storage_noheal",
    "eth_eth_protocols_snap_sync_storage_small",
    "eth_trie_sync_codes",
    "eth_trie_sync_delete",
    "eth_trie_sync_lookup",
    "eth_trie_sync_nodes_account",
    "eth_trie_sync_nodes_storage",
    "sdk_sync_peer_tracker_average_bandwidth",
    "sdk_sync_peer_tracker_num_responsive_peers",
    "sdk_sync_peer_tracker_num_tracked_peers",
)
_IDLE_REQUESTS = (
    "average_latency",
    "current_timeout",
    "longest_running",
    "outstanding",
    "pending_timeouts",
)


class _Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float
    kind: str = "counter"


def metrics_text(state: NodeState, health: Health) -> str:
    """The whole page: a TYPE line for each family, then its samples; not what the plan lacks."""
    families: dict[str, list[_Sample]] = {}
    for sample in [*_node_samples(state), *_chain_samples(state), *_health_samples(health)]:
        if not sample.name.startswith(state.plan.lacks):
            families.setdefault(sample.name, []).append(sample)
    lines = []
    for name in sorted(families):
        lines.append(f"# TYPE {name} {families[name][0].kind}")
        for sample in families[name]:
            pairs = ",".join(f'{key}="{sample.labels[key]}"' for key in sorted(sample.labels))
            labels = f"{{{pairs}}}" if pairs else ""
            lines.append(f"{name}{labels} {number(sample.value)}")
    return "\n".join(lines) + "\n"


def _node_samples(state: NodeState) -> Iterator[_Sample]:
    yield _Sample("avalanche_network_peers", {}, state.peers, "gauge")
    yield _Sample("avalanche_network_times_connected", {}, state.peers)
    yield _Sample("avalanche_network_times_disconnected", {}, state.refusals)
    yield _Sample("avalanche_process_process_resident_memory_bytes", {}, _MEMORY, "gauge")
    yield _Sample("avalanche_process_process_start_time_seconds", {}, state.born, "gauge")
    for name in _IDLE_REQUESTS:
        yield _Sample(f"avalanche_requests_{name}", {}, 0, "gauge")
    for name in ("dropped", "timeouts"):
        yield _Sample(f"avalanche_requests_{name}", {}, state.failed_requests)


def _chain_samples(state: NodeState) -> Iterator[_Sample]:
    for chain in state.chains:
        now = state.numbers(chain).since(state.at_start[chain])
        label = {"chain": chain}
        yield _Sample("avalanche_snowman_bs_fetched", label, now.fetched)
        yield _Sample("avalanche_snowman_bs_accepted", label, now.accepted)
        if state.bootstrapped:  # not there before the end [scene full]
            tip = state.block_time(chain, now.height).timestamp()
            yield _Sample("avalanche_snowman_last_accepted_height", label, now.height, "gauge")
            yield _Sample("avalanche_snowman_last_accepted_timestamp", label, tip, "gauge")
        if chain == "X":
            yield from _x_samples(now)
        if chain == "C":
            yield from _c_samples(state, now)


def _x_samples(now: ChainNumbers) -> Iterator[_Sample]:
    """X's past is a graph of vertices, which bootstraps before its blocks [109]."""
    label = {"chain": "X"}
    begin = "avalanche_avalanche_bs"
    for family, value in (("fetched", now.fetched), ("accepted", now.accepted)):
        yield _Sample(f"{begin}_{family}_vts", label, value // 3)
        yield _Sample(f"{begin}_{family}_txs", label, value // 2)
    yield _Sample(f"{begin}_get_ancestors_vtxs_count", label, now.fetched // 1000)
    yield _Sample(f"{begin}_get_ancestors_vtxs_sum", label, now.fetched // 3, "gauge")


def _c_samples(state: NodeState, now: ChainNumbers) -> Iterator[_Sample]:
    label = {"chain": "C"}
    for name in _IDLE:
        yield _Sample(f"avalanche_evm_{name}", label, 0, "gauge")
    if state.syncs_state:
        speed = 0 if state.bootstrapped or state.stalled or state.failed_requests else 5000
        begin = "avalanche_evm_eth_state_sync"
        yield _Sample(f"{begin}_total_leafs", label, now.leafs)
        yield _Sample(f"{begin}_leafs_per_second", label, speed, "gauge")
        yield _Sample(f"{begin}_tries_segmented", label, min(now.leafs, 1))
    for kind, received, failed in (
        ("state_trie_leaves", now.leafs, 0),
        ("atomic_trie_leaves", _atomic(state, now), state.failed_requests),
        ("code", now.leafs // 100, 0),
        ("blocks", min(now.leafs, SUMMARY_LAG), 0),
    ):
        requests = -(-received // _A_REQUEST[kind])  # `succeeded` counts them too, not what came
        for family, value in (
            ("requested", requests + failed + bool(failed)),
            ("succeeded", requests),
            ("received", received),
            ("failed", failed),
            ("invalid_response", 0),
        ):
            yield _Sample(f"avalanche_evm_eth_sync_{kind}_{family}", label, value)


def _atomic(state: NodeState, now: ChainNumbers) -> int:
    return 0 if state.failed_requests else now.leafs // 10


def _health_samples(health: Health) -> Iterator[_Sample]:
    for (kind, tag), count in health.failing().items():
        labels = {"check": kind, "tag": tag}
        yield _Sample("avalanche_health_checks_failing", labels, count, "gauge")
