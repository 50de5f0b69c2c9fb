"""Which words avalanchego takes for a switch, a number or a duration: what Go's parsers take, or a
little less where only they could say what was meant, such as `010`, which is 8.
"""

import re

# What Go takes for true and false; every other word is neither [100].
TRUE = {"1", "t", "T", "TRUE", "true", "True"}
FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}|0[xX][0-9a-fA-F]{1,15}")
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?"
)
_DURATION = re.compile(
    r"[+-]?(?:0|(?:(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:ns|us|µs|μs|ms|s|m|h)){1,8})"
)


def whole(text: str) -> int | None:
    """A whole number that is not negative; None where it is none."""
    return int(text, 0) if _WHOLE.fullmatch(text) else None


def is_signed(text: str) -> bool:
    """Whether it is a whole number, which may be negative."""
    return whole(text.removeprefix("-")) is not None


def is_decimal(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    """Such as `30s` or `1h30m`. A bare number is none: a flag refuses it, and a variable would be
    taken for as many nanoseconds.
    """
    return _DURATION.fullmatch(text) is not None
