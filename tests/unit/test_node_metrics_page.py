"""The metrics page of a node: what is read of it, and what bad bytes do."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.pace.stages import STAGES
from controller.node.metrics_page import LONGEST_PAGE, Metrics, read_metrics

FETCHED = "avalanche_snowman_bs_fetched"
HEIGHT = "avalanche_snowman_last_accepted_height"
EVM = "avalanche_evm_eth_"


def page(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def counters(*lines: str) -> dict[str, float]:
    return dict(read_metrics(page(*lines)).counters)


def test_a_page() -> None:
    """Is each number that we know taken from among many others, under chain and stage?"""
    read = read_metrics(
        page(
            "# HELP avalanche_snowman_bs_fetched number of containers fetched during bootstrapping",
            "# TYPE avalanche_snowman_bs_fetched counter",
            'avalanche_snowman_bs_fetched{chain="P"} 24000',
            'avalanche_snowman_bs_fetched{chain="C"} 1.25e+06',
            'avalanche_snowman_bs_accepted{chain="P"} 23000',
            'avalanche_avalanche_bs_fetched_vts{chain="X"} 30',
            'avalanche_avalanche_bs_fetched_txs{chain="X"} 44',
            'avalanche_avalanche_bs_accepted_vts{chain="X"} 20',
            'avalanche_evm_eth_state_sync_total_leafs{chain="C"} 900',
            'avalanche_evm_eth_sync_atomic_trie_leaves_received{chain="C"} 90',
            'avalanche_evm_eth_sync_atomic_trie_leaves_succeeded{chain="C"} 1',
            'avalanche_evm_eth_sync_atomic_trie_leaves_failed{chain="C"} 3',
            'avalanche_evm_eth_sync_code_received{chain="C"} 9',
            'avalanche_evm_eth_sync_code_failed{chain="C"} 0',
            'avalanche_evm_eth_sync_blocks_received{chain="C"} 256',
            'avalanche_evm_transition_sae_execute_block_duration_seconds_count{chain="C"} 33',
            'avalanche_snowman_last_accepted_height{chain="C"} 6.1e+07',
            "avalanche_network_peers 1800",
            "go_goroutines 5",
            "",
        )
    )

    assert read == Metrics(
        counters={
            "P/fetched": 24000,
            "C/fetched": 1_250_000,
            "P/executed": 23000,
            "X/vertices-fetched": 30,
            "X/vertices-executed": 20,
            "C/state-synced": 900,
            "C/atomic-synced": 90,
            "C/code-synced": 9,
            "C/blocks-synced": 256,
            "C/sae-executed": 33,
        },
        failed={"C/atomic-synced": 3},
        heights={"C": 61_000_000},
        peers=1800,
    )
    assert {key.partition("/")[2] for key in read.counters} == set(STAGES)


def test_nothing_is_missed() -> None:
    """Is a page of a version that counts nothing of it no error?"""
    assert read_metrics(b"") == read_metrics(b"go_goroutines 5\n") == Metrics()


@pytest.mark.parametrize(
    "line",
    [
        FETCHED + '{chain="C"} 7',
        FETCHED + '{chain="C"} 7.0',
        FETCHED + '{chain="C"} 7e0 1764057600000',
        FETCHED + '{vm="evm",chain="C",} +7',
        FETCHED + '{chain="C",odd="a\\"},chain=\\"P"}\t7\t',
        FETCHED + ' { a="", chain = "C" , b="}" } 7',
        FETCHED + '{chain="C"}7\r',
        FETCHED + '{other="chain=",xchain="P",chain="C"} 7',
    ],
)
def test_ways_to_write_a_sample(line: str) -> None:
    """Is the format's freedom understood: order, blanks, escapes, exponents, times?"""
    assert counters(line) == {"C/fetched": 7}


@pytest.mark.parametrize(
    "line",
    [
        FETCHED + " 7",
        FETCHED + "{} 7",
        FETCHED + '{chain=""} 7',
        FETCHED + '{chain="\x01"} 7',
        FETCHED + '{chain="C"}',
        FETCHED + '{chain="C"} NaN',
        FETCHED + '{chain="C"} +Inf',
        FETCHED + '{chain="C"} -1',
        FETCHED + '{chain="C"} 1e19',
        FETCHED + '{chain="C"} 1e999',
        FETCHED + '{chain="C"} 1_000',
        FETCHED + '{chain="C"} 0x10',
        FETCHED + '{chain="C"} \u0667',
        FETCHED + '{chain="C"} 7 # {trace="x"} 1',
        FETCHED + '{chain="C"} 7 8 9',
        FETCHED + '{chain="C} 7',
        FETCHED + '{chain="C" 7',
        FETCHED + '{chain="C"}} 7',
        FETCHED + '{chain:"C"} 7',
        FETCHED + '{chain="C" x="y"} 7',
        FETCHED + '_total{chain="C"} 7',
        EVM + "sync_code_received7",
        "x" + FETCHED + '{chain="C"} 7',
        "# " + FETCHED + '{chain="C"} 7',
        FETCHED + '{chain="C",long="' + "x" * 5000 + '"} 7',
    ],
)
def test_lines_that_tell_nothing(line: str) -> None:
    """Is a line that cannot be read passed over, and the next one taken?"""
    good = FETCHED + '{chain="P"} 3'

    assert counters(line, good) == counters(good, line) == {"P/fetched": 3}


