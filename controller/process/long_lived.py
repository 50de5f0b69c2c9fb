"""What lives long is looked through by Python's cycle collector once, and not again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from controller.base.clock import Clock

# Seconds. A cycle that was in use at one collection and is dropped later waits so long: what was in
# hand at that moment, some requests and their tasks.
_ALL_AFTER = 86_400.0
# Objects made, collections of the first generation, and of the second, before one of the next: a
# full one looks at some 8,000 objects so. With Python's own ten at last it looked at 70,000 where
# many Deployments change.
_THRESHOLDS = (700, 10, 0)
_OLDEST = 2  # the generation whose collection is a full one


@contextmanager
def left_alone(clock: Clock) -> Iterator[None]:
    """Modules, adapters, caches and records are not looked through for cycles that are not there.
    With 10,000 Deployments that held the loop for half a second each time, again and again in a
    storm (`tox -e bench -- --only storm`).

    What outlives a full collection is frozen then, and the next looks at what has come since. What
    is replaced is freed all the same: cycles alone need the collector. Once a day it looks at all,
    and after the end.
    """
    thawed = clock.monotonic()

    def hear(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        nonlocal thawed
        if info["generation"] != _OLDEST:
            return
        if phase == "stop":
            gc.freeze()
        elif clock.monotonic() - thawed >= _ALL_AFTER:
            thawed = clock.monotonic()
            gc.unfreeze()

    thresholds = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(hear)
    gc.freeze()
    try:
        yield
    finally:
        gc.callbacks.remove(hear)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
