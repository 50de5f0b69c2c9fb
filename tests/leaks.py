"""What a test may not leave behind: running tasks and open aiohttp sessions."""

import asyncio
from typing import Any
from weakref import WeakSet

import aiohttp

# A closed connection's task ends a few turns of the loop later: those are not leaks.
_TURNS = 10


async def left_tasks(before: set[asyncio.Task[object]]) -> list[str]:
    """Names and coroutines of the tasks that run and did not run before."""
    own = asyncio.current_task()
    left: set[asyncio.Task[object]] = set()
    for _ in range(_TURNS):
        left = asyncio.all_tasks() - before - {own}
        if not left:
            break
        await asyncio.sleep(0)
    return sorted(f"{task.get_name()}: {task.get_coro()}" for task in left)


_made: "WeakSet[aiohttp.ClientSession]" = WeakSet()
_told: "WeakSet[aiohttp.ClientSession]" = WeakSet()
_init = aiohttp.ClientSession.__init__


def _remembered(self: aiohttp.ClientSession, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    _made.add(self)


# For whoever looks through all objects of the process needs a tenth of a second for it.
aiohttp.ClientSession.__init__ = _remembered  # type: ignore[method-assign]


def newly_open_sessions() -> list[str]:
    """The aiohttp sessions of the whole process that nobody closed, each told once: the test after
    the one that left it is not to blame.
    """
    found = [session for session in _made if not session.closed and session not in _told]
    _told.update(found)
    return [repr(session) for session in found]
