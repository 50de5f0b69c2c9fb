"""The node that a recorded scene makes: what it says when, and which of its checks move on."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest, NodeStarting
from tests.fakes import EPOCH
from tests.machine_engine import at_once
from tests.replayed_node import ReplayedNode, asked_to_end, beginning, log_until, metrics_at
from tests.scenes import scene

ADDRESS = NodeAddress("bootstrap", "fuji-1", "10.0.0.7", 9650, "fuji")
HOUR = 3600.0


def ask(name: str, second: float, path: str, rpc: str = "", *, held: bool = False) -> DoorReply:
    found = scene(name)
    until = asked_to_end(found) if held else None
    node = ReplayedNode(found, EPOCH, lambda: EPOCH + timedelta(seconds=second), until=until)
    body = json.dumps({"method": rpc, "params": {}}).encode() if rpc else None
    return at_once(node.fetch(ADDRESS, NodeRequest(path, 1 << 20, 5.0, body)))


def newest(name: str, second: float, path: str = "/ext/health", *, held: bool = False) -> float:
    """Age in seconds of the newest check."""
    document = json.loads(ask(name, second, path, held=held).body)
    times = [datetime.fromisoformat(c["timestamp"]) for c in document["checks"].values()]
    return second - (max(times).astimezone(UTC) - EPOCH).total_seconds()


def test_nobody_listens_at_first() -> None:
    """Is the connection refused until the scene's node had its listener?"""
    with pytest.raises(NodeStarting):
        ask("full", 0.5, "/ext/health")
    assert ask("full", 1.1, "/ext/health").status == 503


def test_each_answer_has_its_time() -> None:
    """Is it the last one that was given by then?"""
    assert ask("full", 30, "/ext/health/readiness").status == 503
    assert ask("full", 41, "/ext/health/readiness").status == 200


@pytest.mark.parametrize("second", [20.0, 38.0, 50.0, 57.0])
def test_checks_of_a_live_node_move_on(second: float) -> None:
    """Between two recorded documents, is none older than a round of checks?"""
    assert newest("full", second) < 13


def test_checks_move_on_for_as_long_as_it_stands() -> None:
    """Held on for an hour, does a node that was well still look at itself?"""
    assert newest("full", HOUR, held=True) < 13


@pytest.mark.parametrize(
    ("name", "second", "age"),
    [
        ("hang", 145.0, 100.0),
        ("hang", HOUR, 3500.0),
        ("hang-when-ready", 150.0, 85.0),
        ("hang-when-ready", HOUR, 3500.0),
        ("slow-term", HOUR, 3590.0),
    ],
)
def test_checks_that_stood_still_do_so(name: str, second: float, age: float) -> None:
    """Where the recorded documents show that the checks stood, do they stand here?"""
    assert newest(name, second, held=True) > age


def test_readiness_goes_on_while_health_stands() -> None:
    """Its checks are others, run by others: do they move on, as they did?"""
    assert newest("hang", 145.0, "/ext/health/readiness", held=True) < 13


def test_the_way_down_is_not_held_on() -> None:
    """Is a node that nobody ends not said to shut down?"""
    assert b"shuttingDown" in ask("slow-term", 60, "/ext/health").body
    assert b"shuttingDown" not in ask("slow-term", 60, "/ext/health", held=True).body


def test_it_names_its_network() -> None:
    """Is the name that nobody recorded that of its number?"""
    assert b"network-88888" in ask("full", 5, "/ext/info", "info.getNetworkName").body
    assert b'"local"' in ask("low-stake", 5, "/ext/info", "info.getNetworkName").body


def test_the_page_of_another_process_is_left_out() -> None:
    """Is what was there before the node listened none of its metrics?"""
    assert metrics_at(scene("moved-on"), 5.0, since=2.0) is None
    page = metrics_at(scene("moved-on"), 31.0, since=2.0)
    assert page is not None
    assert 'avalanche_snowman_bs_fetched{chain="C"}' not in page


def test_failed_requests_go_on() -> None:
    """Do those of a state sync that is stuck rise, between the pages and beyond the last?"""
    stuck = scene("state-sync-stuck")
    counts = [_failed(metrics_at(stuck, at, since=1.0) or "") for at in (100, 200, 300, HOUR)]
    assert counts == sorted(set(counts))


def _failed(page: str) -> float:
    name = 'avalanche_evm_eth_sync_atomic_trie_leaves_failed{chain="C"} '
    return float(next(line for line in page.splitlines() if line.startswith(name)).split()[1])


def test_a_log_is_as_long_as_was_said() -> None:
    """At some second of its life, is no later line read?"""
    moved_on = scene("moved-on")
    assert log_until(moved_on, -1) == b""
    assert b"newer version" not in log_until(moved_on, 0.5)
    assert b"newer version" in log_until(moved_on, 60)
    assert log_until(moved_on, 1000) == moved_on.log


def test_a_scene_begins_when_its_log_does() -> None:
    """In both formats, and where a bare sentence says no time?"""
    assert beginning(scene("full")).year == beginning(scene("full-plain")).year == 2026
    assert beginning(scene("unknown-flag")) == EPOCH
