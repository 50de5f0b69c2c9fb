"""Docker Hub's list of tags: which names point to a build."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.errors import Garbled
from controller.registry.hub_tags import names_of

BUILD = "sha256:" + "b" * 64
INDEX = "sha256:" + "1" * 64


def tag(name: object, *digests: object, **more: object) -> dict[str, Any]:
    """As Docker Hub gives it, with more than is documented [79]."""
    images = [
        {"architecture": "amd64", "os": "linux", "variant": None, "digest": digest, "size": 7}
        for digest in digests
    ]
    return {"id": 1, "name": name, "images": images, "tag_status": "active", **more}


def page(*tags: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"count": 500, "next": "http://x", "results": tags, **more}).encode()


def test_tags_of_the_build() -> None:
    """Are names found by their images, whatever the index, or by a digest of their own?"""
    body = page(
        tag("latest", BUILD, digest=INDEX),
        tag("v1.14.0", INDEX, BUILD),
        tag("other", INDEX, digest=INDEX),
        tag("lone", digest=BUILD),
        tag("latest", BUILD),
    )

    assert names_of(body, BUILD) == ("latest", "v1.14.0", "lone")


def test_old_tags_lack_fields() -> None:
    """Is a tag without images or digests no reason to know nothing of the others?"""
    body = page({"name": "a"}, {"name": "b", "images": None, "digest": None}, tag("c", None, BUILD))

    assert names_of(body, BUILD) == ("c",)


def test_names_are_tags() -> None:
    """Is a name that no tag can have left out?"""
    body = page(*(tag(name, BUILD) for name in ("a b", "", "-x", "\x1b[2J", "y" * 129, "good")))

    assert names_of(body, BUILD) == ("good",)


def test_twenty_at_most() -> None:
    """Is the number of names bounded?"""
    body = page(*(tag(f"t{number}", BUILD) for number in range(100)))

    assert names_of(body, BUILD) == tuple(f"t{number}" for number in range(20))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"message":"object not found"}',
        b'{"results":null}',
        b'{"results":[{}]}',
        b'{"results":[{"name":7}]}',
        b'{"results":[{"name":"a","images":"b"}]}',
        b'{"results":[{"name":"\\ud800x"}]}',
        b"[" * 99999,
    ],
)
def test_other_shapes(body: bytes) -> None:
    """Is what is no page of tags garbled?"""
    with pytest.raises(Garbled):
        names_of(body, BUILD)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Does nothing but Garbled come of any bytes?"""
    with contextlib.suppress(Garbled):
        names_of(body, BUILD)
