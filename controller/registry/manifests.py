"""Manifests and indexes: which build stands behind a digest. No I/O."""

import hashlib

import msgspec

from controller.base.errors import Garbled, Refused
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.build import Build, Platform
from controller.domain.reference import ReferenceFault, check_digest
from controller.registry.index_entries import INDEXES, MANIFESTS, Entry, choose

# The one list for HEAD and GET. With fewer, a registry converts the index for old clients, and
# answers with the digest of something else, or with 404 [72].
ACCEPT = ", ".join(INDEXES + MANIFESTS)

# Configurations that are an image's: the two that are defined, and what old tools wrote instead,
# which docker takes for one [152].
_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
    "",
)
# Of schema 1, whose digest is not of all its bytes; the first is signed.
_OBSOLETE = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
_KINDS = {  # types of artifacts that people push beside their images
    "application/vnd.cncf.helm.config.v1+json": "a Helm chart",
    "application/vnd.docker.plugin.v1+json": "a plugin of docker",
}
_EMPTY = "application/vnd.oci.empty.v1+json"  # the configuration of what has none

_SCHEMA_1 = (
    "its manifest has the obsolete schema 1, which docker and containerd take no more: push the"
    " image again"
)

LONGEST = 4 << 20  # bytes of a manifest: what registries take at most


class _Version(msgspec.Struct, rename="camel"):
    schema_version: int


class Document(msgspec.Struct, rename="camel"):
    """A manifest, or an index."""

    schema_version: int
    media_type: str | None = None  # None or empty where it is not said
    artifact_type: str | None = None  # of what is no image
    manifests: list[Entry] | None = None  # of an index alone
    layers: list[object] | None = None  # of a manifest alone
    config: dict[str, object] | None = None  # of a manifest alone: the blob that describes it


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Of the raw bytes: JSON written anew would hash to something else [71].

    algorithm: one of those that `check_digest` takes.
    """
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def check_type(content_type: str) -> None:
    """Raises Refused for the header of a manifest that is obsolete. Any other is not believed: the
    document says itself what it is.
    """
    if content_type.partition(";")[0].strip().lower() in _OBSOLETE:
        raise Refused(_SCHEMA_1)


def is_obsolete(body: bytes) -> bool:
    """Whether it is a manifest of schema 1."""
    try:
        return msgspec.json.decode(body, type=_Version).schema_version == 1
    except UNDECODABLE:
        return False


def parse(body: bytes) -> Document:
    """A manifest or an index; anything else raises Garbled, or Refused where it is obsolete, or an
    artifact of another kind.
    """
    if is_obsolete(body):
        raise Refused(_SCHEMA_1)
    try:
        document = msgspec.json.decode(body, type=Document)
    except UNDECODABLE as error:
        raise Garbled("its answer is not a manifest") from error
    if document.media_type and document.media_type not in INDEXES + MANIFESTS:
        raise Refused(_no_image(document.artifact_type or document.media_type))
    is_index = document.manifests is not None
    is_manifest = document.layers is not None and document.config is not None
    if is_index == is_manifest or document.schema_version != 2:
        # Both at once is an attack: two clients would see two images in the same bytes.
        raise Garbled("its answer is neither a manifest nor an index")
    if document.media_type and document.media_type not in (INDEXES if is_index else MANIFESTS):
        raise Garbled(f"its manifest is called '{document.media_type}', and is none")
    return document


def build_of(document: Document, digest: str, platform: Platform) -> Build:
    """The digest of the platform manifest: `digest`, its own, where the document is a manifest.

    A lone manifest is taken for what the platform runs: its platform is written in the config
    blob alone, which is not fetched; a node that cannot run it says so. Raises Refused where an
    index has no manifest for the platform, or the manifest is of no image, Garbled where what the
    index has is no digest.
    """
    if document.manifests is None:
        _check_image(document)
        return digest
    chosen = choose(document.manifests, platform)
    try:
        return check_digest(chosen.digest)
    except ReferenceFault as fault:
        raise Garbled(f"its index has an entry whose digest cannot be used: {fault}") from fault


def tells_platform(document: Document, build: Build) -> bool:
    """Whether the document says which platform its build is of, or is the build itself."""
    return document.manifests is None or any(
        entry.digest == build and entry.named is not None for entry in document.manifests
    )


def config_of(document: Document) -> str:
    """The digest of the configuration of an image. Raises Refused for what is no image, Garbled
    where what it names is no digest.
    """
    if document.config is None:
        raise Refused("it is an index, which has no configuration of its own")
    _check_image(document)
    try:
        return check_digest(str(document.config.get("digest")))
    except ReferenceFault as fault:
        raise Garbled(f"its configuration's digest cannot be used: {fault}") from fault


def _check_image(document: Document) -> None:
    config = (document.config or {}).get("mediaType") or ""
    if config not in _CONFIGS:
        raise Refused(_no_image(config if config != _EMPTY else document.artifact_type or config))


def _no_image(kind: object) -> str:
    what = _KINDS.get(str(kind)) or f"an artifact of the type '{shown(kind, 100)}'"
    return f"it is no image but {what}: follow a tag that images are pushed to"
