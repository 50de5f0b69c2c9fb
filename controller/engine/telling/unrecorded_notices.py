"""What a Deployment's owner must hear and its record cannot carry: a record that does not parse, a
write that is not taken.
"""

from collections.abc import Awaitable, Callable

from controller.base.clock import Clock
from controller.base.text import shown, without_figures
from controller.domain.notice import Level, Notice
from controller.domain.objects import Deployment

MOST_CAUSES = 8  # told of one Deployment before all is well again; more is one that changes always


class UnrecordedNotices:
    """Each cause is told once while anything stands, however often it comes and goes, and once when
    all is over. Nothing is remembered over a restart: what still stands then is told again, by the
    same id while nothing else was written.
    """

    def __init__(self, tell: Callable[[Notice], Awaitable[None]], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        # By key of a Deployment: (reason, sentence) by the sentence without its figures
        self._standing: dict[str, dict[str, tuple[str, str]]] = {}

    async def begin(self, deployment: Deployment, reason: str, sentence: str) -> None:
        standing = self._standing.setdefault(deployment.metadata.key, {})
        alike = without_figures(f"{reason} {sentence}")
        if alike not in standing and len(standing) < MOST_CAUSES:
            standing[alike] = reason, sentence
            await self._tell(self._notice(deployment, reason, sentence, Level.WARNING))

    async def end(self, deployment: Deployment) -> None:
        over = dict(self._standing.pop(deployment.metadata.key, {}).values())
        for reason, sentence in over.items():
            text = f"it is mended: {sentence}"
            await self._tell(self._notice(deployment, f"{reason}Ended", text, Level.SUCCESS))

    def forget(self, key: str) -> None:
        self._standing.pop(key, None)

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
