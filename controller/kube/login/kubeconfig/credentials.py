"""Credentials of a kubeconfig: when its files are read, and its plugin is asked, again."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, timedelta

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import Refused, SettingsFault, Unavailable
from controller.base.proxies import proxy_for
from controller.base.text import shown
from controller.kube.login.credentials import Endpoint
from controller.kube.login.kubeconfig.chosen import check_proxy
from controller.kube.login.kubeconfig.exec_plugin import Surrounding
from controller.kube.login.kubeconfig.files import Files, place_of
from controller.kube.login.kubeconfig.login import Login, Reader, acting_as
from controller.kube.login.token_file import TokenFile

# A token is renewed this long before it expires: longer than any request is under way.
EXPIRY_MARGIN = timedelta(seconds=60)
# A 401 that renewing does not heal must not run the plugin with every request; one that fails is
# asked ever more seldom, up to the second.
RENEWAL_PAUSE = 10.0
LONGEST_PAUSE = 300.0


class KubeconfigCredentials:
    """See `Credentials`. One renewal at a time; a second caller finds it done."""

    def __init__(self, reader: Reader, first: Login, endpoint: Endpoint, clock: Clock) -> None:
        self._reader = reader
        self._endpoint = endpoint
        self._clock = clock
        self._lock = asyncio.Lock()
        self._renewed_at = clock.monotonic()
        self._pause = RENEWAL_PAUSE
        self._login = first
        self._trouble = self._outdated()  # why nothing newer came; empty where it did
        self._token_file = TokenFile(first.token_file, clock) if first.token_file else None

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def namespace(self) -> str:
        return self._login.chosen.namespace

    async def authorization(self) -> str | None:
        if self._token_file is not None:
            return self._of_file(self._token_file)
        if self._is_due():
            async with self._lock:
                if self._is_due():
                    await self._renew_in_time()
        if self._trouble and self._runs_out(timedelta(0)):
            raise Unavailable(self._trouble)
        return self._login.header

    async def renew(self, used: str | None) -> bool:
        if self._token_file is not None:
            self._token_file.reread()
            return await self.authorization() != used
        async with self._lock:
            before = self._login
            if before.header != used:
                return True
            if self._is_recent():
                return False
            await self._reload()
            after = self._login
            return (before.header, before.certificate) != (after.header, after.certificate)

    def _of_file(self, file: TokenFile) -> str:
        """A token beside the file is for when it cannot be read, as client-go has it."""
        try:
            return f"Bearer {file.token()}"
        except Unavailable:
            if self._login.header is None:
                raise
            return self._login.header

    def _is_due(self) -> bool:
        # A plugin whose tokens live shorter than the margin is not run with every request.
        return self._runs_out(EXPIRY_MARGIN) and not self._is_recent()

    def _is_recent(self) -> bool:
        return self._clock.monotonic() - self._renewed_at < self._pause

    def _runs_out(self, margin: timedelta) -> bool:
        expires = self._login.expires
        if expires is None:
            return False
        aware = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
        return self._clock.now() >= aware - margin

    async def _renew_in_time(self) -> None:
        """While the old one holds, a failure is nobody's trouble yet."""
        try:
            await self._reload()
        except (Unavailable, Refused):
            if self._runs_out(timedelta(0)):
                raise

    async def _reload(self) -> None:
        """Raises Unavailable where a plugin failed, and Refused for what a person has to mend."""
        self._renewed_at = self._clock.monotonic()
        try:
            self._login = await self._reader.login(self._endpoint.tls)
        except (Unavailable, SettingsFault) as error:
            self._renewed_at = self._clock.monotonic()
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._trouble = str(error)
            logger.bind(why=str(error), retry_in_s=self._pause).warning(
                "credentials were not renewed"
            )
            if isinstance(error, SettingsFault):
                raise Refused(str(error)) from None
            raise
        self._pause, self._trouble = RENEWAL_PAUSE, self._outdated()

    def _outdated(self) -> str:
        """Why a file that was just read says who somebody was; empty where it is not out of date.
        Only kubectl may renew an id-token: what it is renewed with can be used once.
        """
        expires = self._login.expires
        if expires is None or self._login.chosen.user.exec is not None:
            return ""
        if not self._runs_out(timedelta(0)):
            return ""
        return (
            f"the kubeconfig's id-token expired at {expires:%Y-%m-%d %H:%M} UTC: any command of"
            " kubectl renews it, where it can be renewed"
        )


async def load_kubeconfig(
    kubeconfig: str | None, context: str | None, environ: Mapping[str, str], clock: Clock
) -> KubeconfigCredentials:
    """kubeconfig: see `place_of`. Raises SettingsFault, and Unavailable where a credential plugin
    failed.
    """
    files = Files(place_of(kubeconfig, environ))
    reader = Reader(files, context, Surrounding(environ, clock))
    login = await reader.login()
    name = f"{files.place.name}, context {shown(login.chosen.context)}"
    user, cluster = login.chosen.user, login.chosen.cluster
    proxy = login.proxy or proxy_for(login.url, environ)
    try:
        _check_usable(proxy, "proxy-url" if login.proxy else "HTTPS_PROXY or HTTP_PROXY")
        headers = acting_as(user)
    except ValueError as fault:
        raise SettingsFault([f"{name}: {fault}"]) from None
    endpoint = Endpoint(
        login.url,
        login=_in_words(login),
        tls=login.tls,
        server_name=login.server_name,
        proxy=proxy,
        headers=headers,
        compresses=not cluster.disable_compression,
        keeps_connections=user.exec is None or not login.certificate,
    )
    return KubeconfigCredentials(reader, login, endpoint, clock)


def _check_usable(proxy: str | None, what: str) -> None:
    """Raises ValueError; the URL is not shown, it may hold a password."""
    check_proxy(proxy or "", what)
    if (proxy or "").startswith("socks5:"):
        raise ValueError(
            f"{what} names a SOCKS proxy, which is not supported: write one of http:// or https://,"
            " or forward a port by ssh -L"
        )


def _in_words(login: Login) -> str:
    words = f"context {shown(login.chosen.context)}"
    if login.chosen.user.act_as:
        words += f", as {shown(login.chosen.user.act_as)}"
    return words
