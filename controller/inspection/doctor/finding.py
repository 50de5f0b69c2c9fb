"""What a check of `doctor` found, and how much time one may take."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from controller.base.clock import Clock
from controller.base.errors import BootstrapError
from controller.base.text import shown
from store.api import StoreError

CHECK_SECONDS = 15.0  # for one check; a person is waiting


class Level(StrEnum):
    """How much a finding matters."""

    GREEN = "green"  # as it should be
    YELLOW = "yellow"  # it works, and less is told or safe than could be; or it cannot be told
    RED = "red"  # something will not work until a person changes it


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`."""

    check: str  # what was looked at: `cluster`, `rights`, `registry` …
    about: str  # the one that it is about: a namespace, a Deployment, a tag; empty where it is one
    level: Level
    found: str  # what is so, in one sentence
    todo: str = ""  # what to do about it; empty where nothing is to be done

    def as_dict(self) -> dict[str, str]:
        return {
            "check": self.check,
            "about": self.about,
            "level": str(self.level),
            "found": shown(self.found, 1000),
            "todo": shown(self.todo, 1000),
        }


@dataclass(frozen=True)
class Topic:
    """What a check is called, and makes its findings."""

    check: str
    about: str = ""

    def green(self, found: str) -> Finding:
        return Finding(self.check, self.about, Level.GREEN, found)

    def yellow(self, found: str, todo: str = "") -> Finding:
        return Finding(self.check, self.about, Level.YELLOW, found, todo)

    def red(self, found: str, todo: str) -> Finding:
        return Finding(self.check, self.about, Level.RED, found, todo)


async def within_time(
    clock: Clock, topic: Topic, todo: str, check: Callable[[], Awaitable[list[Finding]]]
) -> list[Finding]:
    """What the check found; one that fails or takes too long is red by itself and stops no other.

    todo: what to do where it fails.
    """
    try:
        return await clock.within(CHECK_SECONDS, check())
    except TimeoutError:
        return [topic.red(f"no answer within {CHECK_SECONDS:g} seconds", todo)]
    except (BootstrapError, StoreError, OSError, ValueError) as error:
        return [topic.red(shown(error, 400), todo)]
