"""A controller's loop: keys noted on changes, worked on one after another, soon but not at once."""

import asyncio
from collections.abc import Callable

from loguru import logger

from controller.base.tasks import stop_all
from controller.simulator.apiserver.statuses import StatusError


class KeyLoop:
    """Calls `sync` for every noted key, once however often it was noted."""

    def __init__(self, name: str, sync: Callable[[tuple[str, str]], None]) -> None:
        self._name = name
        self._sync = sync
        self._keys: dict[tuple[str, str], None] = {}
        self._noted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        if self._task is not None:
            await stop_all([self._task])

    def note(self, namespace: str, name: str) -> None:
        self._keys[namespace, name] = None
        self._noted.set()

    async def _run(self) -> None:
        while True:
            await self._noted.wait()
            self._noted.clear()
            keys, self._keys = self._keys, {}
            for key in keys:
                try:
                    self._sync(key)
                except StatusError as error:
                    # The object changed under our hands: the change has noted the key again.
                    logger.bind(loop=self._name, error=str(error)).debug(
                        "a simulated controller was refused"
                    )
                except Exception:  # noqa: BLE001 a mistake of ours must not look like a slow cluster
                    logger.bind(loop=self._name, key="/".join(key)).exception(
                        "a simulated controller has failed by our own mistake"
                    )
