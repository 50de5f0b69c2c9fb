"""Numbers as a node writes them, held to a range: one that is out of it was not told. No I/O."""

import re
from datetime import datetime

MOST = 1 << 63  # of heights and counters: none gets there, and every reader of JSON still takes it
_LAST_SECOND = 1 << 40  # since 1970: further than anybody's calendar goes

# Narrower than float() and int(), which take underscores, `nan` and other scripts' digits too.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,20}")
_HEX = re.compile(r"0[xX]([0-9a-fA-F]{1,16})")
_LONGEST = 64  # characters of a number; of a time too


def number(value: object, most: float = MOST) -> float | None:
    """Of [0, most], from a number of JSON or its text; None for all else, NaN and +Inf too."""
    if isinstance(value, str):
        if len(value) > _LONGEST or not _DECIMAL.fullmatch(value):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None


def whole(value: object, most: int = MOST) -> int | None:
    """A whole number of [0, most]: avalanchego's uint64 is a number here and a string there."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= most else None
    real = number(value, most)
    return int(real) if real is not None and real.is_integer() else None


def quantity(value: object, most: int = MOST) -> int | None:
    """Ethereum's way to write one, `0x1b4`; of [0, most]."""
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    return whole(int(found[1], 16), most) if found else None


def unix_quantity(value: object) -> float | None:
    """A time in seconds since 1970, written as a `quantity`."""
    seconds = quantity(value, _LAST_SECOND)
    return None if seconds is None else float(seconds)


def unix_rfc3339(value: object) -> float | None:
    """A time with its zone, `2026-11-23T06:00:00Z`, in seconds since 1970; none before."""
    return number(moment_rfc3339(value), _LAST_SECOND)


def moment_rfc3339(value: object) -> float | None:
    """The same of the years 1 to 9999: negative before 1970."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None  # it would be read in our own zone, whichever that is
    return moment.timestamp()
