"""What a registry keeps: blobs by digest, tags, and how each content behaves when it is run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from controller.base.clock import Clock
from controller.domain.build import Platform
from controller.simulator.registry.simulated_build import (
    BOTH,
    OCI_INDEX,
    Blob,
    Shape,
    SimulatedBuild,
)


@dataclass(frozen=True)
class Tag:
    name: str
    digest: str  # what it points to
    pushed: datetime  # when it was moved last


@dataclass(frozen=True)
class Entry:
    """What an index says of a manifest."""

    platform: Platform  # `unknown/unknown` for attestations [85]
    digest: str
    size: int  # bytes


class Catalogue:
    """Contents and tags of all repositories. `_changed` is called after every change."""

    def __init__(self, clock: Clock) -> None:
        self._blobs: dict[str, Blob] = {}
        self._clock = clock
        self._tags: dict[tuple[str, str], Tag] = {}  # in the order of the pushes
        self._contents: dict[str, set[str]] = {}
        self._builds: dict[str, SimulatedBuild] = {}
        self._children: dict[str, dict[Platform, str]] = {}
        self._serial = 0

    def _changed(self) -> None:
        pass

    def push(
        self, repository: str, tag: str, build: SimulatedBuild, shape: Shape = Shape.INDEX
    ) -> str:
        """Stores the build and moves the tag; returns what the tag points to now.

        repository: path, such as `avaplatform/avalanchego`. Every push has attestations of its own,
        so the index is new even where the build is not.
        """
        self._serial += 1
        digest = ""
        for blob in build.documents(shape, self._serial):
            self._blobs[blob.digest] = blob
            self._contents.setdefault(repository, set()).add(blob.digest)
            digest = blob.digest
        platforms = build.platforms[:1] if shape is Shape.SINGLE else build.platforms
        manifests = {platform: build.digest(platform, shape) for platform in platforms}
        self._builds |= dict.fromkeys([digest, *manifests.values()], build)
        if shape is not Shape.SINGLE:
            self._children[digest] = manifests
        self._tags.pop((repository, tag), None)
        self._tags[repository, tag] = Tag(tag, digest, self._clock.now())
        self._changed()
        return digest

    def repush(self, repository: str, tag: str) -> str:
        """The same build built again: a new index over the same platform manifests [85]."""
        digest = self._tags[repository, tag].digest
        is_index = self._blobs[digest].media_type == OCI_INDEX
        if not is_index:
            raise ValueError("only an index has attestations to make anew")
        return self.push(repository, tag, self._builds[digest])

    def untag(self, repository: str, tag: str) -> None:
        """The tag is gone; its contents can still be had by digest."""
        del self._tags[repository, tag]
        self._changed()

    def resolve(self, repository: str, reference: str) -> str | None:
        """The digest that a tag or a digest stands for."""
        if reference in self._contents.get(repository, ()):
            return reference
        tag = self._tags.get((repository, reference))
        return tag.digest if tag else None

    def tags(self, repository: str) -> list[Tag]:
        """Newest push first."""
        return [tag for (name, _), tag in reversed(self._tags.items()) if name == repository]

    def entries(self, digest: str) -> Iterator[Entry]:
        """The manifests behind what a tag points to: an index's, or the manifest itself."""
        blob = self._blobs[digest]
        if digest not in self._children:
            yield Entry(self._builds[digest].platforms[0], digest, len(blob.raw))
            return
        for entry in orjson.loads(blob.raw)["manifests"]:
            platform = Platform(entry["platform"]["os"], entry["platform"]["architecture"])
            yield Entry(platform, entry["digest"], entry["size"])

    def build_of(self, digest: str) -> SimulatedBuild | None:
        """What runs when an index or a manifest of this digest is pulled."""
        return self._builds.get(digest)

    def platform_digest(self, digest: str, platform: Platform = BOTH[0]) -> str | None:
        """The platform manifest behind an index; a manifest stands for itself."""
        if digest in self._children:
            return self._children[digest].get(platform)
        return digest if digest in self._builds else None
