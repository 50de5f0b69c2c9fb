"""What a row of the benchmark measured, and what it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

import msgspec


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    quick: bool = False  # only whether the benchmark works: its figures mean nothing
    redis: str = ""  # URL of a real redis-server that may be emptied; empty: none is installed

    def pick(self, whole: int, quick: int) -> int:
        return quick if self.quick else whole


@dataclass(frozen=True)
class Goal:
    """What the figure is to reach."""

    side: Literal["at most", "at least"]
    value: float
    why: str = ""  # where it is no plain number, such as `three times lightkube`

    def met_by(self, value: float) -> bool:
        return value <= self.value if self.side == "at most" else value >= self.value


def at_most(value: float, why: str = "") -> Goal:
    return Goal("at most", value, why)


def at_least(value: float, why: str = "") -> Goal:
    return Goal("at least", value, why)


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str  # in words, such as `events a second through the whole informer`
    value: float  # the median of its rounds
    unit: str  # such as `ms`, `KB`, `% of a core`; empty for a plain number
    goal: Goal | None = None  # None: it is stated, and held against nothing
    # others, measured in the same run, in the same unit: name to median
    beside: Mapping[str, float] = field(default_factory=dict)
    rounds: tuple[float, ...] = ()  # all that were measured; empty where it was one
    note: str = ""  # what a reader must know to read it right

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        return None if self.goal is None else self.goal.met_by(self.value)


def of_rounds(
    what: str,
    rounds: Sequence[float],
    unit: str,
    goal: Goal | None = None,
    beside: Mapping[str, float] | None = None,
    note: str = "",
) -> Figure:
    """rounds: one value each, of which the median counts."""
    return Figure(what, median(rounds), unit, goal, beside or {}, tuple(rounds), note)


@dataclass(frozen=True)
class Row:
    """What one measurement found."""

    name: str
    figures: tuple[Figure, ...]
    seconds: float  # that measuring took
    failed: str = ""  # why there are no figures, in a sentence


@dataclass(frozen=True)
class Report:
    """One run of the benchmark."""

    machine: Mapping[str, str]
    quick: bool
    rows: tuple[Row, ...]


def encode(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(raw: bytes) -> Report:
    return msgspec.json.decode(raw, type=Report)
