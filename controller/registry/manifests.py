"""Manifests and indexes: which build stands behind a digest. No I/O."""

import hashlib

import msgspec

from controller.base.errors import Garbled, Refused
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.build import Build, Platform
from controller.domain.reference import ReferenceFault, check_digest

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# The one list for HEAD and GET. With fewer, a registry converts the index for old clients, and
# answers with the digest of something else, or with 404 [72].
ACCEPT = ", ".join(_INDEXES + _MANIFESTS)

_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)

LONGEST = 4 << 20  # bytes of a manifest: what registries take at most

_ATTESTATION = (
    "vnd.docker.reference.type"  # annotation of what buildx adds beside the platforms [85]
)
# What no variant means: the runtimes normalise these away.
_USUAL_VARIANT = {"amd64": "v1", "arm64": "v8", "arm": "v7"}


class _PlatformEntry(msgspec.Struct):
    """Words of Go, such as `linux` and `arm64`; empty where the index does not say."""

    os: str = ""
    architecture: str = ""
    variant: str = ""  # such as `v8`


class _Descriptor(msgspec.Struct, rename="camel"):
    digest: str  # not looked at yet
    media_type: str = ""  # empty where it is not said
    platform: _PlatformEntry | None = None
    annotations: dict[str, str] | None = None


class Document(msgspec.Struct, rename="camel"):
    """A manifest, or an index."""

    schema_version: int
    media_type: str = ""  # empty where it is not said
    manifests: list[_Descriptor] | None = None  # of an index alone
    layers: list[object] | None = None  # of a manifest alone
    config: dict[str, object] | None = None  # of a manifest alone: the blob that describes it


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Of the raw bytes: JSON written anew would hash to something else [71].

    algorithm: one of those that `check_digest` takes.
    """
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def parse(body: bytes) -> Document:
    """A manifest or an index; anything else raises Garbled, or Refused where it is obsolete."""
    try:
        document = msgspec.json.decode(body, type=Document)
    except UNDECODABLE as error:
        raise Garbled("its answer is not a manifest") from error
    if document.schema_version == 1:
        raise Refused("its manifest has the obsolete schema 1: push the image again")
    is_index = document.manifests is not None
    is_manifest = document.layers is not None and document.config is not None
    if is_index == is_manifest or document.schema_version != 2:
        # Both at once is an attack: two clients would see two images in the same bytes.
        raise Garbled("its answer is neither a manifest nor an index")
    if document.media_type and document.media_type not in (_INDEXES if is_index else _MANIFESTS):
        raise Garbled(f"its manifest is of an unknown type, '{shown(document.media_type, 100)}'")
    return document


def build_of(document: Document, digest: str, platform: Platform) -> Build:
    """The digest of the platform manifest: `digest`, its own, where the document is a manifest.

    A lone manifest is taken for what the platform runs: its platform is written in the config
    blob alone, which is not fetched; a node that cannot run it says so. Raises Refused where an
    index has no manifest for the platform, Garbled where what it has is no digest.
    """
    if document.manifests is None:
        return digest
    chosen = _choose(document.manifests, platform)
    try:
        return check_digest(chosen.digest)
    except ReferenceFault as fault:
        raise Garbled(f"its index has an entry whose digest cannot be used: {fault}") from fault


def config_of(document: Document) -> str:
    """The digest of the configuration of an image. Raises Refused for what is no image, Garbled
    where what it names is no digest.
    """
    if document.config is None:
        raise Refused("it is an index, which has no configuration of its own")
    media_type = document.config.get("mediaType")
    if media_type not in _CONFIGS:
        raise Refused(f"its configuration is of an unknown type, '{shown(media_type, 100)}'")
    try:
        return check_digest(str(document.config.get("digest")))
    except ReferenceFault as fault:
        raise Garbled(f"its configuration's digest cannot be used: {fault}") from fault


def _choose(entries: list[_Descriptor], platform: Platform) -> _Descriptor:
    images = [entry for entry in entries if _ATTESTATION not in (entry.annotations or {})]
    fitting = [
        entry
        for entry in images
        if entry.platform
        and (entry.platform.os, entry.platform.architecture) == (platform.os, platform.arch)
    ]
    if not fitting:
        if any(entry.media_type in _INDEXES for entry in images):
            raise Refused(
                f"its index has no {platform} but further indexes: nesting is not followed"
            )
        raise Refused(f"its index has no image for {platform}; it has {_listed(images)}")
    # The variant that every machine of the architecture runs, then the lowest; the first of equals,
    # as the runtimes do.
    chosen = min(fitting, key=lambda entry: _rank(entry, platform.arch))
    if chosen.media_type in _INDEXES:
        raise Refused(f"its index names another index for {platform}: nesting is not followed")
    return chosen


def _rank(entry: _Descriptor, arch: str) -> tuple[int, str]:
    variant = entry.platform.variant if entry.platform else ""
    return (0, "") if variant in ("", _USUAL_VARIANT.get(arch)) else (1, variant)


def _listed(images: list[_Descriptor]) -> str:
    names = {
        f"{entry.platform.os}/{entry.platform.architecture}"
        for entry in images
        if entry.platform and entry.platform.os != "unknown"
    }
    return shown(", ".join(sorted(names)) or "none that names its platform")
