"""What is needed to speak to the API server: where it is, and who we are. Not here: where that is
read (`service_account`, `kubeconfig`), and which of the two it is (`pod_or_kubeconfig`).
"""

from dataclasses import dataclass
from ssl import SSLContext
from typing import Protocol

from controller.base.http_url import read_http_url


@dataclass(frozen=True)
class Endpoint:
    """Where the API server is and how it is reached. Raises ValueError, a clause that says what is
    wrong with the URL.
    """

    url: str  # without a trailing slash; may have a path
    tls: SSLContext | None = None  # None for plain HTTP
    server_name: str | None = None  # what the certificate must be for; None for the URL's host
    proxy: str | None = None  # URL; None for no proxy
    login: str = ""  # whose we go by, such as `context dev`, for sentences; empty: not said
    headers: tuple[tuple[str, str], ...] = ()  # of every request: as whom we act, if not ourselves
    compresses: bool = True  # the server may; else nothing is asked to be compressed
    keeps_connections: bool = True  # not where our certificate changes: each would keep the old one

    def __post_init__(self) -> None:
        read_http_url(self.url)

    @property
    def peer(self) -> str:
        """Host and port, for sentences."""
        return read_http_url(self.url).host_port_subcomponent or ""


class Credentials(Protocol):
    """Nothing of these is ever logged: their reprs hold no secret."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def namespace(self) -> str:
        """Our own namespace, or the context's."""
        ...

    async def authorization(self) -> str | None:
        """The Authorization header of the next request; None where TLS says who we are."""
        ...

    async def renew(self, used: str | None) -> bool:
        """The API server said 401 to `used`: reads everything again. Whether another try may
        help, that is, whether something is different now.
        """
        ...
