"""The health document: what it tells beside healthy or not, whatever shape it has.

Excluded: readiness and health themselves (tests/functional/test_node_http_probe.py).
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.node_http import DoorReply
from controller.node.health_document import Health, read_health


def read(**checks: object) -> Health:
    body = json.dumps({"checks": checks, "healthy": True}).encode()
    health = read_health(DoorReply(200, body))
    assert health is not None
    return health


def says(**message: object) -> dict[str, Any]:
    return {"message": message, "timestamp": "2026-11-23T06:00:00Z", "duration": 1}


def chain(height: object) -> dict[str, Any]:
    consensus = {"lastAcceptedHeight": height, "processingBlocks": 0}
    return says(engine={"consensus": consensus, "vm": None}, networking={"percentConnected": 0.98})


def test_what_a_document_tells() -> None:
    """Are peers, disk and heights found in the checks that tell them?"""
    health = read(
        network=says(connectedPeers=18, sendFailRate=0),
        diskspace=says(availableDiskBytes=10**12, availableDiskPercentage=64),
        P=chain(24_000),
        C=chain(60_000),
        router=says(outstandingRequests=0),
    )

    assert (health.peers, health.disk_free) == (18, 64.0)
    assert health.heights == {"P": 24_000, "C": 60_000}


def test_failing_checks_tell_too() -> None:
    """Is what a failing check says in its message heard?"""
    health = read(network={**says(connectedPeers=0), "error": "no peers"})

    assert health.peers == 0
    assert health.failing == {"network": "no peers"}


def test_bytes_are_no_percentage() -> None:
    """Is the share of the disk not guessed from a version that tells bytes only?"""
    assert read(diskspace=says(availableDiskBytes=10**12)).disk_free is None


@pytest.mark.parametrize(("said", "free"), [(0, 0.0), (7.5, 7.5), (100, 100.0), (101, None)])
def test_percentage(said: float, free: float | None) -> None:
    """Is the share of the disk one of a hundred?"""
    assert read(diskspace=says(availableDiskPercentage=said)).disk_free == free


@pytest.mark.parametrize(("check", "runs"), [("C", True), ("c", False), ("P", False)])
def test_partial_sync(check: str, runs: bool) -> None:
    """Is a node without a check of the C-chain known for one that does not run it?"""
    assert read(**{check: chain(1)}).runs_c is runs


def test_c_is_found_among_many() -> None:
    """Is the C-chain seen in a document with more checks than are shown?"""
    assert read(**{f"2subnet{i:03}": says() for i in range(200)}, C=says()).runs_c


@pytest.mark.parametrize("value", ["18", 18.0, 18])
def test_kinds_of_numbers(value: object) -> None:
    """Is a number taken in each way to write it in JSON?"""
    health = read(network=says(connectedPeers=value), P=chain(value))

    assert (health.peers, health.heights) == (18, {"P": 18})


@pytest.mark.parametrize("value", [None, True, -1, 2**64, "many", [], {}, "NaN"])
def test_no_number(value: object) -> None:
    """Is what is no number of peers, percents or blocks not told, and the rest of it heard?"""
    health = read(
        network=says(connectedPeers=value),
        diskspace=says(availableDiskPercentage=value),
        P=chain(value),
        C=chain(7),
    )

    assert (health.peers, health.disk_free) == (None, None)
    assert health.heights == {"C": 7}


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["message", "engine", "consensus", "lastAcceptedHeight", "error", ""]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["network", "diskspace", "C", "P", "x"]), _JSON))
def test_checks_of_any_shape(checks: dict[str, Any]) -> None:
    """Does no shape of a check raise?"""
    body = json.dumps({"checks": checks, "healthy": True}).encode()
    health = read_health(DoorReply(200, body))

    if health is not None:  # NaN is no JSON
        assert all(0 <= height <= 2**63 for height in health.heights.values())


@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    """Do no bytes raise?"""
    read_health(DoorReply(503, body))


def test_document_is_kept() -> None:
    """Is the document kept as it came, and cut where it is very long?"""
    body = b'{"healthy":false, "checks":{}}'
    kept = read_health(DoorReply(503, body))
    assert kept is not None
    assert kept.document == body
    long = read_health(DoorReply(503, body[:-1] + b" " * 100_000 + b"}"))
    assert long is not None
    assert long.document == (body[:-1] + b" " * 100_000)[: 64 * 1024]
