"""Credentials of a kubeconfig: tokens, token files, certificates, exec plugins.

kubernetes-asyncio reads the file and runs the plugin. When to do so again is decided here: it would
do it never, or with every request.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from controller.base.clock import Clock
from controller.base.errors import BootstrapError, SettingsFault, Unavailable
from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.kube.login.credentials import Endpoint
from controller.kube.login.proxies import proxy_for
from controller.kube.login.tls import TlsFiles, load_files, tls_context
from controller.kube.login.token_file import TokenFile

# A plugin may ask a cloud's login service; a plugin that waits for a person would wait for ever.
PLUGIN_SECONDS = 60.0
# A token is renewed this long before it expires: longer than any request is under way.
EXPIRY_MARGIN = timedelta(seconds=60)
# A 401 that renewing does not heal must not run the plugin with every request.
RENEWAL_PAUSE = 10.0


class Kubeconfig:
    """One context of one or more kubeconfig files, read anew at each `load`."""

    def __init__(self, paths: str, context: str | None, clock: Clock) -> None:
        self._paths = paths
        self._context = context
        self._clock = clock
        self.namespace = "default"
        self.context = ""  # the one that was loaded
        self.expires: datetime | None = None
        self.token_file: Path | None = None

    async def load(self) -> Configuration:
        """Host, TLS files and Authorization header. Raises SettingsFault, or Unavailable where a
        plugin failed.
        """
        try:
            loader = self._loader()
            configuration = Configuration()
            await self._clock.within(PLUGIN_SECONDS, loader.load_and_set(configuration))
        except BootstrapError:
            raise
        except TimeoutError as exc:
            raise Unavailable("the kubeconfig's credential plugin did not finish in time") from exc
        except ConfigException as exc:
            if str(exc).startswith("exec: "):
                raise Unavailable(
                    f"the kubeconfig's credential plugin failed: {shown(exc)}"
                ) from exc
            raise self._unusable(exc) from None
        except Exception as exc:  # noqa: BLE001 the loader stumbles over a malformed file anyhow
            raise self._unusable(exc) from None
        self.expires = getattr(loader, "exec_plugin_expiry", None)
        return configuration

    def _unusable(self, exc: Exception) -> SettingsFault:
        """Neither the loader's message nor its trace is shown: they quote the file, tokens too."""
        return SettingsFault(
            [f"kubeconfig {shown(self._paths)} cannot be used ({type(exc).__name__})"]
        )

    def _loader(self) -> KubeConfigLoader:
        merged = KubeConfigMerger(self._paths).config
        if merged is None:
            raise SettingsFault([f"kubeconfig {shown(self._paths)} does not exist"])
        context = self._context or merged.safe_get("current-context")
        if not context:
            raise SettingsFault(
                [f"kubeconfig {shown(self._paths)} has no current-context: give --context"]
            )
        node = merged["contexts"].get_with_name(context, safe=True)
        if node is None:
            known = ", ".join(sorted(shown(item["name"]) for item in merged["contexts"].value))
            raise SettingsFault([f"there is no context {shown(context)}; there are: {known}"])
        chosen = node["context"]
        self.context = str(context)
        self.namespace = chosen.safe_get("namespace") or "default"
        self.token_file = _token_file(merged, chosen.safe_get("user"))
        return KubeConfigLoader(config_dict=merged, active_context=context, config_base_path=None)


def _token_file(merged: Any, user: str | None) -> Path | None:
    """Where the user's token is rotated: relative to the file that names the user."""
    node: Any = merged["users"].get_with_name(user, safe=True) if user else None
    if node is None or "user" not in node:
        return None
    name = node["user"].safe_get("tokenFile")
    return Path(node.path or "").parent / str(name) if name else None


class KubeconfigCredentials:
    """See `Credentials`. One renewal at a time; a second caller finds it done."""

    def __init__(
        self, kubeconfig: Kubeconfig, first: Configuration, endpoint: Endpoint, clock: Clock
    ) -> None:
        self._kubeconfig = kubeconfig
        self._endpoint = endpoint
        self._clock = clock
        self._lock = asyncio.Lock()
        self._renewed_at = clock.monotonic()
        self._files = tls_files(first)
        self._header = _header(first)
        self._token_file = (
            TokenFile(kubeconfig.token_file, clock) if kubeconfig.token_file else None
        )

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def namespace(self) -> str:
        return self._kubeconfig.namespace

    async def authorization(self) -> str | None:
        if self._token_file is not None:
            return f"Bearer {self._token_file.token()}"
        if self._expired():
            async with self._lock:
                if self._expired():
                    await self._reload()
        return self._header

    async def renew(self, used: str | None) -> bool:
        if self._token_file is not None:
            self._token_file.reread()
            return await self.authorization() != used
        async with self._lock:
            if self._header != used:
                return True
            if self._clock.monotonic() - self._renewed_at < RENEWAL_PAUSE:
                return False
            files = self._files
            await self._reload()
            return self._header != used or self._files != files

    def _expired(self) -> bool:
        expires = self._kubeconfig.expires
        if expires is None:
            return False
        aware = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
        # A plugin whose tokens live shorter than the margin is not run with every request.
        recent = self._clock.monotonic() - self._renewed_at < RENEWAL_PAUSE
        return not recent and self._clock.now() >= aware - EXPIRY_MARGIN

    async def _reload(self) -> None:
        self._renewed_at = self._clock.monotonic()
        configuration = await self._kubeconfig.load()
        self._header = _header(configuration)
        self._files = tls_files(configuration)
        if self._endpoint.tls is not None:
            load_files(self._endpoint.tls, self._files)


def tls_files(configuration: Configuration) -> TlsFiles:
    return TlsFiles(
        ca=configuration.ssl_ca_cert,
        certificate=configuration.cert_file,
        key=configuration.key_file,
        verify=bool(configuration.verify_ssl),
    )


def _header(configuration: Configuration) -> str | None:
    header = configuration.api_key.get("BearerToken")
    return str(header).strip() if header else None


def _source(paths: str, kubeconfig: Kubeconfig) -> str:
    token = f", token in {shown(kubeconfig.token_file)}" if kubeconfig.token_file else ""
    return f"context {shown(kubeconfig.context)} of kubeconfig {shown(paths)}{token}"


async def load_kubeconfig(
    paths: str, context: str | None, environ: Mapping[str, str], clock: Clock
) -> KubeconfigCredentials:
    """paths: one or more, separated as in KUBECONFIG. Raises SettingsFault, and Unavailable where
    a credential plugin failed.
    """
    kubeconfig = Kubeconfig(paths, context, clock)
    configuration = await kubeconfig.load()
    url = str(configuration.host)
    secure = url.startswith("https://")
    try:
        read_http_url(url)
    except ValueError as fault:
        raise SettingsFault(
            [f"kubeconfig {shown(paths)} cannot be used: the URL of its server: {fault}"]
        ) from None
    endpoint = Endpoint(
        url,
        login=f"context {shown(kubeconfig.context)}",
        source=_source(paths, kubeconfig),
        tls=tls_context(tls_files(configuration)) if secure else None,
        server_name=configuration.tls_server_name,
        proxy=configuration.proxy or proxy_for(url, environ),
    )
    return KubeconfigCredentials(kubeconfig, configuration, endpoint, clock)
