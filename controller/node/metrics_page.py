"""The node's metrics page: what it counts of its bootstrap, out of Prometheus's text format.

    avalanche_snowman_bs_fetched{chain="P"} 1.2e+06

Read tolerantly: a line that cannot be read is passed over, and names that a version does not have
are not missed. A page that was cut off, or has more than a node's, tells nothing at all: who sees
half of the counters would say of the other half that it stands. The names are those of
avalanchego's source [108-110], and whole pages of a real node were seen to have them. No I/O.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from controller.domain.pace.stages import (
    ATOMIC_SYNCED,
    BLOCKS_SYNCED,
    CODE_SYNCED,
    EXECUTED,
    FETCHED,
    SAE_EXECUTED,
    STATE_SYNCED,
    VERTICES_EXECUTED,
    VERTICES_FETCHED,
)
from controller.node.chain_names import ChainNames
from controller.node.numbers import number, whole

LONGEST_PAGE = 8 << 20  # bytes: a page is one or two MB, most of it histograms
_LONGEST_LINE = 4096  # bytes: ours have one label
_MOST_SAMPLES = 4096  # of our names: sixteen chains have three hundred

# The C-chain is coreth, then SAE; both may be on one page, and after a restart only SAE [110].
_C = "avalanche_evm_"
_CORETH, _SAE = ("eth_", "transition_eth_"), ("transition_sae_", "sae_")
# A database of coreth's whose sync counts requests only
_FIREWOOD = ("sync_firewood_sync_requests_", "transition_sync_firewood_sync_requests_")
_SAE_RUNS = re.compile(rb"\n%b(?:transition_)?(?:cchain|sae)_" % _C.encode())


def _of_c(prefixes: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(f"{_C}{prefix}{name}" for name in names for prefix in prefixes)


# What a state sync received, by stage. `_succeeded` counts requests and is not read [110]: of the
# families of a stage the greatest counts, so all that a process fills are of one unit.
_SYNCED = {
    STATE_SYNCED: (
        *_of_c(_CORETH, "sync_state_trie_leaves_received", "state_sync_total_leafs"),
        *_of_c(_FIREWOOD, "succeeded"),
    ),
    ATOMIC_SYNCED: _of_c(_CORETH, "sync_atomic_trie_leaves_received"),
    CODE_SYNCED: _of_c(_CORETH, "sync_code_received"),
    BLOCKS_SYNCED: _of_c(_CORETH, "sync_blocks_received"),
}
_COUNTERS = {
    FETCHED: ("avalanche_snowman_bs_fetched",),
    EXECUTED: ("avalanche_snowman_bs_accepted",),
    VERTICES_FETCHED: ("avalanche_avalanche_bs_fetched_vts",),
    VERTICES_EXECUTED: ("avalanche_avalanche_bs_accepted_vts",),
    SAE_EXECUTED: _of_c(_SAE, "execute_block_duration_seconds_count"),
    **_SYNCED,
}
_FAILED = {  # requests, those with an answer that was refused among them
    STATE_SYNCED: (
        *_of_c(_CORETH, "sync_state_trie_leaves_failed"),
        *_of_c(_FIREWOOD, "failed"),
    ),
    ATOMIC_SYNCED: _of_c(_CORETH, "sync_atomic_trie_leaves_failed"),
    CODE_SYNCED: _of_c(_CORETH, "sync_code_failed"),
    BLOCKS_SYNCED: _of_c(_CORETH, "sync_blocks_failed"),
}
_HEIGHT = "avalanche_snowman_last_accepted_height"
_PEERS = "avalanche_network_peers"

_WANTED = (
    *(family for families in _COUNTERS.values() for family in families),
    *(family for families in _FAILED.values() for family in families),
    _HEIGHT,
    _PEERS,
)
# Begins with plain text, which is searched for fast; and ends before the newline, since a line
# without one was cut off, perhaps in the middle of its number.
_NAMES = "|".join(map(re.escape, _WANTED))
_LINE = re.compile(rf"\n({_NAMES})(?=[ \t{{])([^\n]{{1,{_LONGEST_LINE}}}+)(?=\n)".encode())
_LABEL = rb'[ \t]*[a-zA-Z_][a-zA-Z0-9_]*[ \t]*=[ \t]*"(?:[^"\\]|\\.)*+"[ \t]*'
_REST = re.compile(
    rb"[ \t]*(?:\{(?P<labels>(?:%b(?:,%b)*+,?)?[ \t]*)\}[ \t]*)?" % (_LABEL, _LABEL)
    + rb"(?P<value>[^ \t\r{}]+)(?:[ \t]+-?[0-9]+)?[ \t\r]*"
)
_PAIR = re.compile(rb'([a-zA-Z0-9_]+)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*+)"')
_ESCAPE = re.compile(rb"\\(.)")


@dataclass(frozen=True)
class Metrics:
    """What a page tells, each absent where it does not."""

    # `<chain>/<stage>` of `domain.pace.stages` to what was done since the process began [108-110]
    counters: Mapping[str, float] = field(default_factory=dict)
    # The same to requests of a state sync that failed; none where none did
    failed: Mapping[str, float] = field(default_factory=dict)
    heights: Mapping[str, int] = field(default_factory=dict)  # chain to its last accepted height
    peers: int | None = None  # connected ones


def read_metrics(body: bytes) -> Metrics:
    """Any bytes are taken. Nothing is told of what is longer than `LONGEST_PAGE`, or does not end
    with its last line.
    """
    if len(body) > LONGEST_PAGE or not body.endswith(b"\n"):
        return Metrics()
    names, page = ChainNames(), b"\n" + body
    peers: int | None = None
    values: dict[str, dict[str, float]] = {family: {} for family in _WANTED}
    for count, line in enumerate(islice(_LINE.finditer(page), _MOST_SAMPLES + 1), 1):
        if count > _MOST_SAMPLES:
            return Metrics()
        family, sample = line[1].decode(), _REST.fullmatch(line[2])
        value = number(sample["value"].decode(errors="replace")) if sample else None
        if sample is None or value is None:
            continue
        if family == _PEERS:
            peers = whole(value)
        elif chain := names.key(_chain_of(family, sample["labels"] or b"")):
            values[family][chain] = value
    counters = _greatest(_COUNTERS, values)
    if _SAE_RUNS.search(page):
        counters = {key: value for key, value in counters.items() if value or not _is_sync(key)}
    failed = {key: value for key, value in _greatest(_FAILED, values).items() if value}
    return Metrics(counters, failed, _heights(values[_HEIGHT]), peers)


def _chain_of(family: str, labels: bytes) -> str:
    """Empty where a sample does not say. Only the C-chain is an EVM without being told so."""
    text = dict(_PAIR.findall(labels)).get(b"chain", b"")
    chain = _ESCAPE.sub(_unescaped, text).decode(errors="replace")
    return chain or ("C" if family.startswith(_C) else "")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return b"\n" if escape[1] == b"n" else escape[1]


def _is_sync(key: str) -> bool:
    """Such a counter at zero is coreth's, which no longer runs where SAE does: it tells nothing."""
    return key.partition("/")[2] in _SYNCED


def _greatest(
    stages: Mapping[str, tuple[str, ...]], values: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """By key. The greatest of counters that only rise falls never."""
    counters: dict[str, float] = {}
    for stage, families in stages.items():
        for family in families:
            for chain, value in values[family].items():
                key = f"{chain}/{stage}"
                counters[key] = max(counters.get(key, 0.0), value)
    return counters


def _heights(values: Mapping[str, float]) -> dict[str, int]:
    heights = {chain: whole(value) for chain, value in values.items()}
    return {chain: height for chain, height in heights.items() if height is not None}
