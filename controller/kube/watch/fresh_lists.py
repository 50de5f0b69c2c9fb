"""Lists that somebody cannot wait for until their time comes."""

import asyncio
from collections.abc import Iterable
from typing import Any

from controller.base.clock import Clock
from controller.base.errors import Trouble, Unavailable
from controller.kube.watch.informer import Informer

# Seconds: a list is as good as a watch for so long.
MOMENTS = 5.0
PATIENCE = 20.0  # seconds for a list that somebody waits for


async def refresh(informers: Iterable[Informer[Any]], since: float, clock: Clock) -> bool:
    """See `engine.ports.Cluster.refresh`."""
    stale = [each for each in informers if not _is_fresh(each, since, clock.monotonic())]
    if not stale:
        return False
    try:
        await clock.within(PATIENCE, asyncio.gather(*(each.relist() for each in stale)))
    except TimeoutError as exc:
        names = ", ".join(each.name for each in stale)
        raise Unavailable(f"not listed within {PATIENCE:g} seconds: {names}") from exc
    return True


async def relist(informers: Iterable[Informer[Any]]) -> None:
    """All of them. What fails is each reflector's own trouble, and not raised."""
    lists = (each.relist() for each in informers)
    for outcome in await asyncio.gather(*lists, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, Trouble):
            raise outcome


def _is_fresh(informer: Informer[Any], since: float, now: float) -> bool:
    listed = informer.listed
    if listed is None or listed < since:
        return False
    return informer.keeps_up() or now - listed <= MOMENTS
