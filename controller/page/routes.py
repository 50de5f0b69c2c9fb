"""Which path is what: patterns of segments, and the parts that a path names."""

from collections.abc import Iterable
from urllib.parse import unquote

LONGEST = 500  # bytes of a path: the longest name has 63, a digest 71


def matched(path: str, patterns: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """The pattern that a path, percent-encoded as it came, is of, and its parts; None for none."""
    if len(path) > LONGEST:
        return None
    found = [unquote(part) for part in path.split("/")]
    for pattern in patterns:
        wanted = pattern.split("/")
        if len(wanted) != len(found):
            continue
        parts = {w[1:-1]: f for w, f in zip(wanted, found, strict=True) if w.startswith("{")}
        if all(w == f or (w.startswith("{") and f) for w, f in zip(wanted, found, strict=True)):
            return pattern, parts
    return None
