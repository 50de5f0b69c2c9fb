"""Which entry of an index is the image of a platform, as the runtimes choose it [151]. No I/O."""

import msgspec

from controller.base.errors import Refused
from controller.base.text import shown
from controller.domain.build import Platform

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

_ATTESTATION = (
    "vnd.docker.reference.type"  # annotation of what buildx adds beside the platforms [85]
)
# Other words for an architecture, with the variant that they mean.
_ALIASES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "i386": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
# What no variant means, in all its spellings: the runtimes normalise these away.
_USUAL_VARIANTS = {
    "amd64": frozenset({"", "v1"}),
    "arm64": frozenset({"", "v8", "8", "v8.0"}),
    "arm": frozenset({"", "v7", "7"}),
}


class PlatformEntry(msgspec.Struct):
    """Words of Go, such as `linux` and `arm64`; None or empty where the index does not say."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None  # such as `v8`
    # what a machine must have beside the platform, such as `nydus.remoteimage.v1`
    features: list[str] | None = msgspec.field(default=None, name="os.features")


class Entry(msgspec.Struct, rename="camel"):
    """What an index says of one document; None or empty where it does not say."""

    digest: str  # not looked at yet
    media_type: str | None = None
    artifact_type: str | None = None  # of what is no image: a list of its parts, a signature
    platform: PlatformEntry | None = None
    annotations: dict[str, str | None] | None = None

    @property
    def named(self) -> tuple[str, str, str] | None:
        """Operating system, architecture and variant, normalised; None where none is named: an
        empty platform is docker's way to write that.
        """
        found = self.platform
        if found is None or not (found.os or found.architecture):
            return None
        arch = (found.architecture or "").lower()
        arch, variant = _ALIASES.get(arch, (arch, (found.variant or "").lower()))
        if variant in _USUAL_VARIANTS.get(arch, ()):
            variant = ""
        return (found.os or "linux").lower(), arch, variant


def choose(entries: list[Entry], platform: Platform) -> Entry:
    """The entry that a machine of the platform runs: one that names it, or else the first that
    names none, of which only its own configuration tells whether it fits. Raises Refused.
    """
    images = [entry for entry in entries if _is_image(entry)]
    fitting = [entry for entry in images if _fits(entry, platform)]
    if not fitting:
        if any(entry.media_type in INDEXES for entry in images):
            raise Refused(
                f"its index has no {platform} but further indexes: nesting is not followed"
            )
        for entry in images:
            if entry.named is None:
                return entry
        raise Refused(f"its index has no image for {platform}; it has {_listed(images)}")
    # The variant that every machine of the architecture runs, then the lowest; the first of equals,
    # as the runtimes do.
    chosen = min(fitting, key=lambda entry: entry.named[2] if entry.named else "")
    if chosen.media_type in INDEXES:
        raise Refused(f"its index names another index for {platform}: nesting is not followed")
    return chosen


def _is_image(entry: Entry) -> bool:
    """Also an index of images. Not: attestations, signatures, lists of parts, other artifacts."""
    if entry.artifact_type or _ATTESTATION in (entry.annotations or {}):
        return False
    if entry.media_type and entry.media_type not in INDEXES + MANIFESTS:
        return False
    return entry.named is None or entry.named[0] != "unknown"


def _fits(entry: Entry, platform: Platform) -> bool:
    """Whether a machine runs it that has no feature of its own, such as a loader of nydus."""
    if entry.platform is None or entry.platform.features:
        return False
    return entry.named is not None and entry.named[:2] == (platform.os, platform.arch)


def _listed(images: list[Entry]) -> str:
    names = set()
    for entry in images:
        if entry.named and entry.platform:
            features = entry.platform.features or []
            names.add("/".join(entry.named[:2]) + "".join(f" with {name}" for name in features))
    return shown(", ".join(sorted(names)) or "none that names its platform")
