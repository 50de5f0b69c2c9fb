"""Credentials of a pod: its service account's token and the cluster's own CA."""

from collections.abc import Mapping
from pathlib import Path

from controller.base.clock import Clock
from controller.base.errors import SettingsFault
from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.kube.login.credentials import Endpoint
from controller.kube.login.tls import TlsFiles, tls_context
from controller.kube.login.token_file import TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class InClusterCredentials:
    """Of the pod's service account. No proxy of the environment is used: the API server's address
    exists only inside the cluster, and a proxy would see the token [37].
    """

    def __init__(self, endpoint: Endpoint, files: TlsFiles, directory: Path, clock: Clock) -> None:
        self._endpoint = endpoint
        self._files = files
        self._directory = directory
        self._token = TokenFile(directory / "token", clock)

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def namespace(self) -> str:
        try:
            return (self._directory / "namespace").read_text().strip() or "default"
        except OSError:
            return "default"

    async def authorization(self) -> str | None:
        return f"Bearer {self._token.token()}"

    async def renew(self, used: str | None) -> bool:
        self._token.reread()
        return await self.authorization() != used


def in_cluster(environ: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> bool:
    """Whether this process runs in a pod with a service account."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (directory / "token").exists()


def load_in_cluster(
    environ: Mapping[str, str], clock: Clock, directory: Path = SERVICE_ACCOUNT
) -> InClusterCredentials:
    """Raises SettingsFault where the pod has no usable service account."""
    # Imported here: it takes half a second, which a command that needs no cluster should not.
    from kubernetes_asyncio.client import Configuration
    from kubernetes_asyncio.config import ConfigException
    from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

    loader = InClusterConfigLoader(
        token_filename=str(directory / "token"),
        cert_filename=str(directory / "ca.crt"),
        try_refresh_token=False,  # its refreshing fails on an empty file and ignores a 401 [42]
        environ=dict(environ),
    )
    configuration = Configuration()
    try:
        loader.load_and_set(configuration)
    except (ConfigException, OSError) as exc:
        raise SettingsFault([f"the pod's service account cannot be used: {shown(exc)}"]) from exc
    files, url = TlsFiles(ca=configuration.ssl_ca_cert), str(configuration.host)
    try:
        read_http_url(url)
    except ValueError as fault:
        raise SettingsFault(
            [f"KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT make no URL: {fault}"]
        ) from None
    endpoint = Endpoint(url, tls=tls_context(files))
    return InClusterCredentials(endpoint, files, directory, clock)
