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
from tests.scenes import scene


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


NEVER = "0001-01-01T00:00:00Z"
AT = 1_795_413_600.0  # 2026-11-23T06:00:00Z


@pytest.mark.parametrize(
    ("timestamp", "made"),
    [
        ("2026-11-23T06:00:00Z", AT),
        ("2026-11-23T06:00:00.123456789Z", AT + 0.123456),
        ("2026-11-23T08:00:00.5+02:00", AT + 0.5),
        ("1969-12-31T23:59:59Z", -1.0),
        ("9999-12-31T23:59:59.999999999Z", 253402300799.999999),
        ("9999-12-31T23:59:59-23:59", 253402300799.0 + 86340),
        ("0001-01-01T00:00:00+23:59", -62135596800.0 - 86340),
        ("10000-01-01T00:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2026-11-23T06:00:00", None),  # of no zone
        ("2026-11-23T25:00:00Z", None),
        ("soon", None),
        ("", None),
        ("9" * 5000, None),
        (AT, None),
        (None, None),
        (True, None),
        ([], None),
        ({"at": 1}, None),
    ],
)
def test_when_a_check_was_made(timestamp: object, made: float | None) -> None:
    """Is a time of any year read, and what is none not taken for one?"""
    health = read(C={"timestamp": timestamp})

    assert health.newest == (None if made is None else pytest.approx(made, abs=1e-5))
    assert health.oldest == health.newest
    assert health.failing == {}


def test_newest_and_oldest_check() -> None:
    """Are both ends of a round told, and those that have not run left out?"""
    health = read(
        P={"timestamp": "2026-11-23T06:00:05Z"},
        C={"timestamp": "2026-11-23T06:00:00Z", "error": "late"},
        X={"timestamp": NEVER, "error": "not yet run"},
    )

    assert (health.newest, health.oldest) == (AT + 5, AT)
    assert (health.failing, health.not_run) == ({"C": "late"}, ("X",))


@pytest.mark.parametrize("other", [{}, {"timestamp": 5}, {"timestamp": "soon"}, 5])
def test_one_check_without_a_time(other: object) -> None:
    """Can nobody say how old the oldest check is where one does not tell?"""
    health = read(P={"timestamp": "2026-11-23T06:00:00Z"}, C=other)

    assert (health.newest, health.oldest) == (AT, None)


@pytest.mark.parametrize(
    ("check", "waits"),
    [
        ({"timestamp": NEVER, "error": "not yet run"}, True),
        ({"timestamp": NEVER}, True),  # whatever it says, it has not been made
        ({"timestamp": "0001-01-01T00:00:00.000Z", "error": "not yet run"}, True),
        ({"timestamp": NEVER, "error": "broken"}, False),
        ({"timestamp": "2026-11-23T06:00:00Z", "error": "not yet run"}, False),
        ({"error": "not yet run"}, False),
    ],
)
def test_not_yet_run(check: dict[str, Any], waits: bool) -> None:
    """Is a check one that has not run by word and by time, and else by what it says?"""
    health = read(C=check)

    assert health.not_run == (("C",) if waits else ())
    assert health.failing == ({} if waits or "error" not in check else {"C": check["error"]})


def test_many_checks() -> None:
    """Are a thousand checks read, and no more of them kept than there is room for?"""
    many = {f"subnet{i:04}": {"error": "x" * 5000, "timestamp": "soon"} for i in range(1000)}
    waiting = {f"waits{i:04}": {"error": "not yet run", "timestamp": NEVER} for i in range(1000)}
    health = read(**many, **waiting)

    assert (len(health.checks), len(health.failing), len(health.not_run)) == (50, 50, 50)
    assert max(map(len, health.failing.values())) <= 200


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("message", "engine", "consensus", "lastAcceptedHeight", "error", ""),
                    *("timestamp", "duration", "contiguousFailures", "connectedPeers"),
                ]
            ),
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
        assert not set(health.failing) & set(health.not_run)


_TIMES = st.one_of(
    st.text(max_size=40),
    st.datetimes(timezones=st.timezones() | st.none()).map(lambda at: at.isoformat()),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}(Z|[+-][0-9]{2}:[0-9]{2})"),
    st.sampled_from([NEVER, "9999-12-31T23:59:59Z", "1960-01-01T00:00:00Z"]),
)
_CHECK = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": _TIMES | _JSON,
        "error": st.sampled_from(["not yet run", "", "broken"]) | _JSON,
        "duration": st.integers(-(2**70), 2**70),
        "message": _JSON,
    },
)


@given(st.dictionaries(st.text(max_size=5), _CHECK, max_size=6), st.sampled_from([200, 503]))
def test_checks_of_any_time(checks: dict[str, Any], status: int) -> None:
    """Does no time, error or duration of a check raise, and is the newest no older than others?"""
    body = json.dumps({"checks": checks, "healthy": True}).encode()
    health = read_health(DoorReply(status, body))

    if health is not None and health.oldest is not None:
        assert health.newest is not None
        assert health.oldest <= health.newest


@given(st.integers(0, 5000), st.integers(0, 255))
def test_a_damaged_document(cut: int, byte: int) -> None:
    """Is a real document, cut and with a wrong byte in it, read or refused, and never more?"""
    answers = scene("hang-when-ready").answers
    body = next(a.body for a in answers if a.path == "/ext/health" and a.status).encode()
    at = cut % len(body)
    read_health(DoorReply(200, body[:at]))
    read_health(DoorReply(503, body[:at] + bytes([byte]) + body[at + 1 :]))


@pytest.mark.parametrize(
    "check", ["[" * 100_000, '{"message":' * 100_000, '{"error":' + "[" * 900 + "]" * 900 + "}"]
)
def test_nested_deep(check: str) -> None:
    """Is a document that is nested deep read or refused, without an error?"""
    read_health(DoorReply(503, f'{{"healthy":false,"checks":{{"C":{check}}}}}'.encode()))


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