def test_a_page_that_was_cut_off() -> None:
    """Does half a page tell nothing, rather than that all it lost stands, or a smaller number?"""
    whole = page(FETCHED + '{chain="P"} 7', "avalanche_network_peers 1800")

    assert read_metrics(whole) == Metrics({"P/fetched": 7}, peers=1800)
    assert {read_metrics(whole[:end]).peers for end in range(len(whole))} == {None}
    assert read_metrics(whole[:-1]) == read_metrics(whole[:-3]) == Metrics()


@pytest.mark.parametrize(("text", "height"), [("12", 12), ("0", 0), ("1.5", None), ("NaN", None)])
def test_heights_are_whole(text: str, height: int | None) -> None:
    """Is half a block no height?"""
    assert read_metrics(page(HEIGHT + '{chain="P"} ' + text)).heights.get("P") == height


@pytest.mark.parametrize(
    ("lines", "synced"),
    [
        ({"eth_state_sync_total_leafs": 5, "eth_sync_state_trie_leaves_received": 9}, 9),
        ({"eth_sync_state_trie_leaves_received": 9}, 9),
        ({"eth_state_sync_total_leafs": 9, "eth_sync_state_trie_leaves_received": 0}, 9),
        ({"eth_state_sync_total_leafs": 0}, 0),
        ({"eth_sync_state_trie_leaves_succeeded": 25}, None),
        ({"transition_eth_sync_state_trie_leaves_received": 7}, 7),
        ({"sync_firewood_sync_requests_succeeded": 3, "eth_state_sync_total_leafs": 0}, 3),
    ],
)
def test_families_of_a_stage(lines: dict[str, int], synced: float | None) -> None:
    """Are leaves counted by whichever family counts, and requests not taken for leaves?"""
    text = [f"avalanche_evm_{name} {value}" for name, value in lines.items()]
    read = {} if synced is None else {"C/state-synced": synced}

    assert counters(*text) == counters(*reversed(text)) == read


def test_families_that_take_turns_make_no_counter_fall() -> None:
    """Does a stage only rise where leaves are received before they are counted as synced?"""
    received, total = f"{EVM}sync_state_trie_leaves_received", f"{EVM}state_sync_total_leafs"
    pages = [
        (f"{received} 0",),
        (f"{received} 1024",),
        (f"{received} 1024", f"{total} 0"),
        (f"{received} 1024", f"{total} 1000"),
        (f"{received} 1024", f"{total} 1024"),
    ]

    assert [counters(*lines)["C/state-synced"] for lines in pages] == [0, 1024, 1024, 1024, 1024]


@pytest.mark.parametrize("kind", ["atomic_trie_leaves", "code", "blocks"])
def test_what_came_is_counted_and_not_the_requests(kind: str) -> None:
    """Is a block a block, where a request brings thirty-two of them?"""
    stage = {"atomic_trie_leaves": "atomic"}.get(kind, kind)
    received, succeeded = f"{EVM}sync_{kind}_received 256", f"{EVM}sync_{kind}_succeeded 8"

    assert counters(received, succeeded) == {f"C/{stage}-synced": 256}
    assert counters(succeeded) == {}


@pytest.mark.parametrize("prefix", ["transition_cchain_", "transition_sae_", "cchain_", "sae_"])
def test_where_sae_runs_the_state_sync_of_coreth_tells_nothing(prefix: str) -> None:
    """Is a zero of a C-chain that no longer runs not taken for a state sync that stands?"""
    sae = f'avalanche_evm_{prefix}any_name{{chain="C"}} 1'
    lines = (
        f"{EVM}sync_blocks_received 0",
        f"{EVM}sync_code_received 2",
        FETCHED + '{chain="C"} 0',
    )

    assert counters(*lines) == {"C/blocks-synced": 0, "C/code-synced": 2, "C/fetched": 0}
    assert counters(*lines, sae) == {"C/code-synced": 2, "C/fetched": 0}


