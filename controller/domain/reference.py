"""Image references: what a Deployment's `image` says, parsed once into values that are never wrong.

The grammar, that of the container runtimes [80, 81]:

    reference  = name [ ":" tag ] [ "@" digest ]
    name       = [ host "/" ] path
    host       = the first segment, if it is "localhost", contains "." or ":", or has a capital;
                 domain, IPv4 address or bracketed IPv6 address, with an optional ":" port
    path       = component *( "/" component )              at most 255 characters
    component  = [a-z0-9]+ parts joined by ".", "_", "__" or any number of "-"
    tag        = one of [A-Za-z0-9_], then up to 127 of [A-Za-z0-9_.-]
    digest     = "sha256:" 64 * [0-9a-f]  |  "sha512:" 128 * [0-9a-f]

Without a host the registry is docker.io, `index.docker.io` is docker.io too, and a path of one
component there is below `library/`. With tag and digest both, the digest decides what runs and the
tag says what is followed. A name of 64 hex digits is an image id, not a name, and refused.

Stricter than the runtimes in one thing: only the two digest algorithms that can be verified here
are taken. Nothing is trimmed: the API server accepts an image with a leading space, and no node
could ever pull it (recording 32). Nothing here speaks to a registry.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from controller.base.errors import Fault
from controller.base.text import shown

DOCKER_HUB = "docker.io"

_HUB_ALIASES = ("index.docker.io",)  # written by old tools; the runtimes take it for docker.io [80]
_LONGEST_PATH = 255  # what registries and runtimes take
_LONGEST_REFERENCE = 1024  # host, path, tag and digest at their longest fit; longer is not parsed

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


class ReferenceFault(Fault):
    """Text that is no reference, tag or digest; the sentence shows it and the right form."""


def check_tag(text: str) -> str:
    """The text, if it is a tag. Raises ReferenceFault."""
    if not _TAG.fullmatch(text):
        raise ReferenceFault(
            f"'{shown(text)}' is not a tag: write letters, digits, '_', '.' and '-' (at most 128,"
            " not beginning with '.' or '-'), such as 'latest' or 'v1.14.0'"
        )
    return text


def check_digest(text: str) -> str:
    """The text, if it is a digest. Raises ReferenceFault."""
    if not _DIGEST.fullmatch(text):
        raise ReferenceFault(
            f"'{shown(text)}' is not a digest: write 'sha256:' and 64 digits of 0-9a-f"
        )
    return text


def parse_tag_or_digest(text: str) -> tuple[str | None, str | None]:
    """(tag, None) or (None, digest): only a digest contains ':'. Raises ReferenceFault."""
    if ":" in text:
        return None, check_digest(text)
    return check_tag(text), None


def _is_host(segment: str) -> bool:
    return segment == "localhost" or "." in segment or ":" in segment or segment != segment.lower()


@dataclass(frozen=True)
class Repository:
    """Where builds are kept, in canonical form: equal repositories are equal values. Raises
    ReferenceFault when it is made of anything else.
    """

    registry: str  # host, with a port if it is not the usual one; Docker Hub is `docker.io`
    path: str  # below the registry, `library/` written out

    def __post_init__(self) -> None:
        if not (_is_host(self.registry) and _HOST.fullmatch(self.registry)):
            raise ReferenceFault(
                f"'{shown(self.registry)}' is not a registry: write a host name with an optional"
                " port, such as 'docker.io' or 'localhost:5000'"
            )
        if len(self.path) > _LONGEST_PATH or not _PATH.fullmatch(self.path):
            raise ReferenceFault(
                f"'{shown(self.path)}' is not the path of a repository: write lower-case letters"
                " and digits, joined by '.', '_', '-' and '/', such as 'avaplatform/avalanchego'"
            )
        if self.registry in _HUB_ALIASES or (self.registry == DOCKER_HUB and "/" not in self.path):
            raise ReferenceFault(
                f"'{shown(self)}' is not in canonical form: write 'docker.io/owner/name', or"
                " 'docker.io/library/name' for an official image"
            )

    @classmethod
    def parse(cls, name: str) -> "Repository":
        """The repository that a name without tag and digest means. Raises ReferenceFault."""
        first, slash, rest = name.partition("/")
        registry, path = (first, rest) if slash and _is_host(first) else (DOCKER_HUB, name)
        if registry in _HUB_ALIASES:
            registry = DOCKER_HUB
        if registry == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return cls(registry, path)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


@dataclass(frozen=True)
class Reference:
    """An image as somebody wrote it, and what it means. `str()` gives back what was parsed, to the
    character.
    """

    name: str  # as written, without tag and digest: a pin keeps the writer's own spelling
    repository: Repository  # what the name means
    tag: str | None = None  # None where none is written
    digest: str | None = None  # None where none is written

    def __post_init__(self) -> None:
        if self.repository != Repository.parse(self.name):
            raise ReferenceFault(f"'{shown(self.name)}' is not a name of {shown(self.repository)}")
        if self.tag is not None:
            check_tag(self.tag)
        if self.digest is not None:
            check_digest(self.digest)

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Raises ReferenceFault, and nothing else, for text that is no reference."""
        try:
            return _parsed(text)
        except ReferenceFault as fault:
            raise ReferenceFault(
                f"image '{shown(text)}' cannot be used: {fault}; the form is"
                " '[registry/]repository[:tag][@sha256:digest]'"
            ) from None

    def pinned(self, digest: str) -> str:
        """`name[:tag]@digest`: runs exactly that build, and still says which tag is followed."""
        return str(Reference(self.name, self.repository, self.tag, check_digest(digest)))

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return f"{self.name}{tag}{digest}"


def digest_of(image: str) -> str | None:
    """The digest that an image names, whatever else it says; None for none, or for text that is no
    reference.
    """
    try:
        return Reference.parse(image).digest
    except ReferenceFault:
        return None


def repository_of(image: str) -> Repository | None:
    """The repository that an image names; None for text that is no reference."""
    try:
        return Reference.parse(image).repository
    except ReferenceFault:
        return None


@lru_cache(maxsize=1024)  # a decision meets the same images again and again
def _parsed(text: str) -> Reference:
    if text != text.strip():
        raise ReferenceFault("it begins or ends with a space")
    if not text or len(text) > _LONGEST_REFERENCE:
        raise ReferenceFault("it is empty" if not text else "it is too long")
    if _IMAGE_ID.fullmatch(text):
        raise ReferenceFault("64 hex digits are the id of an image, not a name")
    rest, at, digest = text.partition("@")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:  # the last colon belongs to the host's port
        name, colon, tag = rest, "", ""
    return Reference(
        name,
        Repository.parse(name),
        tag if colon else None,
        digest if at else None,
    )
