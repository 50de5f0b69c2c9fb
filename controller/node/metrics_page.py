"""The node's metrics page: what it counts of its bootstrap, out of Prometheus's text format.

    avalanche_snowman_bs_fetched{chain="P"} 1.2e+06

Read tolerantly: a line that cannot be read is passed over, and names that a version does not have
are not missed. The names are those of avalanchego's source [108-110], and whole pages of a real
node were seen to have them. No I/O.
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
    STATE_SYNCED,
    VERTICES_EXECUTED,
    VERTICES_FETCHED,
)
from controller.node.chain_names import ChainNames
from controller.node.numbers import number, whole

LONGEST_PAGE = 8 << 20  # bytes: a page is one or two MB, most of it histograms
_LONGEST_LINE = 4096  # bytes: ours have one label
_MOST_SAMPLES = 4096  # of our names: sixteen chains have three hundred

_EVM = "avalanche_evm_eth_"

# The families of each stage, the best first: it is believed where it is there, unless it stands at
# zero while another counts.
_COUNTERS = {
    FETCHED: ("avalanche_snowman_bs_fetched",),
    EXECUTED: ("avalanche_snowman_bs_accepted",),
    VERTICES_FETCHED: ("avalanche_avalanche_bs_fetched_vts",),
    VERTICES_EXECUTED: ("avalanche_avalanche_bs_accepted_vts",),
    STATE_SYNCED: (
        f"{_EVM}state_sync_total_leafs",
        f"{_EVM}sync_state_trie_leaves_succeeded",
    ),
    ATOMIC_SYNCED: (f"{_EVM}sync_atomic_trie_leaves_succeeded",),
    CODE_SYNCED: (f"{_EVM}sync_code_succeeded", f"{_EVM}sync_code_received"),
    BLOCKS_SYNCED: (f"{_EVM}sync_blocks_succeeded", f"{_EVM}sync_blocks_received"),
}
_HEIGHT = "avalanche_snowman_last_accepted_height"
_PEERS = "avalanche_network_peers"

_WANTED = (*(family for families in _COUNTERS.values() for family in families), _HEIGHT, _PEERS)
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
    heights: Mapping[str, int] = field(default_factory=dict)  # chain to its last accepted height
    peers: int | None = None  # connected ones


def read_metrics(body: bytes) -> Metrics:
    """Any bytes are taken; what lies beyond `LONGEST_PAGE` is not looked at."""
    names = ChainNames()
    peers: int | None = None
    values: dict[str, dict[str, float]] = {family: {} for family in _WANTED}
    for line in islice(_LINE.finditer(b"\n" + body[:LONGEST_PAGE]), _MOST_SAMPLES):
        family, sample = line[1].decode(), _REST.fullmatch(line[2])
        value = number(sample["value"].decode(errors="replace")) if sample else None
        if sample is None or value is None:
            continue
        if family == _PEERS:
            peers = whole(value)
        elif chain := names.key(_chain_of(family, sample["labels"] or b"")):
            values[family][chain] = value
    return Metrics(_counters(values), _heights(values[_HEIGHT]), peers)


def _chain_of(family: str, labels: bytes) -> str:
    """Empty where a sample does not say. Only the C-chain is an EVM without being told so."""
    text = dict(_PAIR.findall(labels)).get(b"chain", b"")
    chain = _ESCAPE.sub(_unescaped, text).decode(errors="replace")
    return chain or ("C" if family.startswith(_EVM) else "")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return b"\n" if escape[1] == b"n" else escape[1]


def _counters(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    counters: dict[str, float] = {}
    for stage, families in _COUNTERS.items():
        for family in families:
            for chain, value in values[family].items():
                key = f"{chain}/{stage}"
                counters[key] = counters.get(key) or value
    return counters


def _heights(values: Mapping[str, float]) -> dict[str, int]:
    heights = {chain: whole(value) for chain, value in values.items()}
    return {chain: height for chain, height in heights.items() if height is not None}
