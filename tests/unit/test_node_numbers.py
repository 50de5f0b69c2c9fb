"""Numbers and times as nodes write them."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.node.chain_names import highest
from controller.node.numbers import number, quantity, unix_quantity, unix_rfc3339, whole

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, 0),
        (2**63, 2**63),
        ("123", 123),
        ("9007199254740993", 9007199254740993),
        (12.0, 12),
        ("1.2e+06", 1_200_000),
        (2**63 + 1, None),
        ("9" * 20, None),
        (-1, None),
        ("-1", None),
        (0.5, None),
        (nan, None),
        (inf, None),
        ("NaN", None),
        ("", None),
        ("1_000", None),
        ("\u0667", None),
        ("9" * 5000, None),
        (True, None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_whole(value: object, read: int | None) -> None:
    """Is a whole number taken exactly, as number or text, and all else not at all?"""
    assert whole(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(64, 64), (7.5, 7.5), ("7.5", 7.5), (100, 100), (101, None), (-0.1, None), (nan, None)],
)
def test_number(value: object, read: float | None) -> None:
    """Is a percentage one of a hundred?"""
    assert number(value, 100) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("0x0", 0),
        ("0x1B4", 436),
        ("0x8000000000000000", 2**63),
        ("0x8000000000000001", None),
        ("0x" + "0" * 17, None),
        ("0x", None),
        ("1b4", None),
        ("0x-1", None),
        ("-0x1", None),
        ("0x1_0", None),
        (" 0x1", None),
        (436, None),
        (None, None),
    ],
)
def test_quantity(value: object, read: int | None) -> None:
    """Is Ethereum's way to write numbers read, and nothing like it?"""
    assert quantity(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-11-23T06:00:00Z", 1795413600.0),
        ("2026-11-23T06:00:00.123456789Z", 1795413600.123456),
        ("2026-11-23T08:00:00+02:00", 1795413600.0),
        ("2026-11-23T06:00:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", 253402387139.0),
        ("2026-13-01T00:00:00Z", None),
        ("yesterday", None),
        ("2026-11-23T06:00:00Z" + " " * 100, None),
        (1795413600, None),
    ],
)
def test_time(value: object, read: float | None) -> None:
    """Is a time with its zone read, and one that could be meant otherwise not?"""
    assert unix_rfc3339(value) == read


def test_time_in_hex() -> None:
    """Is a block's time bounded, as its number is?"""
    assert unix_quantity("0x6b03d8e0") == 0x6B03D8E0
    assert unix_quantity(hex(2**40)) == 2**40
    assert unix_quantity(hex(2**40 + 1)) is None


@given(ANYTHING)
def test_anything(value: object) -> None:
    """Does nothing that JSON can carry raise, or come out of its range?"""
    for read in (whole, number, quantity, unix_quantity, unix_rfc3339):
        found = read(value)
        assert found is None or 0 <= found <= 2**63


def test_highest() -> None:
    """Does of each chain the newest word count, and of a thousand chains no more than sixteen?"""
    assert highest({"C": 5, "P": 1}, {"C": 3, "X": 2}, {"P": 4}) == {"C": 5, "P": 4, "X": 2}
    assert len(highest({str(i): i for i in range(1000)}, {"C": 1})) == 14
