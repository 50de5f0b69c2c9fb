"""What an image's configuration and the names of its tags tell of a build. No I/O.

A label can be one of the base image, which the build took over. So a commit is told only where
nothing contradicts it: the machine compares it with what the node says.
"""

import re
from collections.abc import Callable, Iterable
from operator import eq

import msgspec

from controller.base.errors import Garbled, Refused
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.build import Platform, same_commit
from controller.domain.evidence import BuildFacts

LONGEST = 1 << 20  # bytes of a configuration: a few KB, and more only by labels and history

_VERSION = "org.opencontainers.image.version"
_REVISION = "org.opencontainers.image.revision"

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
# A tag that is a commit: eight digits by avalanchego's scripts, more by hand [84]. Not one of
# decimal digits alone: it is more likely a date, or the number of a CI run, and the price is one
# commit in forty.
_COMMIT_TAG = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{8,40}")
_RELEASE_TAG = re.compile(r"v\d+\.\d+\.\d+(?:-[0-9a-z.]+)?", re.ASCII)
_RACE = "-r"  # ends the tags of a build with the race detector [84]


class _Run(msgspec.Struct):
    # as they were written: of any type; None where there are none
    labels: dict[str, object] | None = msgspec.field(default=None, name="Labels")


class _Config(msgspec.Struct):
    config: _Run | None = None  # None where an image says nothing of how it runs
    os: str | None = None  # words of Go, as in an index
    architecture: str | None = None


def parse_config(body: bytes) -> BuildFacts:
    """What the configuration of an image says of it; a label that is not what it should be is told
    in `unread`. Raises Garbled for what is no configuration.
    """
    document = _decode(body)
    labels = (document.config and document.config.labels) or {}
    unread: list[str] = []
    commit = _text(labels.get(_REVISION)).lower()
    if commit and not _COMMIT.fullmatch(commit):
        unread.append(f"label {_REVISION} is no commit: '{shown(commit, 60)}'")
        commit = ""
    return BuildFacts(
        version=shown(_text(labels.get(_VERSION)), 64),
        commit=commit,
        unread=tuple(unread),
    )


def check_platform(body: bytes, platform: Platform) -> None:
    """Raises Refused where the configuration is of an image for another platform, Garbled for what
    is no configuration.
    """
    document = _decode(body)
    found = Platform(document.os or "linux", document.architecture or "unknown")
    if found != platform:
        raise Refused(f"its index has no image for {platform}; it has {shown(found)}")


def described(image: BuildFacts, tag: str, names: Iterable[str]) -> BuildFacts:
    """The facts of a build. image: what its configuration says. tag: the one that was followed,
    empty if there is none. names: of tags that point to the build; not all need to be known.

    A label comes before the tag that was followed, and that before other names. Where a label and
    the followed tag are of two commits, or other names do not agree, none is told, and `unread`
    says why.
    """
    others = tuple(name for name in names if name != tag)
    unread = list(image.unread)
    version = image.version or release_in(tag)
    if not version:
        version = _agreed("version", map(release_in, others), eq, unread)
    tagged = commit_in(tag)
    if image.commit and tagged and not same_commit(image.commit, tagged):
        unread.append(
            f"which commit it is: label {_REVISION} says {image.commit}, and its tag {tagged}"
        )
        commit = ""
    else:
        commit = image.commit or tagged
        if not commit:
            commit = _agreed("commit", map(commit_in, others), same_commit, unread)
    return BuildFacts(version, commit, others, tuple(unread))


def commit_in(tag: str) -> str:
    """The commit that a tag names; empty for any other tag."""
    name = tag.removesuffix(_RACE)
    return name if _COMMIT_TAG.fullmatch(name) else ""


def release_in(tag: str) -> str:
    """The release that a tag names, such as `v1.14.0`; empty for any other tag."""
    name = tag.removesuffix(_RACE)
    return name if _RELEASE_TAG.fullmatch(name) else ""


def _decode(body: bytes) -> _Config:
    try:
        return msgspec.json.decode(body, type=_Config)
    except UNDECODABLE as error:
        raise Garbled("its configuration cannot be read") from error


def _agreed(
    what: str, found: Iterable[str], same: Callable[[str, str], bool], unread: list[str]
) -> str:
    """The one that all name, the longest form of it; empty where they do not agree."""
    told = sorted(filter(None, found), key=len, reverse=True)
    if all(same(told[0], other) for other in told[1:]):
        return told[0] if told else ""
    unread.append(f"which {what} it is: its tags name {shown(', '.join(told))}")
    return ""


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
