"""Builds: what a tag points to, told apart from what runs."""

from dataclasses import dataclass

Build = str  # digest of the platform manifest: the identity of what runs, and what is pinned


def short(build: Build) -> str:
    """A build as people compare it in a sentence: algorithm and twelve digits."""
    algorithm, _, digits = build.partition(":")
    return f"{algorithm}:{digits[:12]}" if digits else build


def same_commit(one: str, other: str) -> bool:
    """Whether two commits are the same, either of which may be abbreviated."""
    length = min(len(one), len(other))
    return length >= 7 and one[:length].lower() == other[:length].lower()


@dataclass(frozen=True)
class Platform:
    """The platform whose manifest is the build; `linux/amd64` unless the pod says otherwise."""

    os: str = "linux"  # in Go's words, as registries write them
    arch: str = "amd64"

    def __str__(self) -> str:
        return f"{self.os}/{self.arch}"


@dataclass(frozen=True)
class Resolution:
    """What a tag (or a digest) stands for."""

    digest: str  # what it pointed to, an index or a manifest
    build: Build  # the platform manifest behind it: `digest` where there is no index [67, 85]


@dataclass(frozen=True)
class Quota:
    """What a registry says is left of its pull limit [76]."""

    limit: int  # pulls in a window
    remaining: int  # pulls
    window: int  # seconds
    source: str = ""  # whose limit it is, an address or a user; empty where it does not say
