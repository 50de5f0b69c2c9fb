"""What is known beside a run's own record: where it ran, what its build says of itself, and what
was read of it when it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """Where a pod runs. node: name of the machine. instance_type, zone: of its labels; empty where
    they are not set, or may not be read. storage_class: of the claim that holds the data.
    unread: a sentence for each thing that could not be read, and why.
    """

    node: str = ""
    instance_type: str = ""
    zone: str = ""
    storage_class: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuildFacts:
    """What a registry tells of a build. version, commit: of the image's labels
    `org.opencontainers.image.version` and `.revision`, or of a tag that is a commit [83, 84];
    empty where there are none. tags: others that point to the same build, as
    far as the registry tells. unread: why something could not be had.
    """

    version: str = ""
    commit: str = ""
    tags: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodEvent:
    """A Kubernetes Event about a pod. at: when it was last seen; count: how often."""

    at: datetime | None
    type: str
    reason: str
    message: str
    count: int = 1
    source: str = ""


@dataclass(frozen=True)
class Read:
    """A text that was read, or why it could not be. cut: only its end is here."""

    text: str = ""
    unread: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Bundle:
    """The evidence of a run: name of each part to its bytes, redacted and bounded."""

    parts: Mapping[str, bytes] = field(default_factory=dict)
