"""Who wants a list now: what a reflector does meanwhile is left for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from controller.base.errors import Trouble, Unavailable


class AskedLists:
    """Those who wait for a list that is begun after they asked."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._asked = asyncio.Event()

    async def ask(self) -> None:
        """Returns when such a list is in the replica. Raises what that list raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._asked.set()
        await done

    async def answer(self, listing: Coroutine[Any, Any, None]) -> None:
        """Runs one list, for all who have asked until now."""
        waiting, self._waiting = self._waiting, []
        self._asked.clear()
        why: Trouble = Unavailable("the list was given up")
        try:
            await listing
        except Trouble as trouble:
            why = trouble
            raise
        else:
            for done in waiting:
                if not done.done():
                    done.set_result(None)
        finally:
            for done in waiting:
                if not done.done():
                    done.set_exception(why)

    async def unless_asked(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it to its end, or until somebody asks."""
        task, asked = asyncio.create_task(work), asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            asked.cancel()
            await asyncio.gather(task, asked, return_exceptions=True)
