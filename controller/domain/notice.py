"""What people are told: transitions, and conditions that begin and end."""

from dataclasses import dataclass
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
    """One thing that people are told. Empty is what is of no Deployment (a registry), or no run."""

    # Unique and stable, so that a sink that is given it twice can tell: letters, digits, `-`, `.`
    id: str
    at: datetime  # when it happened, not when it is told
    level: Level
    title: str  # constant words and names
    text: str  # one or more sentences, fit to be shown
    reason: str
    deployment: str = ""  # `namespace/name`
    uid: str = ""  # of the Deployment
    target: str = ""  # slug
    network: str = ""  # of the target
    sync_mode: str = ""  # of the target
    run: str = ""  # id
    build: str = ""
    image: str = ""  # the pin
    phase_before: Phase | None = None  # None for what is no transition
    phase: Phase | None = None  # None for what is of no Deployment
    quiet: bool = False  # said for many at once: only log and Kubernetes Event say it for each


class Sink(Protocol):
    """One place where notices go. Never waits for long; what it raises is a mistake of ours."""

    async def tell(self, notice: Notice) -> None: ...
