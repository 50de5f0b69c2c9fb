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

    @property
    def place(self) -> tuple[float, str] | None:
        """`before` as `place_text` wrote it: seconds since 1970, and a name. None: from the newest
        on. Raises BadQuestion.
        """
        if not self.before:
            return None
        text, _, name = self.before.partition("~")
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise BadQuestion("`before` is the `next` of an earlier answer")
        return found, name


def place_text(place: tuple[float, str] | None) -> str:
    """A place in an order by time, as `before` and `next` have it; empty for none."""
    return f"{place[0]!r}~{place[1]}" if place else ""


def read_asked(parts: Mapping[str, str], query: Mapping[str, str]) -> Asked:
    """Raises BadQuestion."""
    text = query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise BadQuestion(f"`limit` is a number from 1 to {MOST}")
    return Asked(parts, int(text), query.get("before", "")[:300])
