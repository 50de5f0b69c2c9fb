"""/ext/metrics: the names of [108-111], with the numbers of a node's state."""

from collections.abc import Iterator

from controller.domain.target import SyncMode
from controller.simulator.node.health import Health
from controller.simulator.node.progress import ChainNumbers
from controller.simulator.node.state import NodeState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

_PARENTS = 256  # blocks below the state summary, which a state sync fetches too

_Sample = tuple[str, dict[str, str], float]


def metrics_text(state: NodeState, health: Health) -> str:
    """The whole page: a TYPE line for each family, then its samples; not what the plan lacks."""
    families: dict[str, list[_Sample]] = {}
    for sample in [*_chain_samples(state), *_health_samples(health)]:
        if not sample[0].startswith(state.plan.lacks):
            families.setdefault(sample[0], []).append(sample)
    lines = []
    for name in sorted(families):
        lines.append(f"# TYPE {name} {_kind(name)}")
        for _, labels, value in families[name]:
            pairs = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
            lines.append(
                f"{name}{{{pairs}}} {value:g}" if value < 1e6 else f"{name}{{{pairs}}} {value:.0f}"
            )
    return "\n".join(lines) + "\n"


def _kind(name: str) -> str:
    gauges = ("_height", "_failing", "_per_second", "_segmented", "_peers")
    return "gauge" if name.endswith(gauges) else "counter"


def _chain_samples(state: NodeState) -> Iterator[_Sample]:
    yield "avalanche_network_peers", {}, state.peers
    for chain in state.settings.chains:
        now = state.numbers(chain).since(state.at_start[chain])
        label = {"chain": chain}
        yield "avalanche_snowman_bs_fetched", label, now.fetched
        yield "avalanche_snowman_bs_accepted", label, now.accepted
        yield "avalanche_snowman_last_accepted_height", label, now.height
        if chain == "X":
            # The X-chain's past is a graph of vertices, which bootstraps before its blocks [109].
            for family, value in (("fetched", now.fetched), ("accepted", now.accepted)):
                yield f"avalanche_avalanche_bs_{family}_vts", label, value // 3
                yield f"avalanche_avalanche_bs_{family}_txs", label, value // 2
        if chain == "C" and state.settings.mode is SyncMode.STATE:
            speed = 0 if state.bootstrapped or state.stalled else 5000
            yield "avalanche_evm_eth_state_sync_total_leafs", label, now.leafs
            yield "avalanche_evm_eth_state_sync_leafs_per_second", label, speed
            yield "avalanche_evm_eth_state_sync_tries_segmented", label, min(now.leafs, 1)
            yield from _sync_samples(now)


def _sync_samples(now: ChainNumbers) -> Iterator[_Sample]:
    """What a state sync asked its peers for, by kind; the numbers differ so that kinds do."""
    for kind, count in (
        ("state_trie_leaves", now.leafs),
        ("atomic_trie_leaves", now.leafs // 10),
        ("code", now.leafs // 100),
        ("blocks", min(now.leafs, _PARENTS)),
    ):
        for family in ("requested", "succeeded", "received"):
            yield f"avalanche_evm_eth_sync_{kind}_{family}", {"chain": "C"}, count
        for family in ("failed", "invalid_response"):
            yield f"avalanche_evm_eth_sync_{kind}_{family}", {"chain": "C"}, 0


def _health_samples(health: Health) -> Iterator[_Sample]:
    for (kind, tag), count in health.failing().items():
        yield "avalanche_health_checks_failing", {"check": kind, "tag": tag}, count
