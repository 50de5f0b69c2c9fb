"""Recorded metrics pages of a real avalanchego: what is read of each, and of parts of one."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.node.metrics_page import Metrics, read_metrics
from tests.scenes import scene, scenes

NOTHING = (0, 0, 0, 0)
RESTARTED = ("bad-block", "moved-on")  # several processes in one scene
KINDS = ("state", "atomic", "code", "blocks")

# Scene and second; C fetched, executed; what it synced by kind, None where that is not told;
# requests for its atomic trie that failed; its height
TABLE: list[tuple[str, int, tuple[int, int], tuple[int, int, int, int] | None, int, int | None]] = [
    ("full", 4, (5040, 0), NOTHING, 0, None),
    ("full", 13, (9320, 2141), NOTHING, 0, None),
    ("full", 22, (9320, 5888), NOTHING, 0, None),
    ("full", 26, (9320, 7765), NOTHING, 0, None),
    ("full", 35, (10503, 10503), NOTHING, 0, None),
    ("full", 57, (10697, 10697), NOTHING, 0, 11434),
    ("sae", 5, (270, 270), NOTHING, 0, 270),
    ("sae", 18, (270, 270), None, 0, 270),
    ("sae-state-sync", 5, (270, 270), NOTHING, 0, 270),
    ("sae-state-sync", 18, (270, 270), None, 0, 270),
    ("state-sync", 1, (0, 0), (24604, 3, 0, 256), 0, None),
    ("state-sync", 2, (379, 379), (24604, 3, 0, 256), 0, 24955),
    ("state-sync", 4, (379, 379), (24604, 3, 0, 256), 0, 24955),
    ("state-sync", 5, (379, 379), (24604, 3, 0, 256), 0, 24955),
    ("state-sync", 17, (379, 379), (24604, 3, 0, 256), 0, 24955),
    ("state-sync-skipped", 10, (9450, 0), NOTHING, 0, None),
    ("state-sync-skipped", 20, (16452, 938), NOTHING, 0, None),
    ("state-sync-skipped", 31, (16452, 8421), NOTHING, 0, None),
    ("state-sync-skipped", 41, (16452, 15023), NOTHING, 0, None),
    ("state-sync-skipped", 45, (16452, 16452), NOTHING, 0, 16452),
    ("state-sync-stuck", 1, (0, 0), (11463, 0, 0, 256), 0, None),
    ("state-sync-stuck", 3, (0, 0), (11463, 0, 0, 256), 1, None),
    ("state-sync-stuck", 5, (0, 0), (11463, 0, 0, 256), 2, None),
    ("state-sync-stuck", 8, (0, 0), (11463, 0, 0, 256), 4, None),
    ("state-sync-stuck", 100, (0, 0), (11463, 0, 0, 256), 49, None),
    ("state-sync-stuck", 300, (0, 0), (11463, 0, 0, 256), 146, None),
    ("no-c-config", 10, (9449, 0), NOTHING, 0, None),
    ("no-c-config", 21, (17009, 0), NOTHING, 0, None),
    ("no-c-config", 42, (24955, 6359), NOTHING, 0, None),
    ("no-c-config", 52, (24955, 11640), NOTHING, 0, None),
    ("no-c-config", 74, (24955, 22622), NOTHING, 0, None),
    ("no-c-config", 84, (24955, 24955), NOTHING, 0, 24955),
    ("hang", 12, (10935, 0), NOTHING, 0, None),
    ("hang", 37, (24955, 4714), NOTHING, 0, None),
    ("hang", 61, (24955, 4999), NOTHING, 0, None),
    ("hang", 97, (24955, 4999), NOTHING, 0, None),
    ("hang", 121, (24955, 4999), NOTHING, 0, None),
    ("hang", 145, (24955, 4999), NOTHING, 0, None),
    ("bad-block", 5, (0, 0), NOTHING, 0, None),
    ("bad-block", 32, (0, 0), NOTHING, 0, None),
    ("bad-block", 75, (0, 0), NOTHING, 0, None),
    ("bad-block", 112, (0, 0), NOTHING, 0, None),
    ("bad-block", 154, (0, 0), NOTHING, 0, None),
    ("bad-block", 196, (0, 0), NOTHING, 0, None),
]


@pytest.mark.parametrize(("name", "second", "blocks", "synced", "failed", "height"), TABLE)
def test_a_recorded_page(
    name: str,
    second: int,
    blocks: tuple[int, int],
    synced: tuple[int, int, int, int] | None,
    failed: int,
    height: int | None,
) -> None:
    """What did C do until then, in blocks, in what a state sync received, and in vain?"""
    read = read_metrics(scene(name).metrics[second].encode())

    assert (read.counters["C/fetched"], read.counters["C/executed"]) == blocks
    received = tuple(read.counters.get(f"C/{kind}-synced") for kind in KINDS)
    assert received == (synced or (None,) * len(KINDS))
    assert read.failed == ({"C/atomic-synced": failed} if failed else {})
    assert (read.heights.get("C"), read.peers) == (height, 1)


@pytest.mark.parametrize("name", ["sae", "sae-state-sync"])
def test_blocks_that_sae_executed(name: str) -> None:
    """Are they counted on a whole page, which tells of coreth and of SAE?"""
    assert read_metrics(scene(name).metrics[18].encode()).counters["C/sae-executed"] == 270


def test_no_counter_of_a_recorded_process_falls() -> None:
    """Does each counter only rise from page to page of one process, whatever it is read from?"""
    for recorded in scenes():
        if recorded.name in RESTARTED:
            continue
        before: dict[str, float] = {}
        for second, page in recorded.metrics.items():
            counters = read_metrics(page.encode()).counters
            fallen = {key for key, value in counters.items() if value < before.get(key, 0)}
            assert not fallen, (recorded.name, second)
            before |= counters


def test_all_pages_have_the_state_sync_of_coreth() -> None:
    """Is it told as zero where none is asked for, so that a zero says that there was none?"""
    for name in ("full", "no-c-config", "state-sync-skipped"):
        for page in scene(name).metrics.values():
            assert read_metrics(page.encode()).counters["C/state-synced"] == 0


RECORDED = scene("state-sync").metrics[17].encode()


@settings(deadline=2000, max_examples=40)
@given(st.integers(0, len(RECORDED)))
@example(0)
@example(len(RECORDED) - 1)
def test_a_recorded_page_cut_in_any_place(end: int) -> None:
    """Does a real page that ends too early tell what the whole tells, or less, and never another
    number?
    """
    whole, read = read_metrics(RECORDED), read_metrics(RECORDED[:end])

    assert read.counters.items() <= whole.counters.items()
    assert read.heights.items() <= whole.heights.items()
    assert RECORDED[:end].endswith(b"\n") or read == Metrics()


@settings(deadline=2000, max_examples=40)
@given(st.integers(0, len(RECORDED)), st.binary(min_size=1, max_size=12))
def test_a_recorded_page_with_other_bytes_in_it(at: int, bytes_: bytes) -> None:
    """Do broken bytes in a real page cost a line or two, and no other?"""
    whole = read_metrics(RECORDED)
    read = read_metrics(RECORDED[:at] + bytes_ + RECORDED[at:])

    lost = [key for key, value in whole.counters.items() if read.counters.get(key) != value]
    assert len(lost) <= 4 or read == Metrics()
