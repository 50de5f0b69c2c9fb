"""Numbers in a store's hash, which others may have written."""

import math
from collections.abc import Mapping


def number(fields: Mapping[str, str], name: str) -> float | None:
    """A number that is not negative; None for what is none."""
    try:
        found = float(fields.get(name, ""))
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None
