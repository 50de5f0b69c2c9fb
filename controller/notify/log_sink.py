"""Notices as lines of the log."""

from loguru import logger

from controller.domain.notice import Level, Notice

_LEVELS = {
    Level.INFO: "INFO",
    Level.SUCCESS: "INFO",
    Level.WARNING: "WARNING",
    Level.ERROR: "ERROR",
}


def facts(notice: Notice) -> dict[str, str]:
    """What is known of a notice beside its title and text, without what is empty."""
    known = {
        "deployment": notice.deployment,
        "target": notice.target,
        "network": notice.network,
        "sync_mode": notice.sync_mode,
        "run": notice.run,
        "build": notice.build,
        "image": notice.image,
        "phase_before": str(notice.phase_before or ""),
        "phase": str(notice.phase or ""),
        "reason": notice.reason,
    }
    return {name: value for name, value in known.items() if value}


class LogSink:
    """One line a notice."""

    async def tell(self, notice: Notice) -> None:
        told = {"notice": notice.id, "at": notice.at.isoformat(), "text": notice.text}
        logger.bind(**(facts(notice) | told)).log(_LEVELS[notice.level], notice.title)
