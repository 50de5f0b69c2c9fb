"""Whose CPU time it is where both sides of a connection live in one process."""

import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_theirs: ContextVar[bool] = ContextVar("theirs", default=False)


@contextmanager
def theirs() -> Iterator[None]:
    """What is begun here (servers, tasks, timers), and all that these begin, is the others'."""
    token = _theirs.set(True)
    try:
        yield
    finally:
        _theirs.reset(token)


class Sides:
    """Seconds of CPU that the callbacks of the loop have taken, by the context that each has from
    who began it. What the loop itself takes, and what it asks the kernel, is nobody's here.
    """

    def __init__(self) -> None:
        self.ours = 0.0
        self.theirs = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Callbacks that run meanwhile are counted."""
        plain = events.Handle._run

        def run(handle: Any) -> None:
            began = time.thread_time()
            plain(handle)
            took = time.thread_time() - began
            if handle._context.get(_theirs, False):
                self.theirs += took
            else:
                self.ours += took

        events.Handle._run = run  # type: ignore[method-assign]
        try:
            yield
        finally:
            events.Handle._run = plain  # type: ignore[method-assign]
