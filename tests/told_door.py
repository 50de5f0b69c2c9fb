"""What doors to a node have in common that are played."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self


class ToldDoor:
    """`fetch` is the matter of whoever has it as a base. No connection is there to be kept."""

    @asynccontextmanager
    async def for_one_look(self) -> AsyncIterator[Self]:
        yield self
