"""How a host is reached: through which proxy, and whose certificates are believed."""

from collections.abc import Mapping
from pathlib import Path

from loguru import logger
from yarl import URL

from controller.base.errors import Refused
from controller.base.proxies import proxy_for
from controller.base.text import shown
from controller.base.trust import systems_and

_Stamp = tuple[int, int, int]


class Ways:
    """The same for registries, mirrors, token servers and whoever they redirect to: each by its own
    host.

    environ: of the process, for its proxies. ca_file: certificates (PEM) that are believed beside
    the system's; None for the system's alone.
    """

    def __init__(self, environ: Mapping[str, str], ca_file: Path | None = None) -> None:
        self._environ = environ
        self._ca_file = ca_file
        self._stamp: _Stamp | None = None
        # For the next request. A new one for each state of the file: where two CAs of one name
        # have no key identifier, as after a rotation, OpenSSL looks at the first alone.
        self.tls = systems_and(None)
        self.refresh()

    def proxy(self, url: URL, peer: str) -> URL | None:
        """The proxy that leads there; None for none. Raises Refused, a sentence that begins with
        `peer`, for one that is not of HTTP. It may hold a password, and is never shown.
        """
        found = proxy_for(str(url), self._environ)
        if found is None:
            return None
        try:
            proxy = URL(found)
        except ValueError:
            proxy = URL()
        if proxy.scheme in ("http", "https") and proxy.host:
            return proxy
        kind = f"of the kind {shown(proxy.scheme, 20)}" if proxy.host else "no URL"
        raise Refused(
            f"{peer} is to be reached by a proxy, and {url.scheme.upper()}_PROXY is {kind}: write"
            " http://HOST:PORT, or the host into NO_PROXY"
        )

    def refresh(self) -> None:
        """Reads the file again if it has changed; one that is of no use, for a moment or longer, is
        told once, and changes nothing.
        """
        if self._ca_file is None:
            return
        try:
            stat = self._ca_file.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamp = (0, 0, 0)  # reading it says why
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.tls = systems_and(self._ca_file)
        except ValueError as why:
            logger.bind(path=shown(self._ca_file), why=shown(why)).warning(
                "the file of --registry-ca cannot be used: what was read before stays in use"
            )
