"""Content-Encoding: what is undone, and what is refused."""

import gzip
import zlib

import pytest

from controller.base.errors import Garbled
from controller.base.http_limits import TooLong
from controller.registry.encodings import decoded

BODY = b'{"schemaVersion":2}' * 50
LIMIT = 1 << 20


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def packed_gzip(body: bytes) -> bytes:
    """Without the time, so that each worker of a test run knows the tests by the same names."""
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    ("packed", "header"),
    [
        (BODY, ""),
        (BODY, "identity"),
        (packed_gzip(BODY), "gzip"),
        (packed_gzip(BODY), " X-GZip "),
        (packed_gzip(BODY[:100]) + packed_gzip(BODY[100:]), "gzip"),
        (zlib.compress(BODY), "deflate"),
        (deflated(BODY), "deflate"),
        (packed_gzip(zlib.compress(BODY)), "deflate, gzip"),
    ],
)
def test_undone(packed: bytes, header: str) -> None:
    """Is the body what it was before a server packed it?"""
    assert decoded(packed, header, LIMIT, "r") == BODY


def test_exactly_at_the_limit() -> None:
    """Is a body of the limit taken, and of one byte more refused?"""
    packed = packed_gzip(BODY)

    assert decoded(packed, "gzip", len(BODY), "r") == BODY
    with pytest.raises(TooLong, match=f"r answers with more than {len(BODY) - 1} bytes"):
        decoded(packed, "gzip", len(BODY) - 1, "r")


def test_bomb_is_not_unpacked() -> None:
    """Is what unpacks to a gigabyte given up at the limit, in two layers too?"""
    bomb = packed_gzip(bytes(50 << 20))
    for packed, header in ((bomb, "gzip"), (packed_gzip(bomb), "gzip, gzip")):
        with pytest.raises(TooLong):
            decoded(packed, header, LIMIT, "r")


@pytest.mark.parametrize("header", ["br", "zstd", "gzip, br", "gzip, gzip, gzip", "\x1b[2J"])
def test_refused_by_name(header: str) -> None:
    """Does the sentence name an encoding that is not undone, and say what to do?"""
    with pytest.raises(Garbled, match="leave manifests as they are") as caught:
        decoded(b"x", header, LIMIT, "registry.example.com")

    assert str(caught.value).startswith("registry.example.com answers in the encoding '")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("packed", [b"{}", packed_gzip(BODY)[:-9], zlib.compress(BODY)[:-2]])
@pytest.mark.parametrize("header", ["gzip", "deflate"])
def test_broken(packed: bytes, header: str) -> None:
    """Is what is not in its encoding, or is cut off, no body at all?"""
    with pytest.raises(Garbled, match="not in the encoding that it says"):
        decoded(packed, header, LIMIT, "r")


def test_nothing_is_nothing() -> None:
    """Is the answer to a HEAD, which has no body, left alone whatever it says of one?"""
    assert decoded(b"", "br", LIMIT, "r") == b""
