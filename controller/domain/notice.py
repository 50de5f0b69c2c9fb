"""What people are told: transitions, and conditions that begin and end."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from controller.domain.run import Phase


class Level(StrEnum):
    """How a notice is shown; the words of Datadog's alert types."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Notice:
    """One thing that people are told.

    id: unique and stable, so that a sink that is given it twice can tell; letters, digits, `-` and
    `.`. deployment: `namespace/name`, or empty for what concerns no single one (a registry).
    uid: of that Deployment. at: when it happened, not when it is told. title: constant words and
    names. text: one or more sentences, fit to be shown. run, target, network, sync_mode, build,
    image: empty where there are none. phase_before: None for what is no transition.
    quiet: said for many Deployments at once, so only log and Kubernetes Event say it for each.
    """

    id: str
    at: datetime
    level: Level
    title: str
    text: str
    reason: str
    deployment: str = ""
    uid: str = ""
    target: str = ""
    network: str = ""
    sync_mode: str = ""
    run: str = ""
    build: str = ""
    image: str = ""
    phase_before: Phase | None = None
    phase: Phase | None = None
    quiet: bool = False
    details: dict[str, str] = field(default_factory=dict)


class Sink(Protocol):
    """One place where notices go. Never waits for long; what it raises is a mistake of ours."""

    async def tell(self, notice: Notice) -> None: ...
