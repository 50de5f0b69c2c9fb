"""What a line of history says: the body of a transition, as the publisher wrote it or as another
hand left it there.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from store.api import Transition


def body_of(transition: Transition) -> Mapping[str, str]:
    """The fields that are text, as all are that the publisher writes. Nothing of a body that cannot
    be read: one bad line must cost nobody the others.
    """
    try:
        raw: Any = orjson.loads(transition.body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(raw, dict):
        return {}
    return {name: text for name, text in raw.items() if isinstance(text, str)}
