"""What the keys of a docker config.json stand for: hosts, patterns of hosts, parts of registries.
No I/O.

By the kubelet's rules [162], with one difference: `r.example/team` is for `r.example/team/x`, and
not for `r.example/teams`.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from controller.domain.registry_host import canonical_host


@dataclass(frozen=True, order=True)
class Key:
    """What is asked for, or what an entry is for. In this order the last that matches is the one
    that matches best: hosts come behind patterns, and longer paths behind shorter ones.
    """

    host: str  # in lower case, with its port; of an entry perhaps with `*` or `?` within a label
    path: str  # of a repository, or where one begins; empty for all of them

    def matches(self, asked: "Key") -> bool:
        """Of an entry: whether it is for what is asked for."""
        host, colon, port = _parted(self.host)
        asked_host, asked_colon, asked_port = _parted(asked.host)
        labels, asked_labels = host.split("."), asked_host.split(".")
        return (
            (colon, port) == (asked_colon, asked_port)
            and len(labels) == len(asked_labels)
            and all(map(_fits, labels, asked_labels))
            and (not self.path or f"{asked.path}/".startswith(f"{self.path}/"))
        )


def key_of(host: str, path: str = "") -> Key:
    """For Docker Hub under each of its names."""
    return Key(canonical_host(host), path)


def read_key(written: str) -> Key | None:
    """`https://index.docker.io/v1/` → docker.io; a path is kept, without the version of the
    protocol that it may begin with. None for what names no host.
    """
    _, scheme, rest = written.strip().rpartition("://")
    if scheme and not written.strip().lower().startswith(("http://", "https://")):
        return None
    host, _, path = rest.partition("/")
    path = path.strip("/")
    version, _, below = path.partition("/")
    if not host or any(mark.isspace() for mark in host):
        return None
    return key_of(host, below if version in ("v1", "v2") else path)


def _fits(label: str, asked: str) -> bool:
    return label == asked or fnmatchcase(asked, label)  # an IPv6 address is no pattern


def _parted(host: str) -> tuple[str, str, str]:
    """Host, colon and port; the last two empty where there is no port."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host, "", ""
    return name, colon, port