@pytest.mark.parametrize("prefix", ["transition_sae_", "sae_"])
def test_blocks_that_sae_executes(prefix: str) -> None:
    """Are they counted whether the node began as coreth or not?"""
    line = f'avalanche_evm_{prefix}execute_block_duration_seconds_count{{chain="C"}} 270'

    assert counters(line) == {"C/sae-executed": 270}


def test_a_page_of_more_than_a_node_has_tells_nothing() -> None:
    """Do thousands of chains, of which some would be left out, not make the others stand?"""
    lines = [FETCHED + f'{{chain="{number}"}} 1' for number in range(5000)]

    assert read_metrics(page(*lines, FETCHED + '{chain="C"} 7')) == Metrics()
    assert counters(*lines[:4000], FETCHED + '{chain="C"} 7')["C/fetched"] == 7


@pytest.mark.timeout(10)
def test_a_line_of_ten_megabytes() -> None:
    """Is it no line of ours, and costs it no time?"""
    line = FETCHED.encode() + b'{chain="' + b"C" * (10 << 20) + b'"} 7\n'

    assert read_metrics(line) == Metrics()
    assert read_metrics(line[-LONGEST_PAGE:]) == Metrics()


def test_many_chains() -> None:
    """Are sixteen chains kept, the primary network's among them, and names fit to be shown?"""
    others = [FETCHED + f'{{chain="subnet {i}\\n{"x" * 99}"}} 1' for i in range(100)]
    primary = [FETCHED + f'{{chain="{chain}"}} 1' for chain in "PXC"]
    read = counters(*others, *primary)
    chains = [key.partition("/")[0] for key in read]

    assert len(chains) == 16
    assert {"P", "X", "C"} <= set(chains)
    assert all(len(chain) <= 64 and "\n" not in chain for chain in chains)


def test_chains_have_a_bound_over_all_families() -> None:
    """Do sixteen chains stay sixteen when each family names others?"""
    families = (FETCHED, HEIGHT, EVM + "sync_code_received")
    lines = [f'{name}{{chain="{name}-{i}"}} 1' for name in families for i in range(16)]
    read = read_metrics(page(*lines))

    assert len({key.partition("/")[0] for key in read.counters} | set(read.heights)) <= 16


def test_page_without_end() -> None:
    """Is no more than the bound looked at, whatever came?"""
    line = page("avalanche_network_peers 5")
    filling = b"#" * (LONGEST_PAGE - 2 * len(line)) + b"\n"

    assert read_metrics(filling + line).peers == 5
    assert read_metrics(b"#" * len(line) + filling + line).peers is None


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"avalanche_\n",
        b"avalanche_network_peers 1\n",
        b"avalanche_network_peers " + b" " * 4000 + b"x\n",
        FETCHED.encode() + b"{" + b'a="b",' * 600 + b'chain="P}\n',
        FETCHED.encode() + b'{a="' + b"\\" * 4000 + b"\n",
    ],
)
@pytest.mark.timeout(10)
def test_hostile_pages_end(line: bytes) -> None:
    """Is a page made to be slow read within its time: does no line cost more than its length?"""
    read_metrics(line * (LONGEST_PAGE // len(line)))


_WORDS = st.sampled_from(
    [
        *(FETCHED, HEIGHT, EVM + "sync_code_received", "avalanche_network_peers", 'chain="C"'),
        *(
            "{",
            "}",
            '"',
            "\\",
            "=",
            ",",
            " ",
            "\n",
            "7",
            "-1",
            "1e400",
            "NaN",
            "+Inf",
            "\xff",
            "\0",
        ),
    ]
)


@given(st.one_of(st.binary(max_size=300), st.lists(_WORDS).map(lambda w: "".join(w).encode())))
@example(b"avalanche_network_peers 18446744073709551616\n")
def test_any_bytes(body: bytes) -> None:
    """Do no bytes raise, and does nothing out of range come of them?"""
    read = read_metrics(body)

    values: list[Any] = [*read.counters.values(), *read.heights.values()]
    assert all(0 <= value <= 2**63 for value in values)
    assert all(re.fullmatch(r".+/[a-z-]+", key) for key in read.counters)
    assert read.peers is None or 0 <= read.peers <= 2**63


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40),
    st.floats(0, 2**63, allow_nan=False),
)
def test_what_is_written_is_read(chain: str, value: float) -> None:
    """Does any name of a chain, escaped as the format says, and any number come through?"""
    escaped = chain.replace("\\", "\\\\").replace('"', '\\"')

    assert counters(FETCHED + f'{{a="1",chain="{escaped}"}} {value!r}') == {
        f"{chain}/fetched": value
    }
