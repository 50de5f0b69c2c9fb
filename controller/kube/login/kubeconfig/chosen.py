"""The one context that is used, with its cluster and its user, checked as kubectl checks them
[K client-go/tools/clientcmd/validation.go].
"""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from controller.base.errors import SettingsFault
from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.kube.login.kubeconfig.files import Merged
from controller.kube.login.kubeconfig.stanzas import AuthProvider, Cluster, ExecPlugin, User

PLUGIN_VERSIONS = (
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
)
PROXIES = ("http", "https", "socks5")

_GONE = {  # kubectl has them no more; what to use instead
    "gcp": "gke-gcloud-auth-plugin",
    "azure": "kubelogin",
}


@dataclass(frozen=True)
class Chosen:
    """What is used of a kubeconfig: it says where we go and who we are, without contradiction."""

    context: str
    cluster: Cluster
    user: User
    namespace: str

    @property
    def secure(self) -> bool:
        """Over plain HTTP nobody says who they are: client-go sends no credentials there
        [K client-go/tools/clientcmd/client_config.go].
        """
        return (self.cluster.server or "").lower().startswith("https://")


def choose(merged: Merged, wanted: str | None, name: str) -> Chosen:
    """wanted: the context; None for the current one. name: of the kubeconfig, for sentences.

    Raises SettingsFault, a sentence that shows no secret.
    """
    context_name = wanted or merged.current_context
    if not context_name:
        raise SettingsFault([f"{name} has no current-context: give --context{_known(merged)}"])
    context = merged.contexts.get(context_name)
    if context is None:
        what = shown(context_name)
        raise SettingsFault([f"{name}: there is no context {what}{_known(merged)}"])
    try:
        cluster = _cluster(merged, context.cluster)
        user = _user(merged, context.user)
        chosen = Chosen(context_name, cluster, user, context.namespace or "default")
        if chosen.secure:
            _check_known(merged, context.user, user)
    except ValueError as fault:
        raise SettingsFault([f"{name}, context {shown(context_name)}: {fault}"]) from None
    return chosen


def _known(merged: Merged) -> str:
    names = sorted(merged.contexts)
    return f"; there are: {shown(', '.join(names), 400)}" if names else "; it has no context at all"


def _cluster(merged: Merged, name: str | None) -> Cluster:
    if not name:
        raise ValueError("it names no cluster")
    cluster = merged.clusters.get(name)
    what = f"the cluster {shown(name)}"
    if cluster is None:
        raise ValueError(f"{what} is in no file")
    if not cluster.server:
        raise ValueError(f"{what} has no server")
    try:
        read_http_url(cluster.server)
    except ValueError as fault:
        raise ValueError(f"the URL of the server of {what}: {fault}") from None
    check_proxy(cluster.proxy_url or "", f"the proxy-url of {what}")
    _one_of(cluster.certificate_authority, cluster.certificate_authority_data, _CA)
    _readable(cluster.certificate_authority, _CA)
    decoded(cluster.certificate_authority_data, _CA)
    if cluster.insecure_skip_tls_verify and (
        cluster.certificate_authority or cluster.certificate_authority_data
    ):
        raise ValueError(f"{what} has a certificate-authority and insecure-skip-tls-verify")
    return cluster


_CA, _CERTIFICATE, _KEY = "certificate-authority", "client-certificate", "client-key"


def check_proxy(url: str, what: str) -> None:
    """Raises ValueError. what: which URL it is, for sentences."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        known = parts.scheme in PROXIES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"{what} is not http://, https:// or socks5:// with a host")


def _user(merged: Merged, name: str | None) -> User:
    user = merged.users.get(name or "", User())
    _one_of(user.client_certificate, user.client_certificate_data, _CERTIFICATE)
    _one_of(user.client_key, user.client_key_data, _KEY)
    if user.client_certificate or user.client_certificate_data:
        if not (user.client_key or user.client_key_data):
            raise ValueError("there is a client-certificate without a client-key")
        _readable(user.client_certificate, _CERTIFICATE)
        _readable(user.client_key, _KEY)
        decoded(user.client_certificate_data, _CERTIFICATE)
        decoded(user.client_key_data, _KEY)
    if user.token and (user.username or user.password):
        raise ValueError("a token and a username are both given: leave one out")
    if (user.act_as_uid or user.act_as_groups or user.act_as_extra) and not user.act_as:
        raise ValueError("as-uid, as-groups or as-user-extra are given without `as`")
    if user.exec is not None:
        _check_plugin(user.exec)
        if user.auth_provider is not None:
            raise ValueError("an exec plugin and an auth-provider are both given")
    return user


def _check_plugin(plugin: ExecPlugin) -> None:
    if not plugin.command:
        raise ValueError("its exec plugin has no command")
    if plugin.api_version not in PLUGIN_VERSIONS:
        known = " or ".join(PLUGIN_VERSIONS)
        raise ValueError(f"its exec plugin has an apiVersion that is not {known}")
    if any(not each.name for each in plugin.env or ()):
        raise ValueError("its exec plugin has a variable without a name")
    mode = plugin.interactive_mode
    if not mode and plugin.api_version == PLUGIN_VERSIONS[0]:
        raise ValueError("its exec plugin has no interactiveMode: write IfAvailable or Never")
    if mode and mode not in ("Never", "IfAvailable", "Always"):
        raise ValueError("its exec plugin's interactiveMode is not Never, IfAvailable or Always")


def _check_known(merged: Merged, name: str | None, user: User) -> None:
    """Where kubectl would ask a person for a user name, which we cannot, it is said."""
    certificate = user.client_certificate or user.client_certificate_data
    if not user.token:
        _readable(user.token_file, "tokenFile")
    if user.auth_provider is not None:
        check_provider(user.auth_provider)
    elif not (user.token or user.token_file or user.username or certificate or user.exec):
        who = f"the user {shown(name)}" if name else "a user"
        if not name or name not in merged.users:
            raise ValueError(f"{who} is in no file" if name else "it names no user")
        raise ValueError(f"{who} has no token, certificate, exec plugin or username")


def check_provider(provider: AuthProvider) -> None:
    """Raises ValueError where it is none that can be used."""
    name = provider.name or ""
    if name in _GONE:
        raise ValueError(f"the auth-provider {name} was removed: use the exec plugin {_GONE[name]}")
    if name != "oidc":
        raise ValueError(f"there is no auth-provider {shown(name)}: use an exec plugin")
    for key in ("idp-issuer-url", "client-id"):
        if not (provider.config or {}).get(key):
            raise ValueError(f"its auth-provider oidc has no {key}")


def _one_of(path: str | None, data: str | None, what: str) -> None:
    if path and data:
        raise ValueError(f"{what} and {what}-data are both given: leave one out")


def _readable(path: str | None, what: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("rb"):
            pass
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"{what} {shown(path)} cannot be read: {shown(why)}") from None


def decoded(data: str | None, what: str) -> bytes:
    """Of base64, in which lines may be broken; empty for none. Raises ValueError."""
    try:
        return base64.b64decode((data or "").replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{what}-data is no base64") from None
