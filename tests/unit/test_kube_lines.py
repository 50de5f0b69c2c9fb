"""Splitting watch bytes into lines.

Included: chunks cut anywhere, long lines, what is left at the end. Excluded: decoding
(test_kube_stream.py).
"""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.errors import Garbled
from controller.kube.watch.lines import LineSplitter


def split(chunks: list[bytes]) -> list[bytes]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk).split(b"\n") if line.strip()]


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(ends)]


@given(
    lines=st.lists(st.text(min_size=1).map(lambda t: t.replace("\n", "é").encode())),
    places=st.lists(st.integers(min_value=0)),
)
def test_any_chunking_gives_the_same_lines(lines: list[bytes], places: list[int]) -> None:
    """Wherever the network cuts, even inside a character, the lines are the same."""
    wire = b"".join(line + b"\n" for line in lines)

    assert split(cut(wire, places)) == [line for line in lines if line.strip()]


def test_an_unfinished_line_is_not_a_line() -> None:
    """What follows the last newline may be half an event."""
    assert split([b'{"a":1}\n{"b"']) == [b'{"a":1}']


def test_a_line_of_twenty_megabytes_comes_through() -> None:
    """No fixed buffer bounds a line below what an object can be."""
    wire = b"x" * 20_000_000 + b"\n"
    chunks = [wire[at : at + 65536] for at in range(0, len(wire), 65536)]

    (line,) = split(chunks)

    assert len(line) == 20_000_000


def test_a_line_without_end_is_an_error_and_not_all_the_memory() -> None:
    """A server that never sends a newline is stopped at the limit."""
    splitter = LineSplitter(longest=10)
    splitter.feed(b"12345")

    with pytest.raises(Garbled, match="longer than 10 bytes"):
        splitter.feed(b"678901")
