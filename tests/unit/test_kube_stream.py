"""Decoding watch lines into events.

Included: recorded events of a real API server, ERROR events, objects of odd shapes. Excluded: what
follows from an event (test_kube_reflector.py).
"""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.base.errors import Garbled
from controller.domain.metadata import Managed
from controller.domain.objects import Deployment, Pod
from controller.kube.watch.decoding import (
    Bookmark,
    Changed,
    Deleted,
    Failure,
    ObjectDecoder,
    Unreadable,
    WatchEvent,
)
from controller.kube.watch.lines import LineSplitter
from tests.kube_samples.objects import bookmark, deployment, line, recorded_stream, recording

DECODER = ObjectDecoder(Deployment)
RECORDED = recorded_stream()
PART = RECORDED[:60_000]


def events(chunks: list[bytes]) -> list[WatchEvent[Deployment]]:
    splitter = LineSplitter()
    return [each for chunk in chunks for each in DECODER.events(splitter.feed(chunk))]


def test_every_recorded_event_is_read() -> None:
    """What a real API server sent is understood to the last line."""
    found = events([RECORDED])

    assert len(found) == 519
    assert not [each for each in found if isinstance(each, Unreadable | Failure)]


def test_names_and_versions_are_those_on_the_wire() -> None:
    """The typed objects say the same as a plain JSON reader."""
    plain = [json.loads(each) for each in RECORDED.splitlines()]

    for said, event in zip(plain, events([RECORDED]), strict=True):
        metadata = said["object"]["metadata"]
        assert not isinstance(event, Failure)
        assert event.resource_version == metadata["resourceVersion"]
        if isinstance(event, Changed):
            assert event.object.metadata.uid == metadata["uid"]
            assert event.object.metadata.annotations == metadata.get("annotations")


@given(places=st.lists(st.integers(min_value=0, max_value=len(PART)), max_size=40))
@settings(max_examples=30, deadline=None)
def test_any_chunking_of_a_recorded_stream_gives_the_same_events(places: list[int]) -> None:
    """Where the network cuts makes no difference to what is heard."""
    ends = [0, *sorted(places), len(PART)]
    chunks = [PART[a:b] for a, b in itertools.pairwise(ends)]

    # fields that stay raw have no equality of their own
    assert [repr_of(e) for e in events(chunks)] == [repr_of(e) for e in events([PART])]


def repr_of(event: WatchEvent[Deployment]) -> tuple[str, str, str]:
    assert not isinstance(event, Failure)
    key = event.object.metadata.key if isinstance(event, Changed) else ""
    return (type(event).__name__, key, event.resource_version)


def test_a_recorded_expiry_is_a_failure_with_its_code() -> None:
    """The first of the two shapes of 410: inside a stream that began with 200."""
    (said,) = recording("55")["response"]["events"]

    event = DECODER.event(json.dumps(said).encode())

    assert isinstance(event, Failure)
    assert (event.status.code, event.status.reason) == (410, "Expired")


def test_a_bookmark_is_a_position_and_no_object() -> None:
    """A bookmark's object has no name and must never reach the cache."""
    assert DECODER.event(bookmark("77").strip()) == Bookmark("77")


def test_a_deletion_needs_no_readable_object() -> None:
    """An object of an unknown shape can still be forgotten."""
    odd = deployment(version="9") | {"spec": {"replicas": "three"}}

    assert DECODER.event(line("DELETED", odd)) == Deleted("bootstrap/fuji", "uid-of-fuji", "9")


def test_an_object_of_an_odd_type_is_named_and_does_not_raise() -> None:
    """One object that we cannot read must not stop the watch of all others."""
    odd = deployment(version="9") | {"spec": {"replicas": "three"}}

    event = DECODER.event(line("MODIFIED", odd))

    assert isinstance(event, Unreadable)
    assert (event.key, event.resource_version) == ("bootstrap/fuji", "9")
    assert "replicas" in event.why


@pytest.mark.parametrize(
    "odd",
    [
        line("ERROR", {"code": 410}),
        line("DELETED", {"metadata": {}}),
        line("LATER", deployment()),
        line("MODIFIED", deployment(version="9") | {"spec": {"replicas": "three"}}),
        b"\r\n\n",
    ],
)
def test_many_lines_at_once_are_the_events_of_each(odd: bytes) -> None:
    """Whatever stands between events that are well, all are read, in order."""
    lines = [line("ADDED", deployment(version="1")), odd, bookmark("2")]
    lines.append(line("DELETED", deployment(version="3")))

    found = DECODER.events(b"".join(lines))

    assert found == [DECODER.event(each) for each in lines if each.strip()]


@pytest.mark.parametrize(
    "text", [b"<html>502</html>", b"Too many requests", b'"a string"', b"{", b"\xff\xfe", b"[]"]
)
def test_what_is_no_watch_event_is_garbled(text: bytes) -> None:
    """A proxy's page is an error and never an event."""
    with pytest.raises(Garbled):
        DECODER.event(text)


@pytest.mark.parametrize("found", ["null", "[]", '"text"', '{"code": "x"}'])
def test_an_error_that_cannot_be_read_is_still_an_error(found: str) -> None:
    """It must not be taken for silence."""
    event = DECODER.event(b'{"type":"ERROR","object":' + found.encode() + b"}")

    assert isinstance(event, Failure)
    assert event.status.code in {0, 500}


def test_null_lists_and_unknown_fields_are_no_obstacle() -> None:
    """What a newer API server adds, and what it leaves null, is read over."""
    raw = b'{"metadata":{"name":"p","labels":null},"spec":{"containers":null,"new":{"x":[1]}}}'

    found = ObjectDecoder(Pod).object(raw)

    assert isinstance(found, Pod)
    assert found.spec.containers is None


def test_bytes_that_are_no_utf8_are_garbled() -> None:
    """A broken byte inside an object is not passed on as text."""
    with pytest.raises(Garbled):
        DECODER.object(b'{"metadata":{"name":"\xff"}}')


@given(
    texts=st.lists(st.binary(max_size=40)),
    between=st.sampled_from([b'"time":"', b'"time":"2026-11-23T06:15:59Z"']),
)
def test_managed_fields_are_whole_again_byte_for_byte(texts: list[bytes], between: bytes) -> None:
    """Are they, cut for keeping, put together as they came, whatever stands behind a time?"""
    raw = between.join(texts)

    assert Managed.of(raw).whole() == raw


def test_equal_parts_of_two_deployments_are_the_same_objects() -> None:
    """Does a fleet of equal nodes hold its containers once, and each its own name?"""
    first, second = (
        DECODER.object(json.dumps(deployment(name)).encode()) for name in ("fuji", "main")
    )

    assert isinstance(first, Deployment)
    assert isinstance(second, Deployment)
    assert first.spec.template.spec.containers is second.spec.template.spec.containers
    assert first.metadata.name != second.metadata.name
