"""Durations as people write them: `30s`, `5m`, `12h`, `7d`."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+)(ms|s|m|h|d)")
LONGEST = 3650 * 86400.0  # ten years: longer is a slip of the pen


def parse_duration(text: str) -> float:
    """Seconds. Raises a bare ValueError: only the caller knows whose value it is."""
    if not _DURATION.fullmatch(text.strip()):
        raise ValueError
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > LONGEST:
        raise ValueError
    return seconds


def format_duration(seconds: float) -> str:
    """The two largest units that are not zero, such as `3d4h` or `12m`; `0s` for none."""
    left = round(seconds)
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"
