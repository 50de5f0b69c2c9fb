"""How a host is reached: through which proxy, and whose certificates are believed."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from loguru import logger
from yarl import URL

from controller.base.errors import Refused, SettingsFault
from controller.base.proxies import proxy_for
from controller.base.text import shown
from controller.base.trust import as_go_believes

_Stamp = tuple[int, int, int]


class Ways:
    """The same for registries, mirrors, token servers and whoever they redirect to: each by its own
    host.

    environ: of the process, for its proxies. ca_file: certificates that are believed beside the
    system's, which are those of SSL_CERT_FILE where that is set; None for the system's alone.
    Raises SettingsFault for a file that cannot be used.
    """

    def __init__(self, environ: Mapping[str, str], ca_file: Path | None = None) -> None:
        self._environ = environ
        self._ca_file = ca_file
        self._stamp: _Stamp | None = None
        # For the next request. A new one for each state of the file: where two CAs of one name
        # have no key identifier, as after a rotation, OpenSSL looks at the first alone.
        self.tls = _systems()
        if why := self._load():
            raise SettingsFault(
                [
                    f"--registry-ca (BOOTSTRAP_REGISTRY_CA) '{shown(ca_file)}': {why}: name a file"
                    " of certificates in PEM"
                ]
            )

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
        """Reads the file again if it has changed. One that is broken changes nothing."""
        if why := self._load():
            logger.bind(path=shown(self._ca_file), why=why).warning(
                "the file of --registry-ca cannot be used: what was read before stays in use"
            )

    def _load(self) -> str:
        """Why it cannot be used, told once for each state of the file; empty where nothing is
        wrong with it.
        """
        if self._ca_file is None:
            return ""
        try:
            stat = self._ca_file.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError as error:
            stamp, failure = (0, 0, 0), error.strerror or "it cannot be read"
        else:
            failure = ""
        if stamp == self._stamp:
            return ""
        self._stamp = stamp
        if failure:
            return f"it cannot be read ({shown(failure)})"
        tls = _systems()
        try:
            tls.load_verify_locations(cafile=self._ca_file)
        except ssl.SSLError:
            return "it holds no certificate in PEM"
        except OSError as error:
            return f"it cannot be read ({shown(error.strerror)})"
        self.tls = tls
        return ""


def _systems() -> ssl.SSLContext:
    """The system's CAs, or those of SSL_CERT_FILE."""
    return as_go_believes(ssl.create_default_context())
