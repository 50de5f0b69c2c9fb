"""Text from outside, made fit to be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.text import cut_bytes, shown, shown_ends, shown_lines


@given(st.text(), st.integers(min_value=1, max_value=300))
def test_shown_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    """Whatever comes from outside, is it one line that is not too long?"""
    line = shown(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@given(st.text(max_size=3000), st.integers(min_value=3, max_value=300))
def test_both_ends_are_shown(text: str, limit: int) -> None:
    """Is what is cut the middle, of what is not short, in one line within its limit?"""
    line = shown_ends(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    whole = shown(text, len(text) + 1)
    assert line == whole if len(whole) <= limit else line.endswith(whole[-1])


def test_the_cause_at_the_end_is_shown() -> None:
    """Is the end there of a sentence that is too long?"""
    assert shown_ends("failed to pull: " + "x" * 5000 + ": not found", 30).endswith("x: not found")


@pytest.mark.parametrize(
    "mark",
    [
        "\n",
        "\r\n",
        "\t",
        "\x00",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u2028",
        "\u202a",
        "\u202e",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069",
        "\u061c",
        "\u200b",
        "\u200e",
        "\u200f",
        "\u2060",
        "\ufeff",
    ],
)
def test_control_characters_and_direction_marks_become_a_space(mark: str) -> None:
    """Can text from outside neither forge a line nor turn one round?"""
    assert shown(f"a{mark}b") == "a b"


@given(st.text())
def test_lines_are_shown_as_one_line_is_but_for_their_ends_and_tabs(text: str) -> None:
    """Is there one rule for what cannot be shown, and does no character come or go by it?"""
    found = shown_lines(text)
    assert [c for c in found if c in "\n\t"] == [c for c in text if c in "\n\t"]
    assert len(found) == len(text)
    assert all(c in "\n\t" or shown(f"a{c}b") == f"a{c}b" for c in found)


def test_what_was_cut_is_marked() -> None:
    """Does a reader see that there was more, and only then?"""
    assert shown("abcdef", 6) == "abcdef"
    assert shown("abcdefg", 6) == "abcde…"


def test_anything_can_be_shown() -> None:
    """Is a value that is no text shown as Python shows it, its own marks taken out?"""
    assert shown(ValueError("a\nb")) == "a b"
    assert shown(b"a\n") == "b'a\\n'"
    assert shown("  ") == ""


def test_a_huge_text_is_not_looked_through() -> None:
    """Is what lies far behind the limit not searched for control characters?"""
    assert shown("\n" * 10_000_000 + "x", 10) == ""


@given(st.text(), st.integers(min_value=3, max_value=100))
def test_cut_text_keeps_to_its_bytes_and_its_characters(text: str, limit: int) -> None:
    """Is the result within its bytes, whole characters, and the text itself where that fits?"""
    cut = cut_bytes(text, limit)
    assert len(cut.encode()) <= limit
    if len(text.encode()) <= limit:
        assert cut == text
    else:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pull: password=hunter2 refused", "pull: password=[redacted] refused"),
        ("password: |\n  hunter2\nnext", "password: [redacted]   [redacted] next"),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 64),
        ("20261123t060000z-1a2b3c4d", "20261123t060000z-1a2b3c4d"),
        ("https://host/v2/x?n=100&last=y", "https://host/v2/x?n=100&last=y"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str, line: str) -> None:
    """Does no password come into a sentence, and is what people need to know left in it?"""
    assert shown(text) == line
    assert shown(line) == line
