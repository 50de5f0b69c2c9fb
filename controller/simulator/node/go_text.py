"""How Go writes and reads times, durations and numbers."""

import re
from datetime import datetime
from decimal import Decimal

ZERO_TIME = "0001-01-01T00:00:00Z"  # Go's time of nothing: when a check that has not run was run

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ns|us|µs|ms|s|m|h)")
_SMALL, _LARGE = -4, 6  # exponents from and up to which a number is written without an `e`


def rfc3339(moment: datetime) -> str:
    """UTC, with the fraction and a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(moment: datetime) -> str:
    """The same without the fraction."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """Such as `1h2m3s`, `1.5s`, `17.7ms`, `250µs` and `0s`."""
    if seconds <= 0:
        return "0s"
    for unit, size in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if seconds < size * 1000 and seconds < 1:
            return f"{round(seconds / size, 6):g}{unit}"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    text += f"{int(minutes)}m" if hours or minutes else ""
    return f"{text}{round(rest, 9):.12g}s"


def parsed_duration(text: str) -> float | None:
    """Seconds; None for what Go would not read."""
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def number(value: float) -> str:
    """The shortest text of a number, as a metrics page has it: `5`, `0.25`, `1.5e+06`."""
    if value == 0:
        return "0"
    exact = Decimal(repr(float(value))).normalize()
    exponent = exact.adjusted()
    if _SMALL <= exponent < _LARGE:
        return f"{exact:f}"
    sign, digits, _ = exact.as_tuple()
    text = "".join(str(digit) for digit in digits)
    point = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{point}e{exponent:+03d}"
