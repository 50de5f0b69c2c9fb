"""What a Deployment's owner must hear and its record cannot carry: a record that does not parse, a
write that our rights do not allow.
"""

from collections.abc import Awaitable, Callable

from controller.base.clock import Clock
from controller.base.said_once import SaidOnce
from controller.base.text import shown
from controller.domain.notice import Level, Notice
from controller.domain.objects import Deployment


class UnrecordedNotices:
    """Each is told once while it stands, and once when it is over. Nothing is remembered over a
    restart: what still stands then is told again, by the same id while nothing else was written.
    """

    def __init__(self, tell: Callable[[Notice], Awaitable[None]], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._standing = SaidOnce[tuple[str, str]]()  # by key of a Deployment: reason and sentence

    async def begin(self, deployment: Deployment, reason: str, sentence: str) -> None:
        if self._standing.begin(deployment.metadata.key, (reason, sentence)):
            await self._tell(self._notice(deployment, reason, sentence, Level.WARNING))

    async def end(self, deployment: Deployment) -> None:
        if said := self._standing.end(deployment.metadata.key):
            reason, sentence = said
            text = f"it is mended: {sentence}"
            await self._tell(self._notice(deployment, f"{reason}Ended", text, Level.SUCCESS))

    def forget(self, key: str) -> None:
        self._standing.end(key)

    def _notice(self, deployment: Deployment, reason: str, text: str, level: Level) -> Notice:
        meta = deployment.metadata
        return Notice(
            id=f"{meta.namespace}.{meta.name}.{reason.lower()}.{meta.generation}",
            at=self._clock.now(),
            level=level,
            title=f"{meta.key}: {reason}",
            text=shown(text, 1000),
            reason=reason,
            deployment=meta.key,
            uid=meta.uid,
        )
