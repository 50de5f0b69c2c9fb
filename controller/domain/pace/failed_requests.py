"""Requests of a state sync that fail while nothing moves: why it stands, and never movement."""

from collections.abc import Mapping
from dataclasses import replace

from controller.domain.pace.progress import Progress, chain_of

_MOST = 64  # keys, as many as stages


def with_failed(now: Progress, before: Progress, failed: Mapping[str, float]) -> Progress:
    """now: what has become of `before` with this reading. failed: requests since the process began,
    by key. They count from the reading after which their chain has not moved, in one life.
    """
    read = dict(sorted(failed.items())[:_MOST])
    if now.moved is None or before.failed is None:
        return replace(now, failed=read, failing={})
    failing = {}
    for key, value in read.items():
        more = before.failing.get(key, 0.0) + max(0.0, value - before.failed.get(key, 0.0))
        if more > 0 and not now.moves.get(chain_of(key)):
            failing[key] = more
    return replace(now, failed=read, failing=failing)
