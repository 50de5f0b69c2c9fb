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

_SERVICE = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


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
    url = _service_url(environ)
    files = TlsFiles(ca=str(directory / "ca.crt"))
    for name in ("token", "ca.crt"):
        _look_into(directory / name)
    endpoint = Endpoint(
        url,
        tls=tls_context(files),
        login="the pod's service account",
        source=f"the pod's service account, token in {shown(directory / 'token')}",
    )
    return InClusterCredentials(endpoint, files, directory, clock)


def _service_url(environ: Mapping[str, str]) -> str:
    """Of the Service `kubernetes`, whose address the kubelet puts into each container."""
    host, port = (environ.get(name) for name in _SERVICE)
    if not host or not port:
        raise _unusable(f"{' or '.join(_SERVICE)} is not set")
    url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        read_http_url(url)
    except ValueError as fault:
        raise SettingsFault([f"{' and '.join(_SERVICE)} make no URL: {fault}"]) from None
    return url


def _look_into(path: Path) -> None:
    try:
        empty = not path.read_bytes().strip()
    except OSError as exc:
        raise _unusable(f"{shown(path)} cannot be read ({shown(exc.strerror)})") from exc
    if empty:
        raise _unusable(f"{shown(path)} is empty")


def _unusable(why: str) -> SettingsFault:
    return SettingsFault([f"the pod's service account cannot be used: {why}"])
