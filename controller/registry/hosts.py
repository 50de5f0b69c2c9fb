"""Where a registry is asked: host names to URLs.

HTTPS, except for a registry on this machine's loopback, and where a person wrote an http URL.
"""

from dataclasses import dataclass

from yarl import URL

from controller.base.loopback import is_loopback
from controller.domain.mirrors import Mirror, Mirrors
from controller.domain.reference import DOCKER_HUB, Repository
from controller.domain.registry_host import canonical_host

_HUB_URL = URL("https://registry-1.docker.io")


@dataclass(frozen=True)
class Endpoint:
    """Where one registry is asked."""

    base: URL  # what `/v2/…` is appended to
    # The name that credentials are looked up by. Those of a registry are never sent to its mirror:
    # a mirror has a host of its own.
    host: str
    prefix: str = ""  # of the repositories there, with its slash; see `domain.mirrors.Mirror`
    is_mirror: bool = False  # asked in the stead of the registry that an image names

    def path_of(self, repository: Repository) -> str:
        """What the repository is called here: in URLs, in scopes of tokens, for credentials."""
        return f"{self.prefix}{repository.path}"

    def about(self, repository: Repository) -> str:
        """The repository in sentences: by its own name, and whom we ask for it."""
        if not self.is_mirror:
            return str(repository)
        place = f"{self.host}/{self.path_of(repository)}" if self.prefix else self.host
        return f"{repository} (asked at {place})"

    def manifest(self, repository: Repository, reference: str) -> URL:
        """reference: a tag or a digest. It and the path are checked text that needs no quoting."""
        return self.below(f"v2/{self.path_of(repository)}/manifests/{reference}")

    def blob(self, repository: Repository, digest: str) -> URL:
        return self.below(f"v2/{self.path_of(repository)}/blobs/{digest}")

    def below(self, path: str) -> URL:
        """path: text that needs no quoting."""
        return self.base.with_path(f"{self.base.raw_path.rstrip('/')}/{path}", encoded=True)


# Where Docker Hub lists tags: its web API [79], no registry, and named like one in `--registry`.
_HUB_API = Endpoint(URL("https://hub.docker.com"), "hub.docker.com")


class Hosts:
    """Knows where each registry is asked, by `mirrors` or by its own name."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = {host: _endpoint(mirror) for host, mirror in mirrors.places.items()}

    def endpoint(self, registry: str) -> Endpoint:
        """registry: as in `Repository.registry`."""
        if mirror := self._mirrors.get(canonical_host(registry)):
            return mirror
        if canonical_host(registry) == DOCKER_HUB:
            return Endpoint(_HUB_URL, DOCKER_HUB)
        scheme = "http" if is_loopback(URL(f"https://{registry}").host) else "https"
        return Endpoint(URL(f"{scheme}://{registry}"), registry.lower())

    def hub_api(self, registry: str) -> Endpoint | None:
        """Where Docker Hub lists the tags of what `registry` keeps, or what a mirror names in its
        stead; None for every other registry, and for a mirror of Docker Hub that has not one for
        `hub.docker.com` beside it: whoever set it up may not want Docker Hub itself to be asked.
        """
        if canonical_host(registry) != DOCKER_HUB:
            return None
        if mirror := self._mirrors.get(_HUB_API.host):
            return mirror
        return None if DOCKER_HUB in self._mirrors else _HUB_API


def _endpoint(mirror: Mirror) -> Endpoint:
    prefix = f"{mirror.below}/" if mirror.below else ""
    host = mirror.base.host_port_subcomponent or ""
    return Endpoint(mirror.base, host, prefix, is_mirror=True)


def same_origin(one: URL, other: URL) -> bool:
    """Scheme, host and port are equal."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
