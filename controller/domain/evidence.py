"""What is known beside a run's own record: where it ran, what its build says of itself, and what
was read of it when it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """Where a pod runs; empty where that is not set, or may not be read."""

    node: str = ""  # name of the machine
    instance_type: str = ""  # of the machine's labels
    zone: str = ""  # of the machine's labels
    storage_class: str = ""  # of the claim that holds the data
    unread: tuple[str, ...] = ()  # a sentence for each thing that could not be read, and why


@dataclass(frozen=True)
class BuildFacts:
    """What a registry tells of a build; empty where it tells nothing. Version and commit are of the
    image's labels `org.opencontainers.image.version` and `.revision`, or of a tag that is one
    [83, 84].
    """

    version: str = ""
    commit: str = ""
    tags: tuple[str, ...] = ()  # others that point to the same build, as far as it tells
    unread: tuple[str, ...] = ()  # a sentence for each thing that could not be had, and why


@dataclass(frozen=True)
class PodEvent:
    """A Kubernetes Event about a pod."""

    at: datetime | None  # when it was last seen; None where it does not say
    type: str  # `Normal` or `Warning`
    reason: str
    message: str
    count: int = 1  # how often it was seen
    source: str = ""  # component that reported it; empty where it does not say


MISSING_RIGHT = "missing right:"  # how `Read.unread` begins where nobody has granted it


@dataclass(frozen=True)
class Read:
    """A text that was read, or why it could not be."""

    text: str = ""
    unread: str = ""  # why it could not be read; empty where it was
    cut: bool = False  # only its end is here


@dataclass(frozen=True)
class Bundle:
    """The evidence of a run."""

    parts: Mapping[str, bytes] = field(default_factory=dict)  # by name; redacted and bounded
