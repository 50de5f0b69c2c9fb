"""What a test may not leave behind: running tasks and open aiohttp sessions."""

import asyncio
import gc
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


_told: "WeakSet[aiohttp.ClientSession]" = WeakSet()


def newly_open_sessions() -> list[str]:
    """The aiohttp sessions of the whole process that nobody closed, each told once: the test after
    the one that left it is not to blame.
    """
    # by type, not by isinstance: that would wake the lazy proxies among all objects
    found = [
        item
        for item in gc.get_objects()
        if type(item) is aiohttp.ClientSession and not item.closed and item not in _told
    ]
    _told.update(found)
    return [repr(session) for session in found]
