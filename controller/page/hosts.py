"""Under which names the page answers. A browser that is led here under a name of somebody else's
(DNS rebinding) takes what it reads for that somebody's own, and so hands it over.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

ANY = "*"
# Names that only a cluster's own DNS answers, or this machine: nobody can register them.
_CLUSTER = (".svc", ".cluster.local")
_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")

REFUSED = (
    "The page is not served under this name: allow it with --page-host (BOOTSTRAP_PAGE_HOSTS), or"
    " ask by address."
)


class Hosts:
    """Addresses, names without a dot and those of the cluster are always known."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """names: in small letters; `*` for any."""
        self._names = frozenset(names)

    def known(self, host: str) -> bool:
        """host: as `host_of` gives it."""
        if ANY in self._names or host in self._names or _is_address(host):
            return True
        return "." not in host or host.endswith(_CLUSTER)


def host_of(headers: Sequence[str]) -> str | None:
    """What the one Host header names, in small letters, without port and last dot; None for one
    that is none. headers: the values of all.
    """
    if len(headers) != 1 or not (found := _HOST.fullmatch(headers[0])):
        return None
    return found["host"].lower().removesuffix(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
