"""What a request asks for, read and bounded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

LIMIT = 100  # items where nothing is asked for
MOST = 500


class BadQuestion(Exception):
    """`str()` says what to write instead."""


@dataclass(frozen=True)
class Asked:
    """Parts of the path, and `limit` and `before` of the query."""

    parts: Mapping[str, str]
    limit: int = LIMIT
    before: str = ""  # empty: from the newest on

    def part(self, name: str) -> str:
        return self.parts.get(name, "")

    @staticmethod
    def number(text: str) -> float:
        """Seconds since 1970. Raises BadQuestion."""
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise BadQuestion("`before` is the `next` of an earlier answer")
        return found


def read_asked(parts: Mapping[str, str], query: Mapping[str, str]) -> Asked:
    """Raises BadQuestion."""
    text = query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise BadQuestion(f"`limit` is a number from 1 to {MOST}")
    return Asked(parts, int(text), query.get("before", "")[:300])
