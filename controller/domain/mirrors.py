"""Registries that are asked somewhere else (`--registry HOST=URL`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from yarl import URL

from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.domain.registry_host import canonical_host, is_registry

_REMEDY = "write HOST=URL, such as docker.io=https://mirror.example.com"


@dataclass(frozen=True)
class Mirrors:
    """What `parse` has read. Whoever asks registries asks by these, and looks at nothing again."""

    # canonical host of a registry to the URL that is asked in its stead; empty: all are asked
    # themselves
    urls: Mapping[str, URL] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, written: Iterable[str]) -> "Mirrors":
        """written: `HOST=URL` each. Raises ValueError that names every one that cannot be used and
        what to write instead, and shows no URL: somebody may have written a password into it.
        """
        urls: dict[str, URL] = {}
        as_written: dict[str, str] = {}
        faults: list[str] = []
        for part in written:
            try:
                host, url = _read(part)
            except ValueError as fault:
                faults.append(str(fault))
                continue
            name = canonical_host(host)
            if name in urls:
                faults.append(_twice(as_written[name], host))
            urls[name], as_written[name] = url, host
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        return cls(MappingProxyType(urls))


def _read(part: str) -> tuple[str, URL]:
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
    except ValueError as fault:
        raise ValueError(f"the URL of {shown(host)} cannot be used: {fault}; {_REMEDY}") from None
    return host, url


def _twice(one: str, other: str) -> str:
    if one == other:
        return f"{shown(one)} stands twice: write one URL for it"
    return f"{shown(one)} and {shown(other)} are one registry: write one URL for it"
