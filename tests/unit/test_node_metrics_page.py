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
            'avalanche_evm_eth_sync_atomic_trie_leaves_succeeded{chain="C"} 90',
            'avalanche_evm_eth_sync_code_succeeded{chain="C"} 9',
            'avalanche_evm_eth_sync_blocks_succeeded{chain="C"} 256',
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
        },
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


def test_a_number_that_was_cut_off() -> None:
    """Is a last line without its end not taken for a smaller number?"""
    whole = page("avalanche_network_peers 1800")

    assert read_metrics(whole).peers == 1800
    assert read_metrics(whole[:-3]).peers is None


@pytest.mark.parametrize(("text", "height"), [("12", 12), ("0", 0), ("1.5", None), ("NaN", None)])
def test_heights_are_whole(text: str, height: int | None) -> None:
    """Is half a block no height?"""
    assert read_metrics(page(HEIGHT + '{chain="P"} ' + text)).heights.get("P") == height


@pytest.mark.parametrize(
    ("lines", "synced"),
    [
        ({"state_sync_total_leafs": 5, "sync_state_trie_leaves_succeeded": 9}, 5),
        ({"sync_state_trie_leaves_succeeded": 9}, 9),
        ({"state_sync_total_leafs": 0, "sync_state_trie_leaves_succeeded": 9}, 9),
        ({"state_sync_total_leafs": 0}, 0),
    ],
)
def test_families_of_a_stage(lines: dict[str, int], synced: float) -> None:
    """Does the best family count, and another only where it is missing or stands at zero?"""
    text = [f"{EVM}{name} {value}" for name, value in lines.items()]

    assert counters(*text) == counters(*reversed(text)) == {"C/state-synced": synced}


@pytest.mark.parametrize("kind", ["code", "blocks"])
def test_received_where_succeeded_is_missing(kind: str) -> None:
    """Are codes and blocks counted in a version that tells only what was received?"""
    received, succeeded = f"{EVM}sync_{kind}_received 4", f"{EVM}sync_{kind}_succeeded 3"

    assert counters(received) == {f"C/{kind}-synced": 4}
    assert counters(received, succeeded) == {f"C/{kind}-synced": 3}


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
