"""How the demo looks: on a terminal a table that lives, with the story over it; elsewhere the story
and a line for each change.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from shutil import get_terminal_size
from textwrap import wrap

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from controller.base.clock import Clock
from controller.cli.room import fitting, wrapped
from controller.cli.status_table import table_lines, version_of
from controller.views.deployment import DeploymentView

FRAME = 0.25  # seconds between two pictures
_STORY = 3  # sentences over the table


class Screen:
    """views: those of now, each time anew."""

    def __init__(
        self, views: Callable[[], list[DeploymentView]], out: Console, clock: Clock
    ) -> None:
        self.live = out.is_terminal
        self.out = out
        self._views = views
        self._clock = clock
        self._said: list[str] = []
        self._shown: dict[str, tuple[str, ...]] = {}

    @property
    def width(self) -> int:
        return self.out.width if self.live else get_terminal_size().columns

    def say(self, sentence: str) -> None:
        self._said.append(sentence)
        if not self.live:
            print("\n" + "\n".join(_starred(sentence, self.width)), flush=True)

    def picture(self) -> Group:
        """As high as the screen at most: sentences of the table are shortened for it."""
        width, views = self.width, self._views()
        story = [line for said in self._said[-_STORY:] for line in _starred(said, width)]
        room = self.out.height - len(story) - 3  # a blank line, the heading, and the cursor's
        views = fitting(views, width, room)
        now = self._clock.now().timestamp()
        table = table_lines(views, now, width, wide=False)
        return Group(*(Text(line, style="bold") for line in story), Text(), *table)

    def changes(self) -> None:
        """Prints what is new since the last time."""
        for view in self._views():
            name = view.deployment.partition("/")[2]
            subject = view.run or view.last
            version = version_of(subject) if subject else view.tag
            news = (view.phase, version, view.message)
            if not view.phase or self._shown.get(name) == news:
                continue
            self._shown[name] = news
            print(f"  {name:<18} {view.phase:<14} {version}")
            print("\n".join(wrapped(view.message, self.width)), flush=True)


@contextlib.asynccontextmanager
async def drawing(screen: Screen, clock: Clock) -> AsyncIterator[None]:
    """Draws while the block runs, and once more at its end."""

    async def lines() -> None:
        while True:
            screen.changes()
            await clock.sleep(FRAME)

    async def frames(live: Live) -> None:
        while True:
            live.update(screen.picture(), refresh=True)
            await clock.sleep(FRAME)

    live = Live(console=screen.out, auto_refresh=False) if screen.live else None
    with live or contextlib.nullcontext():
        task = asyncio.create_task(frames(live) if live else lines(), name="drawing")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if live:
                live.update(screen.picture(), refresh=True)
            else:
                screen.changes()


def _starred(sentence: str, width: int) -> list[str]:
    return wrap(sentence, max(20, width), initial_indent="* ", subsequent_indent="  ")
