"""Where a registry is asked: host names to URLs.

HTTPS, except for a registry on this machine's loopback, and where a person wrote an http URL.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from controller.base.errors import SettingsFault
from controller.base.text import shown
from controller.domain.reference import DOCKER_HUB, ReferenceFault, Repository

# The names under which Docker Hub is known: in references, in config.json, on the wire [68].
HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_URL = URL("https://registry-1.docker.io")


@dataclass(frozen=True)
class Endpoint:
    """base: what `/v2/…` is appended to. host: the name that credentials are looked up by.

    The credentials of a registry are never sent to its mirror: a mirror has a host of its own.
    """

    base: URL
    host: str

    def manifest(self, repository: Repository, reference: str) -> URL:
        """reference: a tag or a digest. It and the path are checked text that needs no quoting."""
        return self.below(f"v2/{repository.path}/manifests/{reference}")

    def blob(self, repository: Repository, digest: str) -> URL:
        return self.below(f"v2/{repository.path}/blobs/{digest}")

    def below(self, path: str) -> URL:
        """path: text that needs no quoting."""
        return self.base.with_path(f"{self.base.raw_path.rstrip('/')}/{path}", encoded=True)


# Where Docker Hub lists tags: its web API [79], no registry, and named like one in `--registry`.
_HUB_API = Endpoint(URL("https://hub.docker.com"), "hub.docker.com")


class Hosts:
    """mirrors: registry host to the URL that is asked in its stead (`--registry`).

    Raises SettingsFault that names every mirror that cannot be used.
    """

    def __init__(self, mirrors: Mapping[str, str]) -> None:
        self._mirrors: dict[str, Endpoint] = {}
        faults = []
        for host, text in mirrors.items():
            url = _usable_url(text)
            if url is None or not _is_registry(host):
                # Not shown as it is: somebody may have written a password into it.
                faults.append(
                    f"registry '{shown(host)}': write HOST=URL with an http or https URL without"
                    " user, password, query or fragment, such as docker.io=http://localhost:5000"
                )
            else:
                self._mirrors[_key(host)] = Endpoint(url, url.host_port_subcomponent or "")
        if faults:
            raise SettingsFault(faults)

    def endpoint(self, registry: str) -> Endpoint:
        """registry: as in `Repository.registry`."""
        if mirror := self._mirrors.get(_key(registry)):
            return mirror
        if _key(registry) == DOCKER_HUB:
            return Endpoint(_HUB_URL, DOCKER_HUB)
        scheme = "http" if is_loopback(URL(f"https://{registry}").host) else "https"
        return Endpoint(URL(f"{scheme}://{registry}"), registry.lower())

    def hub_api(self, registry: str) -> Endpoint | None:
        """Where Docker Hub lists the tags of what `registry` keeps, or what a mirror names in its
        stead; None for every other registry, and for a mirror of Docker Hub that has not one for
        `hub.docker.com` beside it: whoever set it up may not want Docker Hub itself to be asked.
        """
        if _key(registry) != DOCKER_HUB:
            return None
        if mirror := self._mirrors.get(_HUB_API.host):
            return mirror
        return None if DOCKER_HUB in self._mirrors else _HUB_API


def is_loopback(host: str | None) -> bool:
    """`localhost`, 127.0.0.0/8 and ::1: what cannot leave this machine."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def same_origin(one: URL, other: URL) -> bool:
    """Scheme, host and port are equal."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _key(registry: str) -> str:
    registry = registry.lower()
    return DOCKER_HUB if registry in HUB_HOSTS else registry


def _is_registry(host: str) -> bool:
    try:
        Repository(host if host not in HUB_HOSTS else DOCKER_HUB, "a/b")
    except ReferenceFault:
        return False
    return True


def _usable_url(text: str) -> URL | None:
    try:
        url = URL(text)
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not url.host or url.user or url.password:
        return None
    return None if url.query_string or url.fragment else url
