"""Registries that are asked somewhere else (`--registry HOST=URL`)."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from yarl import URL

from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.domain.reference import ReferenceFault, Repository
from controller.domain.registry_host import canonical_host, is_registry

_REMEDY = "write HOST=URL, such as docker.io=https://mirror.example.com"


@dataclass(frozen=True)
class Mirror:
    """Where a registry is asked instead. `https://harbor.example/v2/hub` is the repositories below
    `hub` at harbor.example: what stands behind `/v2` begins the name of each, as by containerd's
    `override_path`. To a path without `/v2` it is appended, as containerd does without that [161].
    """

    base: URL  # what `/v2/…` is appended to; without a trailing slash
    below: str = ""  # what the names of all repositories begin with there; empty: with nothing

    @classmethod
    def at(cls, url: URL) -> "Mirror":
        """Raises ValueError, a clause that says what is wrong with the path."""
        path = "/" + posixpath.normpath(url.raw_path).strip("/.")
        before, slash, below = f"{path}/".partition("/v2/")
        base = url.with_path(before.rstrip("/"), encoded=True)
        below = below.strip("/")
        if slash and below:
            try:
                Repository(
                    "registry.example", below
                )  # elsewhere than at Docker Hub one word will do
            except ReferenceFault:
                raise ValueError(
                    "what follows /v2 in its path is no name of a repository"
                ) from None
        return cls(base, below)


@dataclass(frozen=True)
class Mirrors:
    """What `parse` has read. Whoever asks registries asks by these, and looks at nothing again."""

    # canonical host of a registry to where it is asked; empty: all are asked themselves
    places: Mapping[str, Mirror] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, written: Iterable[str]) -> "Mirrors":
        """written: `HOST=URL` each. Raises ValueError that names every one that cannot be used and
        what to write instead, and shows no URL: somebody may have written a password into it.
        """
        places: dict[str, Mirror] = {}
        as_written: dict[str, str] = {}
        faults: list[str] = []
        for part in written:
            try:
                host, mirror = _read(part)
            except ValueError as fault:
                faults.append(str(fault))
                continue
            name = canonical_host(host)
            if name in places:
                faults.append(_twice(as_written[name], host))
            places[name], as_written[name] = mirror, host
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        return cls(MappingProxyType(places))


def _read(part: str) -> tuple[str, Mirror]:
    host, equals, address = part.partition("=")
    host, address = host.strip(), address.strip()
    if not equals or not host or not address:
        raise ValueError(_REMEDY)
    if not is_registry(host):
        raise ValueError(
            f"'{shown(host)}' is not how an image names a registry: write a host with a dot or a"
            " port, such as docker.io=URL or localhost:5000=URL"
        )
    try:
        url = read_http_url(address, instead_of_user="write that in the file of --registry-auth")
        return host, Mirror.at(url)
    except ValueError as fault:
        raise ValueError(f"the URL of {shown(host)} cannot be used: {fault}; {_REMEDY}") from None


def _twice(one: str, other: str) -> str:
    if one == other:
        return f"{shown(one)} stands twice: write one URL for it"
    return f"{shown(one)} and {shown(other)} are one registry: write one URL for it"
