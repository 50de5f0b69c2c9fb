"""Notices as lines of the log."""

from loguru import logger

from controller.domain.notice import Level, Notice

# Of a notice's fields, those that are told as facts
FACTS = (
    "deployment", "target", "network", "sync_mode", "run", "build", "image", "phase_before",
    "phase", "reason",
)  # fmt: skip
_LEVELS = {
    Level.INFO: "INFO",
    Level.SUCCESS: "INFO",
    Level.WARNING: "WARNING",
    Level.ERROR: "ERROR",
}


def facts(notice: Notice) -> dict[str, str]:
    """What is known of a notice beside its title and text, without what is empty."""
    known = {name: str(getattr(notice, name) or "") for name in FACTS}
    return {name: value for name, value in known.items() if value}


class LogSink:
    """One line a notice."""

    async def tell(self, notice: Notice) -> None:
        told = {"notice": notice.id, "at": notice.at.isoformat(), "text": notice.text}
        logger.bind(**(facts(notice) | told)).log(_LEVELS[notice.level], notice.title)
