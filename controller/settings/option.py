"""Option: one thing that a person may set, by a flag or by an environment variable, and how what is
set is read. Which options there are stands in `controller.settings.options`.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
# Raises ValueError with the remedy: what to write instead.
Parse = Callable[[str], T]


@dataclass(frozen=True)
class Option(Generic[T]):
    """One that may be left out: then there is no value."""

    flag: str  # as typed: `--poll-interval`
    variable: str  # of the environment; empty: there is none
    parse: Parse[T]  # of the text that was given; a list's parts come joined by commas
    meaning: str  # for the documentation and --help
    _: KW_ONLY
    metavar: str = ""  # what stands for its value in --help; empty: a switch, which takes none
    short: str = ""  # its other spelling, `-n`; empty: there is none
    repeatable: bool = False  # the flag may be given more than once
    secret: bool = False  # its value is never repeated in a fault

    @property
    def key(self) -> str:
        """Its name among the flags given: `poll_interval`."""
        return self.flag.lstrip("-").replace("-", "_")

    @property
    def title(self) -> str:
        """How a fault names it: both spellings, whichever was used."""
        return f"{self.flag} ({self.variable})" if self.variable else self.flag

    @property
    def shown_default(self) -> str:
        """As it would be written; empty if there is none."""
        return ""


@dataclass(frozen=True)
class Defaulted(Option[T]):
    """One that always has a value."""

    _: KW_ONLY
    default: str  # as it would be written, and read by the same parser

    @property
    def shown_default(self) -> str:
        return self.default
