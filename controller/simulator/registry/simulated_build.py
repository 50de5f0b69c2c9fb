"""Images as content: what a build is made of, and the documents that a registry keeps of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from controller.domain.build import Platform
from controller.simulator.node.planned_behaviour import Plan

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_IN_TOTO = "application/vnd.in-toto+json"

BOTH = (
    Platform("linux", "amd64"),
    Platform("linux", "arm64"),
)  # what avalanchego is pushed for [84]


class Shape(Enum):
    """How a tag is kept: an OCI index, Docker's manifest list, or one manifest of the first
    platform and no index.
    """

    INDEX = "index"
    LIST = "list"
    SINGLE = "single"


def digest_of(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


@dataclass(frozen=True)
class Blob:
    """Bytes under their digest."""

    media_type: str
    raw: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.raw)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        kind = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}
        return kind | more


@dataclass(frozen=True)
class SimulatedBuild:
    """What is compiled from one commit, and how it behaves when it is run.

    Equal builds have equal platform manifests, so the digests follow from the value alone.
    """

    version: str = "1.14.0"  # what the node says of itself, as the commit
    commit: str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
    plan: Plan = field(default_factory=Plan)
    platforms: tuple[Platform, ...] = BOTH
    # What the image's configuration says, whatever the node does; none to begin with, as
    # avalanchego's images have no labels [83].
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    created: str = ""  # likewise, RFC 3339; empty: it does not say
    wrong_architecture: bool = False  # its binary is not for the machine that its manifest names
    no_program: bool = False  # the node's own is not in it, or has no right to run

    @property
    def binary(self) -> str:
        """Hash of the avalanchego binary: the commit's alone, whatever image it is packed in."""
        return hashlib.sha256(self.commit.encode()).hexdigest()

    def digest(self, platform: Platform = BOTH[0], shape: Shape = Shape.INDEX) -> str:
        """The build in the design's sense: the digest of that platform's manifest."""
        manifest, _ = self.manifest(platform, shape)
        return manifest.digest

    def manifest(self, platform: Platform, shape: Shape) -> tuple[Blob, Blob]:
        """The platform's manifest and its configuration blob."""
        docker = shape is Shape.LIST
        content = f"{self.version} {self.commit} {self.plan!r} {platform} {self.wrong_architecture}"
        content += " no program" if self.no_program else ""
        layer = digest_of(content.encode())
        config = _json_blob(DOCKER_CONFIG if docker else CONFIG, self._config(platform, layer))
        kind = DOCKER_MANIFEST if docker else OCI_MANIFEST
        document = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": config.descriptor(),
            "layers": [{"mediaType": _LAYER, "digest": layer, "size": 64 << 20}],
        }
        return _json_blob(kind, document), config

    def _config(self, platform: Platform, layer: str) -> dict[str, Any]:
        run: dict[str, Any] = {"Cmd": ["./avalanchego"], "WorkingDir": "/avalanchego/build"}
        if self.labels:
            run["Labels"] = dict(sorted(self.labels.items()))
        document = {
            "architecture": platform.arch,
            "os": platform.os,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [layer]},
        }
        return document | ({"created": self.created} if self.created else {})

    def documents(self, shape: Shape, serial: int) -> Iterator[Blob]:
        """Everything that a push of this build stores; what the tag points to comes last.

        serial: the attestations' own content, so that pushing the same build again gives a new
        index over the same platform manifests [85].
        """
        entries = []
        for platform in self.platforms:
            manifest, config = self.manifest(platform, shape)
            yield config
            yield manifest
            entries.append(
                manifest.descriptor(platform={"architecture": platform.arch, "os": platform.os})
            )
            if shape is Shape.SINGLE:
                return
        if shape is Shape.LIST:
            yield _json_blob(
                DOCKER_LIST, {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries}
            )
            return
        for entry in list(entries):
            attestation = _attestation(entry["digest"], serial)
            yield attestation
            entries.append(
                attestation.descriptor(
                    platform={"architecture": "unknown", "os": "unknown"},
                    annotations={
                        "vnd.docker.reference.digest": entry["digest"],
                        "vnd.docker.reference.type": "attestation-manifest",
                    },
                )
            )
        yield _json_blob(
            OCI_INDEX, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        )


def _attestation(subject: str, serial: int) -> Blob:
    statement = digest_of(f"{subject} built {serial}".encode())
    layer = {"mediaType": _IN_TOTO, "digest": statement, "size": 1024}
    config = {"mediaType": CONFIG, "digest": digest_of(b"{}"), "size": 2}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    return _json_blob(OCI_MANIFEST, document)


def _json_blob(media_type: str, document: dict[str, Any]) -> Blob:
    return Blob(media_type, orjson.dumps(document, option=orjson.OPT_INDENT_2))
