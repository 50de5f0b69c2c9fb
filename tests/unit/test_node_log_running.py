"""What the log of a node that runs says of its network and of C's state sync."""

from datetime import UTC, datetime
from random import Random

import pytest

from controller.domain.node_log.running import RunningWords, read_running
from tests.scenes import scene, scenes

NOW = datetime(2026, 11, 26, 16, 0, tzinfo=UTC).timestamp()
PLAIN = (
    "[11-26|15:01:25.324] INFO peer/peer.go:872 peer attempting to connect with newer version. You"
    ' may want to update your client {"nodeID": "NodeID-7Xhw", "myVersion": "avalanchego/1.14.2",'
    ' "peerVersion": "avalanchego/1.16.0"}\n'
)
SUMMARY = (
    "[11-26|14:26:31.768] INFO <C Chain> syncer/state_syncer.go:393 accepted state summary"
    ' {"summaryID": "mK3F", "syncMode": "Skipped", "numTotalSummaries": 1}\n'
)


def read(text: str) -> RunningWords:
    return read_running(text, NOW)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("state-sync", "Static"),
        ("sae-state-sync", "Skipped"),
        ("full", ""),
        ("state-sync-stuck", ""),
        # its line is among those that were left out
        ("state-sync-skipped", ""),
    ],
)
def test_how_c_came_to_its_state(name: str, mode: str) -> None:
    """Is the mode of C's state sync read off a real log?"""
    assert read(scene(name).log.decode()).sync_mode == mode


def test_the_versions_of_peers_that_refuse() -> None:
    """What does the log of a node that all peers refuse say of them?"""
    found = read(scene("moved-on").log.decode())
    assert found.newer == ("avalanchego/1.16.0",)
    assert found.own == "avalanchego/1.14.2"
    last = datetime(2026, 11, 26, 15, 2, 53, tzinfo=UTC).timestamp()
    assert found.newer_at == last


def test_plain_lines() -> None:
    """Is the other format of the same lines read too?"""
    at = datetime(2026, 11, 26, 15, 1, 25, tzinfo=UTC).timestamp()
    found = read(SUMMARY + PLAIN)
    assert found == RunningWords(("avalanchego/1.16.0",), "avalanchego/1.14.2", at, "Skipped")


def test_a_plain_line_of_the_year_before() -> None:
    """Is a line of December, read in January, not of the year to come?"""
    now = datetime(2027, 1, 1, 0, 5, tzinfo=UTC).timestamp()
    line = PLAIN.replace("11-26|15:01:25", "12-31|23:59:00")
    at = read_running(line, now).newer_at
    assert at == datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("1.16.0", "1.14.1"),
        PLAIN.replace("1.16.0", "1.14.2"),
        PLAIN.replace("1.16.0", "2"),
        PLAIN.replace('"myVersion"', '"whoseVersion"'),
        SUMMARY.replace("<C Chain>", "<2Q8d Chain>"),
        SUMMARY.replace("Skipped", "Perhaps"),
        SUMMARY.replace("accepted state", "rejected state"),
    ],
)
def test_what_is_not_meant(text: str) -> None:
    """Is a peer that is not newer, another chain's summary or an unknown mode passed over?"""
    assert read(text) == RunningWords()


def test_one_that_synced_before_one_that_skipped() -> None:
    """Is a state sync that happened not forgotten for a later start that had no need of it?"""
    assert read(SUMMARY.replace("Skipped", "Dynamic") + SUMMARY).sync_mode == "Dynamic"


def test_few_versions_are_kept() -> None:
    """Do peers of a thousand versions not fill a sentence, and are the newest kept?"""
    text = "".join(PLAIN.replace("1.16.0", f"1.16.{n}") for n in range(1000))
    assert len(read(text).newer) == 8
    assert read(text).newer[-1] == "avalanchego/1.16.999"


def test_an_impossible_day_is_no_time() -> None:
    """Is a line of the 31 November read, and its time not believed?"""
    found = read(PLAIN.replace("11-26", "11-31"))
    assert (found.newer, found.newer_at) == (("avalanchego/1.16.0",), None)


@pytest.mark.parametrize("what", ["cut", "flipped", "one line", "long lines"])
def test_any_text_is_taken(what: str) -> None:
    """Does no log make it fail, whatever was done to it?"""
    random = Random(7)
    for found in scenes():
        raw = bytearray(found.log[-60_000:])
        if what == "cut":
            raw = raw[random.randrange(len(raw) + 1) : random.randrange(len(raw) + 1)]
        elif what == "flipped":
            for _ in range(300):
                raw[random.randrange(len(raw))] = random.randrange(256)
        elif what == "one line":
            raw = raw.replace(b"\n", b"")
        else:
            raw = raw.replace(b"\n", b"\n" + b"a" * 5000)
        words = read(raw.decode(errors="replace"))
        assert len(words.newer) <= 8
        assert words.sync_mode in ("", "Static", "Dynamic", "Skipped")


def test_a_hundred_megabytes_take_no_longer_than_the_end() -> None:
    """Is only the end of an endless text looked at?"""
    assert read(SUMMARY + "x" * 100_000_000) == RunningWords()
    assert read("x" * 100_000_000 + "\n" + SUMMARY).sync_mode == "Skipped"
    assert read("peer attempting to connect with newer version " * 200_000) == RunningWords()
